package conformance_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// Each row is what RFC 9728 section 3.1 makes of a resource identifier.
func TestMetadataURL(t *testing.T) {
	tests := []struct{ resource, want string }{
		{"https://api.contoso.example", "https://api.contoso.example/.well-known/oauth-protected-resource"},
		{"https://api.contoso.example/", "https://api.contoso.example/.well-known/oauth-protected-resource"},
		{"https://api.contoso.example/orders", "https://api.contoso.example/.well-known/oauth-protected-resource/orders"},
		{"https://api.contoso.example/orders/", "https://api.contoso.example/.well-known/oauth-protected-resource/orders/"},
		{"https://api.contoso.example/a/b/mcp", "https://api.contoso.example/.well-known/oauth-protected-resource/a/b/mcp"},
		{"https://api.contoso.example?tenant=a", "https://api.contoso.example/.well-known/oauth-protected-resource?tenant=a"},
		{"https://api.contoso.example/?tenant=a", "https://api.contoso.example/.well-known/oauth-protected-resource?tenant=a"},
		{"https://api.contoso.example/orders?tenant=a&b=c", "https://api.contoso.example/.well-known/oauth-protected-resource/orders?tenant=a&b=c"},
		{"https://api.contoso.example:8443/orders", "https://api.contoso.example:8443/.well-known/oauth-protected-resource/orders"},
		{"https://api.contoso.example/a%2Fb", "https://api.contoso.example/.well-known/oauth-protected-resource/a%2Fb"},
		{"https://api.contoso.example/bestellungen/ä", "https://api.contoso.example/.well-known/oauth-protected-resource/bestellungen/%C3%A4"},
		{"https://api.contoso.example/?größe=1", "https://api.contoso.example/.well-known/oauth-protected-resource?gr%C3%B6%C3%9Fe=1"},
		{"https://api.contoso.example/a,b", "https://api.contoso.example/.well-known/oauth-protected-resource/a%2Cb"},
		{"http://localhost:8080/orders", "http://localhost:8080/.well-known/oauth-protected-resource/orders"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/.well-known/oauth-protected-resource"},
		{"http://[::1]:8080", "http://[::1]:8080/.well-known/oauth-protected-resource"},
	}
	for _, test := range tests {
		verifier := testbed.NewVerifierAt(t, &testbed.Publisher{}, entra.Options{Tenants: []string{entratest.TenantID}, Resource: test.resource})
		got := parameter(t, verifier.Challenge(entra.ErrNoToken), "resource_metadata")
		if got != test.want {
			t.Errorf("resource %s: got %s, want %s", test.resource, got, test.want)
		}
	}
}

// parameter returns the value of a parameter that a challenge must have once.
func parameter(t *testing.T, challenge, name string) string {
	t.Helper()
	parts := strings.Split(challenge, name+`="`)
	if len(parts) != 2 {
		t.Fatalf("got the challenge %q, want %s in it once", challenge, name)
	}
	value, _, _ := strings.Cut(parts[1], `"`)
	return value
}

func TestResourceMetadataStandsInEveryChallenge(t *testing.T) {
	const want = "https://api.contoso.example/.well-known/oauth-protected-resource/orders"
	tenant := entratest.New(t)
	for _, resource := range []string{"https://api.contoso.example/orders", ""} {
		verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.Resource = resource })
		guard := entra.Require(entra.Scope(entratest.ScopeRead), entra.AuthContext("c1"))
		handler := verifier.Authenticate(guard(new(testbed.Spy)))
		for name, authorization := range map[string][]string{
			"no token":           nil,
			"two headers":        {"Bearer a", "Bearer b"},
			"no JWT":             {"Bearer abc"},
			"an expired token":   {"Bearer " + tenant.Token(entratest.Expired())},
			"a missing scope":    {"Bearer " + tenant.Token(entratest.Scopes(entratest.ScopeWrite))},
			"a claims challenge": {"Bearer " + tenant.Token(entratest.Capabilities("cp1"))},
			"no step-up":         {"Bearer " + tenant.Token()},
		} {
			challenge := testbed.Serve(handler, authorization...).Header().Get("WWW-Authenticate")
			if resource == "" {
				if challenge == "" || strings.Contains(challenge, "resource_metadata") {
					t.Errorf("%s, without Resource: got %q, want a challenge that names no metadata", name, challenge)
				}
				continue
			}
			if got := parameter(t, challenge, "resource_metadata"); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	}
}

