package entra_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// FuzzAuthorization sends any text as Authorization header and as token. Only the token of the seeds may pass.
func FuzzAuthorization(f *testing.F) {
	tenant := entratest.New(f)
	verifier := newVerifier(f, tenant, func(o *entra.Options) { o.CacheSize = -1 })
	good := tenant.Token(entratest.Lifetime(1 << 40))
	parts := strings.Split(good, ".")
	for _, seed := range []string{
		"", "Bearer", "Bearer " + good, "bearer  " + good, "Basic eDp5", "Bearer ..", "Bearer ....", "Bearer " + parts[0] + ".e30." + parts[2],
		"Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer " + good + "=", "Bearer\t" + good, "Bearer \xff", strings.Repeat(".", 100),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		var reached spy
		w := serve(verifier.Authenticate(&reached), value)
		passes := strings.HasSuffix(value, " "+good)
		if reached.calls > 0 && !passes || w.Code >= http.StatusInternalServerError {
			t.Errorf("got %d calls and status %d for %q, want neither a call nor a fault", reached.calls, w.Code, value)
		}
		claims, err := verifier.Verify(t.Context(), value)
		if (claims == nil) == (err == nil) || claims != nil && value != good {
			t.Errorf("got claims %v and error %v for %q, want a refusal", claims, err, value)
		}
	})
}

// FuzzClaimSet signs any text as claim set. What passes must be strict JSON that says what the claims say.
func FuzzClaimSet(f *testing.F) {
	tenant := entratest.New(f)
	verifier := newVerifier(f, tenant, nil)
	key := tenant.Key()
	header := []byte(`{"alg":"RS256","kid":"` + key.ID() + `"}`)
	valid := string(segment(tenant.Token(entratest.Lifetime(1<<40)), 1))
	for _, seed := range []string{
		valid, `{}`, `null`, `[`, adding(`"tid":"x"`)(valid), adding(`"TID":"x"`)(valid), adding(`"\u0063nf":{}`)(valid), adding(`"exp":1e999`)(valid),
		adding(`"_claim_names":{"groups":1}`)(valid), adding(`"roles":["a"],"groups":[]`)(valid), valid + " ", valid + "x", strings.Repeat(`{"a":`, 50),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		claims, err := verifier.Verify(t.Context(), key.Sign(header, []byte(text)))
		if status := entra.StatusCode(err); status != http.StatusOK && status != http.StatusUnauthorized || (claims == nil) == (err == nil) {
			t.Fatalf("got claims %v, error %v and status %d for %q, want claims or a refusal", claims, err, status, text)
		}
		if err != nil {
			return
		}
		var said map[string]any
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			t.Fatalf("got %q accepted, want JSON only: %v", text, err)
		}
		if said["tid"] != entratest.TenantID || said["oid"] != claims.ObjectID || said["iss"] != claims.Issuer || said["cnf"] != nil {
			t.Errorf("got %+v accepted for %q, want what the text says", claims, text)
		}
	})
}
