package entra_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func TestHeader(t *testing.T) {
	const (
		algorithm = entra.ReasonAlgorithm
		header    = entra.ReasonHeader
	)
	member := func(name string, value any) []entratest.TokenOption { return with(entratest.Header(name, value)) }
	without := func(name string) []entratest.TokenOption { return with(entratest.WithoutHeader(name)) }
	judge(t, []row{
		{rule: "R7", name: "RS384", token: member("alg", "RS384"), want: algorithm, says: "RS384"},
		{rule: "R7", name: "RS512", token: member("alg", "RS512"), want: algorithm},
		{rule: "R7", name: "PS256", token: member("alg", "PS256"), want: algorithm},
		{rule: "R7", name: "ES256", token: member("alg", "ES256"), want: algorithm},
		{rule: "R7", name: "HS256 with the public key as secret", token: member("alg", "HS256"), want: algorithm},
		{rule: "R7", name: "none with a signature", token: member("alg", "none"), text: signed, want: algorithm},
		{rule: "R7", name: "none without a signature", token: member("alg", "none"), want: entra.ReasonMalformed},
		{rule: "R7", name: "alg in lower case", token: member("alg", "rs256"), want: algorithm},
		{rule: "R7", name: "alg with a space", token: member("alg", "RS256 "), want: algorithm},
		{rule: "R7", name: "an empty alg", token: member("alg", ""), want: algorithm},
		{rule: "R7", name: "alg null", token: member("alg", nil), want: algorithm},
		{rule: "R7", name: "alg as a number", token: member("alg", 256), want: algorithm},
		{rule: "R7", name: "alg as an array", token: member("alg", []string{"RS256"}), want: algorithm},
		{rule: "R4 R7", name: "no alg", token: without("alg"), want: algorithm},
		{rule: "R7", name: "a wrong alg for a key that is not known", token: with(entratest.Header("alg", "PS256"), entratest.Header("kid", "?")), want: algorithm},

		{rule: "R4 S2b", name: "an unknown critical extension", token: member("crit", []string{"exp"}), want: header, says: "crit"},
		{rule: "R4", name: "an empty crit", token: member("crit", []string{}), want: header},
		{rule: "R4", name: "crit null", token: member("crit", nil), want: header},
		{rule: "R4", name: "crit under an escaped name", header: `"\u0063rit":["exp"]`, want: header},
		{rule: "R4", name: "b64 false", token: member("b64", false), want: header},
		{rule: "R4", name: "b64 true", token: member("b64", true), want: header},
		{rule: "R4", name: "a compressed payload", token: member("zip", "DEF"), want: header},
		{rule: "R4", name: "a nested token", token: member("cty", "JWT"), want: header},

		{rule: "R8 S2c", name: "no kid", token: without("kid"), want: header, says: "kid"},
		{rule: "R8 S2c", name: "no kid while one key is published", token: without("kid"), keys: onlyKey, want: header},
		{rule: "R8", name: "no kid but x5t", token: with(entratest.V1(), entratest.WithoutHeader("kid")), want: header},
		{rule: "R8", name: "an empty kid", token: member("kid", ""), want: header},
		{rule: "R8", name: "kid null", token: member("kid", nil), want: header},
		{rule: "R8", name: "kid as a number", token: member("kid", 7), want: header},
		{rule: "R8", name: "the kid of a key that is not published", token: member("kid", "another"), want: entra.ReasonUnknownKey, says: `"another"`},
		{rule: "R8", name: "a kid in mixed case", token: member("kid", "Mixed"), keys: publishing("kid", "Mixed")},
		{rule: "R8", name: "a kid in other case", token: member("kid", "mixed"), keys: publishing("kid", "Mixed"), want: entra.ReasonUnknownKey},
		{rule: "R8", name: "a kid with a space behind", token: member("kid", "Mixed "), keys: publishing("kid", "Mixed"), want: entra.ReasonUnknownKey},
		{rule: "R8", name: "a kid that is a path", token: member("kid", "../../dev/null"), want: entra.ReasonUnknownKey},
		{rule: "R8", name: "x5t of another key, which is not read", token: member("x5t", "another")},

		{rule: "R4", name: "typ at+jwt", token: member("typ", "at+jwt")},
		{rule: "R4", name: "typ in lower case", token: member("typ", "jwt")},
		{rule: "R4", name: "typ in upper case", token: member("typ", "AT+JWT")},
		{rule: "R4", name: "no typ", token: without("typ")},
		{rule: "R4", name: "an empty typ", token: member("typ", ""), want: header},
		{rule: "R4 S2e", name: "a DPoP proof", token: member("typ", "dpop+jwt"), want: header, says: "dpop+jwt"},
		{rule: "R4", name: "a logout token", token: member("typ", "logout+jwt"), want: header},
		{rule: "R4", name: "typ as a media type", token: member("typ", "application/jwt"), want: header},
		{rule: "R4", name: "typ null", token: member("typ", nil), want: header},
		{rule: "R4", name: "typ as a number", token: member("typ", 1), want: header},

		{rule: "R5", name: "a token for Microsoft Graph", token: with(entratest.Graph()), want: entra.ReasonMicrosoftAPIToken, says: "Microsoft Graph"},
		{rule: "R5", name: "a nonce in the header of a token for this API", token: member("nonce", "x"), want: entra.ReasonMicrosoftAPIToken},
		{rule: "R5", name: "a nonce beside a critical extension", token: with(entratest.Graph(), entratest.Header("crit", []string{"nonce"})), want: entra.ReasonMicrosoftAPIToken},
	})
}

