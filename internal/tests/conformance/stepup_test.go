package conformance_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// stepUp sends a request for a route that needs the authentication context id.
func stepUp(v *entra.Verifier, id, token string) (status int, challenge string, reached int) {
	var handler testbed.Spy
	w := testbed.Serve(v.Authenticate(entra.Require(entra.AuthContext(id))(&handler)), "Bearer "+token)
	return w.Code, w.Header().Get("WWW-Authenticate"), handler.Calls
}

const stepUpToC2 = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize", ` +
	`error="insufficient_claims", error_description="A stronger sign-in is required here.", ` +
	`claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzIifX19"`

func TestStepUpChallengeByteForByte(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.Tenants, o.AllowAnyTenant = nil, true })
	status, got, reached := stepUp(verifier, "c2", tenant.Token(entratest.Capabilities("cp1")))
	if status != http.StatusUnauthorized || reached != 0 {
		t.Errorf("got status %d and %d calls, want 401 and none", status, reached)
	}
	if got != stepUpToC2 {
		t.Errorf("got the challenge\n%s\nwant\n%s", got, stepUpToC2)
	}
}

// Only clients that can answer a claims challenge get one: R79.
func TestWhoIsAskedToStepUp(t *testing.T) {
	tests := []struct {
		name   string
		token  []entratest.TokenOption
		status int
	}{
		{"the context is satisfied", []entratest.TokenOption{entratest.AuthContext("c1")}, http.StatusOK},
		{"one of several contexts is the one", []entratest.TokenOption{entratest.AuthContext("c9", "c1"), entratest.Capabilities("cp1")}, http.StatusOK},
		{"a capable client", []entratest.TokenOption{entratest.Capabilities("cp1")}, http.StatusUnauthorized},
		{"a capable client, in upper case", []entratest.TokenOption{entratest.Capabilities("CP1")}, http.StatusUnauthorized},
		{"a client that can do more", []entratest.TokenOption{entratest.Capabilities("cp0", "cp1")}, http.StatusUnauthorized},
		{"a capable client with another context", []entratest.TokenOption{entratest.AuthContext("c11"), entratest.Capabilities("cp1")}, http.StatusUnauthorized},
		{"a capable client with the context in upper case", []entratest.TokenOption{entratest.AuthContext("C1"), entratest.Capabilities("cp1")}, http.StatusUnauthorized},
		{"a capable client, version 1.0", []entratest.TokenOption{entratest.V1(), entratest.Capabilities("cp1")}, http.StatusUnauthorized},
		{"a client that says nothing", nil, http.StatusForbidden},
		{"a client with another capability", []entratest.TokenOption{entratest.Capabilities("cp10", "xcp1", "")}, http.StatusForbidden},
		{"an application, capable", []entratest.TokenOption{entratest.App(entratest.RoleDaemon), entratest.Capabilities("cp1")}, http.StatusForbidden},
		{"an application that claims the context", []entratest.TokenOption{entratest.App(entratest.RoleDaemon), entratest.Capabilities("cp1"), entratest.AuthContext("c1")}, http.StatusForbidden},
		{"capabilities of the wrong type", []entratest.TokenOption{entratest.Claim("xms_cc", "cp1")}, http.StatusUnauthorized},
	}
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, challenge, reached := stepUp(verifier, "c1", tenant.Token(test.token...))
			if status != test.status || (reached == 1) != (test.status == http.StatusOK) {
				t.Errorf("got status %d and %d calls, want %d", status, reached, test.status)
			}
			wrongType := strings.HasSuffix(test.name, "wrong type")
			asked := test.status == http.StatusUnauthorized && !wrongType
			if got := strings.Contains(challenge, `claims="`) && strings.Contains(challenge, `error="insufficient_claims"`); got != asked {
				t.Errorf("got the challenge %s, want one with claims: %t", challenge, asked)
			}
			if test.status == http.StatusForbidden && !strings.Contains(challenge, `error="insufficient_scope"`) {
				t.Errorf("got the challenge %s, want insufficient_scope", challenge)
			}
		})
	}
}

// The readers below do what the parsers of Microsoft's clients do, and no more: R81.

var azcoreChallenge = regexp.MustCompile(`Bearer ((?:\w+="[^"]*",?\s*)+)`)

// readAsAzcore finds the challenge by a regular expression, splits it on a quote, a comma and a space, and decodes
// without padding, in the URL's alphabet.
func readAsAzcore(header string) (map[string]string, string, error) {
	match := azcoreChallenge.FindStringSubmatch(header)
	if match == nil || match[0] != header {
		return nil, "", fmt.Errorf("the expression matches %q", match)
	}
	params := make(map[string]string)
	for part := range strings.SplitSeq(match[1], `", `) {
		name, value, _ := strings.Cut(part, `="`)
		params[name] = strings.TrimSuffix(value, `"`)
	}
	text, _, _ := strings.Cut(params["claims"], "=")
	claims, err := base64.RawURLEncoding.DecodeString(text)
	return params, string(claims), err
}