// describe asks for the metadata document.
func describe(v *entra.Verifier, method string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/.well-known/oauth-protected-resource", nil)
	r.Header.Set("Origin", "https://inspector.example")
	w := httptest.NewRecorder()
	v.ResourceMetadata().ServeHTTP(w, r)
	return w
}

func TestResourceMetadataDocument(t *testing.T) {
	const scope = entratest.APIURI + "/Orders.Read"
	const public, personal = "https://login.microsoftonline.com/", "https://login.microsoftonline.com/" + entra.PersonalAccounts + "/v2.0"
	tests := []struct {
		name    string
		options entra.Options
		servers []string
	}{
		{"one tenant", entra.Options{Tenants: []string{entratest.TenantID}}, []string{testbed.PublicV2}},
		{"several tenants, in their order", entra.Options{Tenants: []string{entratest.OtherTenantID, entratest.TenantID}}, []string{testbed.PublicOtherV2, testbed.PublicV2}},
		{"a tenant and personal accounts", entra.Options{Tenants: []string{entra.PersonalAccounts, entratest.TenantID}}, []string{testbed.PublicV2, personal}},
		{"personal accounts", entra.Options{Tenants: []string{entra.PersonalAccounts}}, []string{personal}},
		{"any tenant", entra.Options{AllowAnyTenant: true}, []string{public + "organizations/v2.0"}},
		{"any tenant and personal accounts", entra.Options{AllowAnyTenant: true, Tenants: []string{entra.PersonalAccounts}}, []string{public + "common/v2.0"}},
		{"US Government", entra.Options{Tenants: []string{entratest.TenantID}, Cloud: entra.USGovernment}, []string{testbed.GovernmentV2}},
		{"China", entra.Options{Tenants: []string{entratest.TenantID}, Cloud: entra.China}, []string{testbed.ChinaV2}},
		{"External ID, the issuer of its metadata", entra.Options{Authority: testbed.ExternalID}, []string{testbed.ExternalIDIssuer}},
	}
	k := entratest.New(t).Key()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.Resource, test.options.ResourceScopes = "https://api.contoso.example/orders", []string{scope}
			p := &testbed.Publisher{Documents: testbed.AuthorityDocuments(testbed.ExternalID, testbed.ExternalIDIssuer, k)}
			verifier := testbed.NewVerifierAt(t, p, test.options)
			want := map[string]any{
				"resource":                 "https://api.contoso.example/orders",
				"authorization_servers":    toAny(test.servers),
				"scopes_supported":         []any{scope},
				"bearer_methods_supported": []any{"header"},
			}
			w := describe(verifier, http.MethodGet)
			var got map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
			if test.options.Authority == "" && len(p.Requests()) != 0 {
				t.Errorf("got requests %q, want none", p.Requests())
			}
		})
	}
}

func toAny(texts []string) (list []any) {
	for _, text := range texts {
		list = append(list, text)
	}
	return list
}

func TestResourceMetadataWithoutScopes(t *testing.T) {
	verifier := testbed.NewVerifierAt(t, &testbed.Publisher{}, entra.Options{Tenants: []string{entratest.TenantID}, Resource: "https://api.contoso.example"})
	if got := describe(verifier, http.MethodGet).Body.String(); strings.Contains(got, "scopes_supported") {
		t.Errorf("got %s, want no scopes_supported", got)
	}
}

