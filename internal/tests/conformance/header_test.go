package conformance_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestHeader(t *testing.T) {
	const (
		algorithm = entra.ReasonAlgorithm
		header    = entra.ReasonHeader
	)
	member := func(name string, value any) []entratest.TokenOption {
		return with(entratest.Header(name, value))
	}
	without := func(name string) []entratest.TokenOption { return with(entratest.WithoutHeader(name)) }
	testbed.Judge(t, []testbed.Row{
		{Rule: "R7", Name: "RS384", Token: member("alg", "RS384"), Want: algorithm, Says: "RS384"},
		{Rule: "R7", Name: "RS512", Token: member("alg", "RS512"), Want: algorithm},
		{Rule: "R7", Name: "PS256", Token: member("alg", "PS256"), Want: algorithm},
		{Rule: "R7", Name: "ES256", Token: member("alg", "ES256"), Want: algorithm},
		{Rule: "R7", Name: "HS256 with the public key as secret", Token: member("alg", "HS256"), Want: algorithm},
		{Rule: "R7", Name: "none with a signature", Token: member("alg", "none"), Text: signed, Want: algorithm},
		{Rule: "R7", Name: "none without a signature", Token: member("alg", "none"), Want: entra.ReasonMalformed},
		{Rule: "R7", Name: "alg in lower case", Token: member("alg", "rs256"), Want: algorithm},
		{Rule: "R7", Name: "alg with a space", Token: member("alg", "RS256 "), Want: algorithm},
		{Rule: "R7", Name: "an empty alg", Token: member("alg", ""), Want: algorithm},
		{Rule: "R7", Name: "alg null", Token: member("alg", nil), Want: algorithm},
		{Rule: "R7", Name: "alg as a number", Token: member("alg", 256), Want: algorithm},
		{Rule: "R7", Name: "alg as an array", Token: member("alg", []string{"RS256"}), Want: algorithm},
		{Rule: "R4 R7", Name: "no alg", Token: without("alg"), Want: algorithm},
		{Rule: "R7", Name: "a wrong alg for a key that is not known", Token: with(entratest.Header("alg", "PS256"), entratest.Header("kid", "?")), Want: algorithm},

		{Rule: "R4 S2b", Name: "an unknown critical extension", Token: member("crit", []string{"exp"}), Want: header, Says: "crit"},
		{Rule: "R4", Name: "an empty crit", Token: member("crit", []string{}), Want: header},
		{Rule: "R4", Name: "crit null", Token: member("crit", nil), Want: header},
		{Rule: "R4", Name: "crit under an escaped name", Header: `"\u0063rit":["exp"]`, Want: header},
		{Rule: "R4", Name: "b64 false", Token: member("b64", false), Want: header},
		{Rule: "R4", Name: "b64 true", Token: member("b64", true), Want: header},
		{Rule: "R4", Name: "a compressed payload", Token: member("zip", "DEF"), Want: header},
		{Rule: "R4", Name: "a nested token", Token: member("cty", "JWT"), Want: header},

		{Rule: "R8 S2c", Name: "no kid", Token: without("kid"), Want: header, Says: "kid"},
		{Rule: "R8 S2c", Name: "no kid while one key is published", Token: without("kid"), Keys: onlyKey, Want: header},
		{Rule: "R8", Name: "no kid but x5t", Token: with(entratest.V1(), entratest.WithoutHeader("kid")), Want: header},
		{Rule: "R8", Name: "an empty kid", Token: member("kid", ""), Want: header},
		{Rule: "R8", Name: "kid null", Token: member("kid", nil), Want: header},
		{Rule: "R8", Name: "kid as a number", Token: member("kid", 7), Want: header},
		{Rule: "R8", Name: "the kid of a key that is not published", Token: member("kid", "another"), Want: entra.ReasonUnknownKey, Says: `"another"`},
		{Rule: "R8", Name: "a kid in mixed case", Token: member("kid", "Mixed"), Keys: publishing("kid", "Mixed")},
		{Rule: "R8", Name: "a kid in other case", Token: member("kid", "mixed"), Keys: publishing("kid", "Mixed"), Want: entra.ReasonUnknownKey},
		{Rule: "R8", Name: "a kid with a space behind", Token: member("kid", "Mixed "), Keys: publishing("kid", "Mixed"), Want: entra.ReasonUnknownKey},
		{Rule: "R8", Name: "a kid that is a path", Token: member("kid", "../../dev/null"), Want: entra.ReasonUnknownKey},
		{Rule: "R8", Name: "x5t of another key, which is not read", Token: member("x5t", "another")},

		{Rule: "R4", Name: "typ at+jwt", Token: member("typ", "at+jwt")},
		{Rule: "R4", Name: "typ in lower case", Token: member("typ", "jwt")},
		{Rule: "R4", Name: "typ in upper case", Token: member("typ", "AT+JWT")},
		{Rule: "R4", Name: "no typ", Token: without("typ")},
		{Rule: "R4", Name: "an empty typ", Token: member("typ", ""), Want: header},
		{Rule: "R4 S2e", Name: "a DPoP proof", Token: member("typ", "dpop+jwt"), Want: header, Says: "dpop+jwt"},
		{Rule: "R4", Name: "a logout token", Token: member("typ", "logout+jwt"), Want: header},
		{Rule: "R4", Name: "typ as a media type", Token: member("typ", "application/jwt"), Want: header},
		{Rule: "R4", Name: "typ null", Token: member("typ", nil), Want: header},
		{Rule: "R4", Name: "typ as a number", Token: member("typ", 1), Want: header},

		{Rule: "R5", Name: "a token for Microsoft Graph", Token: with(entratest.Graph()), Want: entra.ReasonMicrosoftAPIToken, Says: "Microsoft Graph"},
		{Rule: "R5", Name: "a nonce in the header of a token for this API", Token: member("nonce", "x"), Want: entra.ReasonMicrosoftAPIToken},
		{Rule: "R5", Name: "a nonce beside a critical extension", Token: with(entratest.Graph(), entratest.Header("crit", []string{"nonce"})), Want: entra.ReasonMicrosoftAPIToken},
	})
}