// readAsMSALNET splits on spaces outside of quotes, takes no name twice, and decodes if the length divides by four.
func readAsMSALNET(header string) (map[string]string, string, error) {
	text, found := strings.CutPrefix(header, "Bearer ")
	if !found {
		return nil, "", fmt.Errorf("another scheme")
	}
	quoted := false
	parts := strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
	params := make(map[string]string)
	for _, part := range parts {
		name, value, _ := strings.Cut(strings.TrimSuffix(part, ","), "=")
		if _, twice := params[name]; twice {
			return nil, "", fmt.Errorf("%s stands twice", name)
		}
		params[name] = strings.Trim(value, `"`)
	}
	if len(params["claims"])%4 != 0 {
		return params, params["claims"], nil
	}
	claims, err := base64.StdEncoding.DecodeString(params["claims"])
	return params, string(claims), err
}

// readAsMSALJS splits on commas, then on equals signs, which costs values what stands behind a second one.
func readAsMSALJS(header string) (map[string]string, string, error) {
	_, text, _ := strings.Cut(header, " ")
	params := make(map[string]string)
	for part := range strings.SplitSeq(text, ",") {
		pieces := strings.Split(part, "=")
		if len(pieces) < 2 {
			return nil, "", fmt.Errorf("%q has no equals sign", part)
		}
		params[strings.TrimSpace(pieces[0])] = strings.ReplaceAll(pieces[1], `"`, "")
	}
	claims, err := base64.RawStdEncoding.DecodeString(params["claims"])
	return params, string(claims), err
}

func TestStepUpChallengeIsReadByEveryClient(t *testing.T) {
	k := entratest.New(t).Key()
	readers := map[string]func(string) (map[string]string, string, error){
		"azcore": readAsAzcore, "MSAL.NET": readAsMSALNET, "MSAL JS": readAsMSALJS,
	}
	var every []string
	for n := 1; n <= 99; n++ {
		every = append(every, fmt.Sprint("c", n))
	}
	for _, resource := range []string{"", "https://api.contoso.example/orders", `https://api.contoso.example/a,b"c?d=e,f g`} {
		for i, place := range testbed.Places() {
			ids := []string{"c1", "c42", "c99"}
			if i == 0 {
				ids = every
			}
			verifier := place.NewVerifier(t, k, func(o *entra.Options) {
				o.Resource = strings.ReplaceAll(strings.ReplaceAll(resource, `"`, "%22"), " ", "%20")
			})
			claims := place.Claims()
			claims["xms_cc"] = []string{"cp1"}
			token := testbed.SignClaims(k, claims)
			for _, id := range ids {
				_, header, _ := stepUp(verifier, id, token)
				for name, read := range readers {
					params, got, err := read(header)
					if want := `{"access_token":{"acrs":{"essential":true,"value":"` + id + `"}}}`; err != nil || got != want {
						t.Fatalf("%s, %s: got claims %q, %v, want %q in %s", place.Name, name, got, err, want, header)
					}
					if params["error"] != "insufficient_claims" || !strings.HasSuffix(params["authorization_uri"], "/oauth2/v2.0/authorize") {
						t.Errorf("%s, %s: got %q, want insufficient_claims and an authorization_uri", place.Name, name, params)
					}
					if _, named := params["resource_metadata"]; named != (resource != "") {
						t.Errorf("%s, %s: got %q, want a resource_metadata: %t", place.Name, name, params, resource != "")
					}
				}
			}
		}
	}
}

func TestStepUpOutsideOfRequire(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	decide := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := entra.ClaimsFromContext(r.Context())
		if err := entra.AuthContext("c3")(r.Context(), claims); err != nil {
			if got, want := verifier.Challenge(err), `claims="`; !strings.Contains(got, want) {
				t.Errorf("Challenge: got %s, want it to hold %s", got, want)
			}
			verifier.Refuse(w, r, err)
		}
	})
	w := testbed.Serve(verifier.Authenticate(decide), "Bearer "+tenant.Token(entratest.Capabilities("cp1")))
	if got := w.Header().Get("WWW-Authenticate"); w.Code != http.StatusUnauthorized || !strings.Contains(got, `claims="`) {
		t.Errorf("got status %d and %s, want 401 and a claims challenge", w.Code, got)
	}
}

// A caller without the permission must not be sent to step up, which would change nothing.
func TestStepUpComesAfterOtherRequirements(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	guard := entra.Require(entra.Scope(entratest.ScopeWrite), entra.AuthContext("c1"))
	w := testbed.Serve(verifier.Authenticate(guard(new(testbed.Spy))), "Bearer "+tenant.Token(entratest.Capabilities("cp1")))
	if got := w.Header().Get("WWW-Authenticate"); w.Code != http.StatusForbidden || strings.Contains(got, "insufficient_claims") {
		t.Errorf("got status %d and %s, want 403 for the scope", w.Code, got)
	}
}

func TestAuthContextWantsAnID(t *testing.T) {
	for _, id := range []string{"", "c", "c0", "c01", "c100", "C1", "c1 ", "c1 c2", "1", "c1\n", "urn:user:registersecurityinfo"} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, "c1 to c99") {
					t.Errorf("AuthContext(%q): got panic %s, want one that says c1 to c99", id, got)
				}
			}()
			entra.AuthContext(id)
		}()
	}
}