func TestResourceMetadataMethods(t *testing.T) {
	verifier := testbed.NewVerifierAt(t, &testbed.Publisher{}, entra.Options{Tenants: []string{entratest.TenantID}, Resource: "https://api.contoso.example"})
	for method, status := range map[string]int{
		http.MethodGet: http.StatusOK, http.MethodHead: http.StatusOK, http.MethodOptions: http.StatusNoContent,
		http.MethodPost: http.StatusMethodNotAllowed, http.MethodPut: http.StatusMethodNotAllowed,
		http.MethodDelete: http.StatusMethodNotAllowed, "PROPFIND": http.StatusMethodNotAllowed,
	} {
		w := describe(verifier, method)
		if w.Code != status {
			t.Errorf("%s: got status %d, want %d", method, w.Code, status)
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: got Access-Control-Allow-Origin %q, want *", method, got)
		}
		if got := w.Header().Get("WWW-Authenticate"); got != "" {
			t.Errorf("%s: got the challenge %q, want none: the document is for everybody", method, got)
		}
		if allow := w.Header().Get("Allow"); (allow != "") != (status == http.StatusMethodNotAllowed || status == http.StatusNoContent) {
			t.Errorf("%s: got Allow %q with status %d", method, allow, status)
		}
		switch {
		case status == http.StatusOK && w.Header().Get("Content-Type") != "application/json":
			t.Errorf("%s: got Content-Type %q, want application/json", method, w.Header().Get("Content-Type"))
		case status == http.StatusOK && (w.Body.Len() == 0) != (method == http.MethodHead):
			t.Errorf("%s: got a body of %d bytes", method, w.Body.Len())
		}
	}
	preflight := describe(verifier, http.MethodOptions).Header()
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		if got := preflight.Get("Access-Control-Allow-Methods"); !slices.Contains(strings.Split(got, ", "), method) {
			t.Errorf("got Access-Control-Allow-Methods %q, want %s in it", got, method)
		}
	}
	if got := preflight.Get("Access-Control-Allow-Headers"); got != "*" {
		t.Errorf("got Access-Control-Allow-Headers %q, want *", got)
	}
	head, get := describe(verifier, http.MethodHead).Header(), describe(verifier, http.MethodGet)
	if got, want := head.Get("Content-Length"), get.Header().Get("Content-Length"); got != want || got == "" {
		t.Errorf("HEAD: got Content-Length %q, want GET's, %q", got, want)
	}
}

func TestResourceMetadataWithoutResource(t *testing.T) {
	for name, verifier := range map[string]*entra.Verifier{
		"no Resource": testbed.NewVerifierAt(t, &testbed.Publisher{}, entra.Options{Tenants: []string{entratest.TenantID}}), "a zero Verifier": {},
	} {
		for _, method := range []string{http.MethodGet, http.MethodOptions, http.MethodPost} {
			if got := describe(verifier, method).Code; got != http.StatusNotFound {
				t.Errorf("%s, %s: got status %d, want 404", name, method, got)
			}
		}
	}
}

// The issuer of an authority is known once its metadata was read.
func TestResourceMetadataWhileTheAuthorityIsDown(t *testing.T) {
	p := &testbed.Publisher{Documents: map[string]string{}}
	verifier := testbed.NewVerifierAt(t, p, entra.Options{Authority: testbed.ExternalID, Resource: "https://api.contoso.example"})
	w := describe(verifier, http.MethodGet)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("got status %d and headers %v, want 503 with Retry-After and no challenge", w.Code, w.Header())
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
	if got := w.Header().Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("got Access-Control-Allow-Origin %q, want *", got)
	}
	if got := verifier.Stats().Refused[entra.ReasonKeysUnavailable]; got != 1 {
		t.Errorf("got %d refusals counted, want 1", got)
	}
	if got := describe(verifier, http.MethodOptions).Code; got != http.StatusNoContent {
		t.Errorf("OPTIONS: got status %d, want 204", got)
	}
}

func TestEvery401NamesTheScopesOfTheResource(t *testing.T) {
	const read, write = "https://api.contoso.example/mcp/Orders.Read", "https://api.contoso.example/mcp/Orders.Write"
	tenant := entratest.New(t)
	for name, row := range map[string]struct {
		scopes []string
		want   string
	}{
		"one scope":     {[]string{read}, read},
		"two, in order": {[]string{write, read}, write + " " + read},
		"none":          {nil, ""},
		// Clients then read scopes_supported, which has them all.
		"one that a challenge cannot hold": {[]string{read, "https://api.contoso.example/mcp/a,b"}, ""},
	} {
		verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
			o.Resource, o.ResourceScopes = "https://api.contoso.example/mcp", row.scopes
		})
		stepUp := entra.Require(entra.Scope(entratest.ScopeRead), entra.AuthContext("c1"))(new(testbed.Spy))
		for request, w := range map[string]*httptest.ResponseRecorder{
			"no token":                     testbed.Serve(verifier.Authenticate(stepUp)),
			"no token where it may lack":   testbed.Serve(verifier.AuthenticateOptional(stepUp)),
			"no JWT":                       testbed.Serve(verifier.Authenticate(stepUp), "Bearer abc"),
			"an expired token":             testbed.Serve(verifier.Authenticate(stepUp), "Bearer "+tenant.Token(entratest.Expired())),
			"another tenant's":             testbed.Serve(verifier.Authenticate(stepUp), "Bearer "+tenant.Token(entratest.Tenant(entratest.OtherTenantID))),
			"a claims challenge":           testbed.Serve(verifier.Authenticate(stepUp), "Bearer "+tenant.Token(entratest.Capabilities("cp1"))),
			"a refusal by a handler":       testbed.Refuse(verifier, entra.ErrInvalidToken),
			"a refusal without any reason": testbed.Refuse(verifier, entra.ErrNoToken),
		} {
			challenge := w.Header().Get("WWW-Authenticate")
			if w.Code != http.StatusUnauthorized {
				t.Errorf("%s: got status %d, want 401", request, w.Code)
			}
			if row.want == "" {
				if strings.Contains(challenge, "scope=") {
					t.Errorf("%s, %s: got the challenge %q, want no scope in it", name, request, challenge)
				}
				continue
			}
			if got := parameter(t, challenge, " scope"); got != row.want {
				t.Errorf("%s, %s: got the scope %q, want %q", name, request, got, row.want)
			}
			if claims := strings.Index(challenge, "claims="); claims >= 0 && claims < strings.Index(challenge, " scope=") {
				t.Errorf("%s, %s: got %q, want claims behind scope", name, request, challenge)
			}
		}
		malformed := testbed.Serve(verifier.Authenticate(stepUp), "Bearer a", "Bearer b").Header().Get("WWW-Authenticate")
		if strings.Contains(malformed, " scope=") {
			t.Errorf("a 400: got the challenge %q, want no scope: another token is not what it needs", malformed)
		}
	}
}