func TestHeaderJSON(t *testing.T) {
	const malformed = entra.ReasonMalformed
	judge(t, []row{
		{rule: "R6", name: "alg twice", header: `"alg":"RS256"`, want: malformed, says: "twice"},
		{rule: "R6", name: "kid twice, once escaped", header: `"\u006bid":"x"`, want: malformed},
		{rule: "R6", name: "an unknown member twice", header: `"x":1,"x":1`, want: malformed},
		{rule: "R6", name: "a name twice inside a member", header: `"x":{"y":1,"y":1}`, want: entra.ReasonHeader},
		{rule: "R6", name: "an invalid UTF-8 value", header: "\"x\":\"\xff\"", want: entra.ReasonHeader},
		{rule: "R6", name: "ALG, CRIT and NONCE, which are other members", header: `"ALG":"none","CRIT":["x"],"NONCE":"x"`},
		{rule: "R6", name: "an array", token: with(entratest.RawHeader([]byte(`["RS256"]`))), want: malformed},
		{rule: "R6", name: "null", token: with(entratest.RawHeader([]byte(`null`))), want: malformed},
		{rule: "R6", name: "an object that breaks off", token: with(entratest.RawHeader([]byte(`{"alg":"RS256"`))), want: malformed},
		{rule: "R6", name: "text behind the object", token: with(entratest.RawHeader([]byte(`{"alg":"RS256","kid":"x"} {}`))), want: malformed},
		{rule: "R6", name: "ALG for alg", token: with(entratest.RawHeader([]byte(`{"ALG":"RS256","kid":"x"}`))), want: entra.ReasonAlgorithm},
	})
}

// signed gives an unsigned token the text of a signature.
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
			verifier := newVerifier(t, tenant, nil)
			refused(t, verifier, tenant.Token(header, entratest.SignedBy(forger)), entra.ReasonUnknownKey, "")
			refused(t, verifier, tenant.Token(header, entratest.SignedBy(forger), entratest.Header("kid", tenant.Key().ID())), entra.ReasonSignature, "")
			refused(t, verifier, tenant.Token(header, entratest.SignedBy(forger), entratest.WithoutHeader("kid")), entra.ReasonHeader, "")
			accepted(t, verifier, tenant.Token(header))
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
			var reached spy
			w := serveRequest(newVerifier(t, tenant, nil).Authenticate(&reached), strings.NewReader("access_token="+token), change)
			if reached.calls != 0 {
				t.Error("the handler was reached, want it not to run")
			}
			checkAnswer(t, w, token, http.StatusUnauthorized, "", entra.ReasonNoToken)
		})
	}
}

// TestCertificatesAreNoTrustPath shows that x5c is never parsed: certificates that are over, of another key or no
// certificates at all make no difference.
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
			accepted(t, newVerifier(t, tenant, nil), tenant.Token())
		})
	}
}
