package hostile_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/oracle"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// keyID is the ID of the key that signs what is fuzzed. It is always the same, so that an input found once can be used
// again.
const keyID = "fuzz"

// seedsFrom and seedsLifetime let seeds be valid for decades, for the same reason.
var seedsFrom = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

const seedsLifetime = 50 * 365 * 24 * time.Hour

// setup is what the fuzz tests share, because making it costs more than a thousand inputs.
type setup struct {
	tenant *entratest.Server
	key    *entratest.Key
	// verifiers accept what their oracles do.
	verifiers []verifier
}

// verifier is a Verifier and the oracle of its options.
type verifier struct {
	*entra.Verifier
	oracle *oracle.Oracle
}

var newSetup = sync.OnceValue(func() *setup {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		panic(err)
	}
	s := &setup{tenant: tenant, key: tenant.Key().With("kid", keyID)}
	tenant.SetKeys(tenant.Key(), s.key)
	both := []string{entratest.TenantID, entratest.OtherTenantID}
	s.add(oracle.Oracle{Tenants: both[:1]}, entra.Options{Tenants: both[:1], ClientID: entratest.APIClientID, CacheSize: -1})
	s.add(oracle.Oracle{Tenants: both, Personal: true, IDTokens: true, Unpermitted: true}, entra.Options{
		Tenants: append(both, entra.PersonalAccounts), ClientID: entratest.APIClientID, AllowIDTokens: true, AllowWithoutPermissions: true,
	})
	s.add(oracle.Oracle{Unpermitted: true}, entra.Options{AllowAnyTenant: true, ClientID: entratest.APIClientID, AllowWithoutPermissions: true})
	return s
})

// add adds a Verifier with options, which accepts what o does. Both are completed with what all of them share.
func (s *setup) add(o oracle.Oracle, options entra.Options) {
	options.HTTPClient, options.Logger = s.tenant.Client(), testbed.Discard()
	v, err := entra.NewVerifier(options)
	if err != nil {
		panic(err)
	}
	o.ClientID, o.ClockSkew, o.Keys = options.ClientID, time.Minute, oracle.Keys(s.tenant.Key(), s.key)
	s.verifiers = append(s.verifiers, verifier{v, &o})
}

// seeds calls add with the token, the header and the payload of good tokens and of each row of the catalogue.
func (s *setup) seeds(add func(token, header, payload string)) {
	lasting := func(options ...entratest.TokenOption) string {
		return s.tenant.Token(append([]entratest.TokenOption{entratest.IssuedAt(seedsFrom), entratest.Lifetime(seedsLifetime)}, options...)...)
	}
	good := [][]entratest.TokenOption{
		{}, {entratest.V1()}, {entratest.App("A")}, {entratest.V1(), entratest.App("A", "B")}, {entratest.App()}, {entratest.Guest()}, {entratest.Overage()},
		{entratest.IDToken()}, {entratest.Personal(), entratest.SignedBy(s.key)}, {entratest.Tenant(entratest.OtherTenantID)}, {entratest.AuthContext("c1")},
		{entratest.Capabilities("cp1")}, {entratest.Scopes("a", "b")}, {entratest.Scopes("a", "", "b")}, {entratest.Groups("g")}, {entratest.Header("typ", "at+jwt")},
		{entratest.Claim("aud", []string{entratest.APIURI + "/"})}, {entratest.Claim("exp", 4102444800.5)}, {entratest.Claim("idtyp", "user")}, {entratest.Claim("x", map[string]any{"y": 1})},
	}
	valid := lasting()
	tokens := []string{}
	for _, options := range good {
		tokens = append(tokens, lasting(options...))
	}
	for _, row := range catalogue() {
		if row.mint != nil {
			tokens = append(tokens, lasting(row.mint...))
		} else if token := row.token(s.tenant, valid); len(token) < 20_000 && token != "" {
			tokens = append(tokens, token)
		}
	}
	for _, token := range tokens {
		header, payload, _ := cut(token)
		plainHeader, _ := base64.RawURLEncoding.DecodeString(header) // Some hostile ones cannot be decoded.
		plainPayload, _ := base64.RawURLEncoding.DecodeString(payload)
		add(token, strings.ReplaceAll(string(plainHeader), s.tenant.Key().ID(), keyID), string(plainPayload))
	}
}