func TestWhatEntraRefusesIsLoggedOnce(t *testing.T) {
	const mcp = "https://api.contoso.example/mcp"
	for _, row := range []struct {
		name, resource string
		scopes         []string
		want           []string // in the one line; nil: there is none
	}{
		{"all is well", mcp, []string{mcp + "/Orders.Read", mcp + "/Orders.Write"}, nil},
		{"no scopes", mcp, nil, nil},
		{"no resource", "", nil, nil},
		{"a scope of another Application ID URI", mcp, []string{mcp + "/Orders.Read", "api://orders/Orders.Read"}, []string{`"api://orders/Orders.Read"`, mcp + "/<name>"}},
		{"a scope of a longer one", mcp, []string{mcp + "2/Orders.Read"}, []string{"2/Orders.Read"}},
		{"a bare scope", mcp, []string{"Orders.Read"}, []string{`"Orders.Read"`}},
		{"no path", "https://api.contoso.example", []string{"https://api.contoso.example/Orders.Read"}, []string{"no path", "https://api.contoso.example/mcp"}},
		{"a slash for a path", "https://api.contoso.example/", nil, []string{"no path"}},
		{"a slash at the end", mcp + "/", []string{mcp + "/Orders.Read"}, []string{"ends in a slash"}},
		{"two troubles", mcp + "/", []string{"api://orders/Orders.Read"}, []string{"ends in a slash", "api://orders/Orders.Read"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			journal := new(testbed.Journal)
			tenant := entratest.New(t)
			verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
				o.Resource, o.ResourceScopes, o.Logger = row.resource, row.scopes, slog.New(journal)
			})
			describe(verifier, http.MethodGet)
			testbed.MustVerify(t, verifier, tenant.Token())
			lines := journal.Lines()
			if row.want == nil {
				if len(lines) != 0 {
					t.Errorf("got the lines %v, want none", lines)
				}
				return
			}
			if len(lines) != 1 || lines[0]["(level)"] != "WARN" || !strings.Contains(lines[0]["(message)"], "AADSTS9010010") || lines[0]["resource"] != row.resource {
				t.Fatalf("got the lines %v, want one warning with AADSTS9010010 and the resource", lines)
			}
			for _, want := range row.want {
				if !strings.Contains(lines[0]["problem"], want) {
					t.Errorf("got the problem %q, want %q in it", lines[0]["problem"], want)
				}
			}
		})
	}
}

func TestNothingIsWarnedOfThatIsNotKnownOfB2C(t *testing.T) {
	journal := new(testbed.Journal)
	for _, authority := range []string{
		"https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in/v2.0", "https://contoso.ciamlogin.com/" + entratest.TenantID + "/v2.0",
	} {
		_, err := entra.NewVerifier(entra.Options{
			Authority: authority, ClientID: entratest.APIClientID, Resource: "https://api.contoso.example", Logger: slog.New(journal),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if lines := journal.Lines(); len(lines) != 1 {
		t.Errorf("got the lines %v, want External ID's alone", lines)
	}
}