func TestHeaderJSON(t *testing.T) {
	const malformed = entra.ReasonMalformed
	testbed.Judge(t, []testbed.Row{
		{Rule: "R6", Name: "alg twice", Header: `"alg":"RS256"`, Want: malformed, Says: "twice"},
		{Rule: "R6", Name: "kid twice, once escaped", Header: `"\u006bid":"x"`, Want: malformed},
		{Rule: "R6", Name: "an unknown member twice", Header: `"x":1,"x":1`, Want: malformed},
		{Rule: "R6", Name: "a name twice inside a member", Header: `"x":{"y":1,"y":1}`, Want: entra.ReasonHeader},
		{Rule: "R6", Name: "an invalid UTF-8 value", Header: "\"x\":\"\xff\"", Want: entra.ReasonHeader},
		{Rule: "R6", Name: "ALG, CRIT and NONCE, which are other members", Header: `"ALG":"none","CRIT":["x"],"NONCE":"x"`},
		{Rule: "R6", Name: "an array", Token: with(entratest.RawHeader([]byte(`["RS256"]`))), Want: malformed},
		{Rule: "R6", Name: "null", Token: with(entratest.RawHeader([]byte(`null`))), Want: malformed},
		{Rule: "R6", Name: "an object that breaks off", Token: with(entratest.RawHeader([]byte(`{"alg":"RS256"`))), Want: malformed},
		{Rule: "R6", Name: "text behind the object", Token: with(entratest.RawHeader([]byte(`{"alg":"RS256","kid":"x"} {}`))), Want: malformed},
		{Rule: "R6", Name: "ALG for alg", Token: with(entratest.RawHeader([]byte(`{"ALG":"RS256","kid":"x"}`))), Want: entra.ReasonAlgorithm},
	})
}

// signed appends the text of a signature to an unsigned token.
func signed(token string) string { return token + "c2lnbmF0dXJl" }

func onlyKey(tenant *entratest.Server) { tenant.SetKeys(tenant.Key()) }