// verify sends a token to every Verifier, twice if it is accepted, and lets the oracle judge what was.
func (s *setup) verify(t *testing.T, token string) {
	for _, v := range s.verifiers {
		began := time.Now()
		claims, err := v.Verify(t.Context(), token)
		if err == nil {
			if err := v.oracle.Judge(token, claims, began, time.Now()); err != nil {
				t.Errorf("accepted, but the oracle objects: %v", err)
			}
			again, err := v.Verify(t.Context(), token)
			if err != nil || !reflect.DeepEqual(again, claims) {
				t.Errorf("a second time: got %+v and %v, want %+v", again, err, claims)
			}
			continue
		}
		if claims != nil || !errors.Is(err, entra.ErrInvalidToken) || entra.StatusCode(err) != http.StatusUnauthorized || entra.ReasonOf(err) == "" {
			t.Errorf("got claims %+v, reason %q and %v, want none, a reason and ErrInvalidToken", claims, entra.ReasonOf(err), err)
		}
		wantOperatorText(t, err, token)
		if !dependsOnOptions[entra.ReasonOf(err)] {
			return // The other Verifiers have the same reason.
		}
	}
}

// dependsOnOptions are the reasons that depend on the configuration.
var dependsOnOptions = map[entra.Reason]bool{
	entra.ReasonTenant: true, entra.ReasonIDToken: true, entra.ReasonNoPermissions: true, entra.ReasonAudience: true,
}

// FuzzAuthorization sends any Authorization value; VALID in it stands for a valid token.
func FuzzAuthorization(f *testing.F) {
	s := newSetup()
	for _, value := range []string{
		"Bearer VALID", "bearer  VALID", "VALID", "Bearer VALID, Bearer VALID", "Bearer", "Bearer ", "Bearer\tVALID", "Bearer VALID ", `Bearer "VALID"`,
		"Basic VALID", "DPoP VALID", "Bearer VALID=", "Bearer VALID.VALID", "Bearer Bearer VALID", "Bearer VALID\x00", "Ｂearer VALID", "", "Bearer a=b",
	} {
		f.Add(value)
	}
	valid := s.tenant.Token(entratest.Lifetime(24 * time.Hour))
	grammar := regexp.MustCompile(`^(?i:Bearer) +([A-Za-z0-9\-._~+/]+=*)$`)
	f.Fuzz(func(t *testing.T, value string) {
		value = strings.ReplaceAll(value, "VALID", valid)
		match := grammar.FindStringSubmatch(value)
		var reached testbed.Spy
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{value}
		s.verifiers[1].Authenticate(&reached).ServeHTTP(w, r)
		ok := match != nil && match[1] == valid
		if ok != (w.Code == http.StatusOK && reached.Calls == 1) || !ok && (reached.Calls != 0 || w.Code != 401 && w.Code != 400) {
			t.Errorf("got status %d and %d calls, want the handler reached %v", w.Code, reached.Calls, ok)
		}
		if w.Code == http.StatusBadRequest && match != nil {
			t.Error("got status 400 for a header of the right form")
		}
	})
}

// FuzzToken verifies any text. In one that ends in ".sign" the key's signature takes the place of that.
func FuzzToken(f *testing.F) {
	s := newSetup()
	s.seeds(func(token, header, payload string) {
		f.Add(token)
		f.Add(encode(header) + "." + encode(payload) + ".sign")
	})
	f.Fuzz(func(t *testing.T, token string) {
		if text, ok := strings.CutSuffix(token, ".sign"); ok {
			token = signText(s.key, text)
		}
		s.verify(t, token)
	})
}

// signText signs any text as if it were header and payload.
func signText(key *entratest.Key, text string) string {
	// Sign encodes what it is given, so this is decoded first where it can be.
	header, payload, _ := strings.Cut(text, ".")
	plainHeader, err := base64.RawURLEncoding.Strict().DecodeString(header)
	plainPayload, alsoErr := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err != nil || alsoErr != nil {
		return text + ".AAAA"
	}
	return key.Sign(plainHeader, plainPayload)
}

// FuzzSignedHeader verifies tokens with any header, signed by the key.
func FuzzSignedHeader(f *testing.F) {
	s := newSetup()
	s.seeds(func(_, header, _ string) { f.Add([]byte(header)) })
	payload := testbed.Segment(s.tenant.Token(entratest.IssuedAt(seedsFrom), entratest.Lifetime(seedsLifetime)), 1)
	f.Fuzz(func(t *testing.T, header []byte) {
		s.verify(t, s.key.Sign(header, payload))
	})
}

// FuzzSignedPayload verifies tokens with any payload, signed by the key.
func FuzzSignedPayload(f *testing.F) {
	s := newSetup()
	s.seeds(func(_, _, payload string) { f.Add([]byte(payload)) })
	f.Fuzz(func(t *testing.T, payload []byte) {
		s.verify(t, s.key.Sign([]byte(`{"alg":"RS256","kid":"`+keyID+`"}`), payload))
	})
}