func TestKeysThatTheTokenBrings(t *testing.T) {
	t.Attr("rule", "R4")
	tenant := entratest.New(t)
	forger := tenant.UnknownKey()
	jwk := forger.JWK()
	for name, header := range map[string]entratest.TokenOption{
		"jwk": entratest.Header("jwk", jwk),
		"jku": entratest.Header("jku", "https://evil.example/keys"),
		"x5u": entratest.Header("x5u", "https://evil.example/certificate"),
		"x5c": entratest.Header("x5c", jwk["x5c"]),
	} {
		t.Run(name+" of a forger is not used", func(t *testing.T) {
			verifier := testbed.NewVerifier(t, tenant, nil)
			testbed.Refused(t, verifier, tenant.Token(header, entratest.SignedBy(forger)), entra.ReasonUnknownKey, "")
			testbed.Refused(t, verifier, tenant.Token(header, entratest.SignedBy(forger), entratest.Header("kid", tenant.Key().ID())), entra.ReasonSignature, "")
			testbed.Refused(t, verifier, tenant.Token(header, entratest.SignedBy(forger), entratest.WithoutHeader("kid")), entra.ReasonHeader, "")
			testbed.Accepted(t, verifier, tenant.Token(header))
		})
	}
	if i := slices.IndexFunc(tenant.Requests(), func(r entratest.Request) bool { return r.Host == "evil.example" }); i >= 0 {
		t.Errorf("got a request %+v, want none for what a token names", tenant.Requests()[i])
	}
}

func TestTokensElsewhereInTheRequestAreNotRead(t *testing.T) {
	t.Attr("rule", "R1")
	tenant := entratest.New(t)
	token := tenant.Token()
	form := func(r *http.Request) {
		r.Method = http.MethodPost
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, change := range map[string]func(*http.Request){
		"query":  func(r *http.Request) { r.URL.RawQuery = "access_token=" + token },
		"form":   form,
		"cookie": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "access_token", Value: token}) },
		"forwarded header": func(r *http.Request) {
			r.Header.Set("X-Forwarded-Authorization", "Bearer "+token)
			r.Header["authorization"] = []string{"Bearer " + token}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var reached testbed.Spy
			w := testbed.ServeRequest(testbed.NewVerifier(t, tenant, nil).Authenticate(&reached), strings.NewReader("access_token="+token), change)
			if reached.Calls != 0 {
				t.Error("the handler was reached, want it not to run")
			}
			testbed.CheckAnswer(t, w, token, http.StatusUnauthorized, "", entra.ReasonNoToken)
		})
	}
}

// TestCertificatesAreNoTrustPath shows that x5c is never parsed: it makes no difference whether certificates are of another
// key, broken, or missing.
func TestCertificatesAreNoTrustPath(t *testing.T) {
	t.Attr("rule", "R10")
	tenant := entratest.New(t)
	good := tenant.Key()
	for name, value := range map[string]any{
		"none":           nil,
		"of another key": tenant.UnknownKey().JWK()["x5c"],
		"no base64":      []string{"?"},
		"no certificate": []string{base64.StdEncoding.EncodeToString([]byte("x"))},
		"no array":       "x",
		"empty":          []string{},
	} {
		t.Run("x5c "+name, func(t *testing.T) {
			tenant.SetKeys(good.With("x5c", value).With("x5t", "another"))
			testbed.Accepted(t, testbed.NewVerifier(t, tenant, nil), tenant.Token())
		})
	}
}

// TestMemberNamesAreQuoted sends a header and a payload whose member names would break a log line.
func TestMemberNamesAreQuoted(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	name := strings.Repeat("A", 5000) + "\\nJane\\u001b[31m"
	odd := `"` + name + `":{"a":1,"a":2}`
	for place, token := range map[string]string{
		"header":  tenant.Key().Sign([]byte(`{"alg":"RS256",`+odd+`}`), []byte(`{}`)),
		"payload": tenant.Key().Sign([]byte(`{"alg":"RS256","kid":"`+tenant.Key().ID()+`"}`), []byte(`{`+odd+`}`)),
	} {
		_, err := verifier.Verify(t.Context(), token)
		if err == nil || len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%s: got %q, want a short text on one line", place, err)
		}
	}
}
