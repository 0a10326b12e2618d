package entra_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// optionsMistakes are single mistakes in otherwise good options. Each row's texts must stand in the error: the field
// first, then what was found or what to do.
var optionsMistakes = []struct {
	name   string
	change func(*entra.Options)
	want   []string
}{
	{"no tenant", func(o *entra.Options) { o.Tenants = nil }, []string{"Options.Tenants: is empty", "Directory (tenant) ID", "AllowAnyTenant", "Authority"}},
	{"an empty tenant", func(o *entra.Options) { o.Tenants = []string{""} }, []string{"Options.Tenants[0]:", "is blank", "GUID"}},
	{"a blank tenant", func(o *entra.Options) { o.Tenants = []string{entratest.TenantID, " \t"} }, []string{"Options.Tenants[1]:", "is blank"}},
	{"a space before the tenant", func(o *entra.Options) { o.Tenants = []string{" " + entratest.TenantID} }, []string{"Options.Tenants[0]:", "has white space around it; remove it"}},
	{"a line break behind the tenant", func(o *entra.Options) { o.Tenants = []string{entratest.TenantID + "\n"} }, []string{"Options.Tenants[0]:", "has white space around it", `\n`}},
	{"a domain name as tenant", func(o *entra.Options) { o.Tenants = []string{"contoso.onmicrosoft.com"} }, []string{"Options.Tenants[0]:", `"contoso.onmicrosoft.com"`, "is a domain name", "Directory (tenant) ID"}},
	{"common as tenant", func(o *entra.Options) { o.Tenants = []string{"common"} }, []string{"Options.Tenants[0]:", `"common"`, "set AllowAnyTenant"}},
	{"organizations as tenant", func(o *entra.Options) { o.Tenants = []string{"Organizations"} }, []string{"Options.Tenants[0]:", "set AllowAnyTenant"}},
	{"consumers as tenant", func(o *entra.Options) { o.Tenants = []string{"consumers"} }, []string{"Options.Tenants[0]:", "entra.PersonalAccounts"}},
	{"a tenant in braces", func(o *entra.Options) { o.Tenants = []string{"{" + entratest.TenantID + "}"} }, []string{"Options.Tenants[0]:", "is no GUID"}},
	{"a tenant with a letter that is no digit", func(o *entra.Options) { o.Tenants = []string{strings.Replace(entratest.TenantID, "1", "g", 1)} }, []string{"Options.Tenants[0]:", "is no GUID"}},
	{"a tenant whose text is long", func(o *entra.Options) { o.Tenants = []string{strings.Repeat("x", 5000)} }, []string{"Options.Tenants[0]:", `xx"...`}},
	{"tenants although any is accepted", func(o *entra.Options) { o.AllowAnyTenant = true }, []string{"Options.Tenants:", "AllowAnyTenant"}},
	{"personal accounts in another cloud", func(o *entra.Options) {
		o.Cloud, o.Tenants = entra.China, []string{entratest.TenantID, entra.PersonalAccounts}
	}, []string{"Options.Tenants:", "PersonalAccounts", "China"}},

	{"neither client ID nor audience", func(o *entra.Options) { o.ClientID = "" }, []string{"Options.ClientID:", "Audiences", "Application (client) ID"}},
	{"a name as client ID", func(o *entra.Options) { o.ClientID = "orders" }, []string{"Options.ClientID:", `"orders"`, "is no GUID", "Application (client) ID"}},
	{"an Application ID URI as client ID", func(o *entra.Options) { o.ClientID = entratest.APIURI }, []string{"Options.ClientID:", "is no GUID"}},
	{"a space behind the client ID", func(o *entra.Options) { o.ClientID += " " }, []string{"Options.ClientID:", "is no GUID"}},
	{"Graph's ID as client ID", func(o *entra.Options) { o.ClientID = entratest.GraphClientID }, []string{"Options.ClientID:", "Microsoft Graph", "Application (client) ID of this API"}},
	{"the tenant as client ID", func(o *entra.Options) { o.ClientID = entratest.TenantID }, []string{"Options.ClientID:", "is one of Tenants"}},
	{"any tenant without client ID", func(o *entra.Options) {
		*o = entra.Options{AllowAnyTenant: true, Audiences: []string{"https://api.contoso.example"}}
	}, []string{"Options.ClientID:", "AllowAnyTenant needs"}},
	{"application keys without client ID", func(o *entra.Options) { o.ClientID, o.Audiences, o.AppKeys = "", []string{"api://orders"}, true }, []string{"Options.ClientID:", "AppKeys needs"}},
	{"ID tokens without client ID", func(o *entra.Options) { o.ClientID, o.Audiences, o.AllowIDTokens = "", []string{"api://orders"}, true }, []string{"Options.ClientID:", "AllowIDTokens needs"}},

	{"an empty audience", func(o *entra.Options) { o.Audiences = []string{""} }, []string{"Options.Audiences[0]:", "is empty"}},
	{"an audience with a space", func(o *entra.Options) { o.Audiences = []string{"api://orders", "api://orders "} }, []string{"Options.Audiences[1]:", "holds white space"}},
	{"Graph as audience", func(o *entra.Options) { o.Audiences = []string{"https://graph.microsoft.com/"} }, []string{"Options.Audiences[0]:", "Microsoft's own"}},
	{"Graph's ID as audience", func(o *entra.Options) { o.Audiences = []string{entratest.GraphClientID} }, []string{"Options.Audiences[0]:", "Microsoft's own"}},
	{"Graph in upper case as audience", func(o *entra.Options) { o.Audiences = []string{"https://Graph.Microsoft.com"} }, []string{"Options.Audiences[0]:", "Microsoft's own"}},
	{"Graph's ID in upper case as audience", func(o *entra.Options) { o.Audiences = []string{strings.ToUpper(entratest.GraphClientID)} }, []string{"Options.Audiences[0]:", "Microsoft's own"}},
	{"an audience with a space of no width", func(o *entra.Options) { o.Audiences = []string{"api://orders\u200b"} }, []string{"Options.Audiences[0]:", "holds white space"}},
	{"any tenant with an api:// name in upper case", anyTenantOption("API://orders"), []string{"Options.Audiences[0]:", "does not contain the ClientID"}},
	{"any tenant with a name", anyTenantOption("orders"), []string{"Options.Audiences[0]:", "does not contain the ClientID"}},
	{"any tenant with a URN", anyTenantOption("urn:contoso:orders"), []string{"Options.Audiences[0]:", "does not contain the ClientID"}},
	{"any tenant with a bare api:// name", func(o *entra.Options) {
		o.Tenants, o.AllowAnyTenant, o.Audiences = nil, true, []string{"api://orders"}
	}, []string{"Options.Audiences[0]:", `"api://orders"`, "does not contain the ClientID", "api://" + entratest.APIClientID}},
	{"any tenant with an api:// name that only begins alike", func(o *entra.Options) {
		o.Tenants, o.AllowAnyTenant, o.Audiences = nil, true, []string{entratest.APIURI + "0/orders"}
	}, []string{"Options.Audiences[0]:", "only as part of a longer name"}},

	{"a cloud that does not exist", func(o *entra.Options) { o.Cloud = 7 }, []string{"Options.Cloud:", "7", "Worldwide, USGovernment or China"}},
	{"application keys for several tenants", func(o *entra.Options) {
		o.Tenants, o.AppKeys = []string{entratest.TenantID, entratest.OtherTenantID}, true
	}, []string{"Options.AppKeys:", "exactly one tenant", "found 2"}},
	{"application keys for any tenant", func(o *entra.Options) { o.Tenants, o.AllowAnyTenant, o.AppKeys = nil, true, true }, []string{"Options.AppKeys:", "exactly one tenant"}},
	{"application keys for personal accounts", func(o *entra.Options) { o.Tenants, o.AppKeys = []string{entra.PersonalAccounts}, true }, []string{"Options.AppKeys:", "exactly one tenant"}},

	{"application keys beside personal accounts", func(o *entra.Options) {
		o.Tenants, o.AppKeys = []string{entratest.TenantID, entra.PersonalAccounts}, true
	}, []string{"Options.AppKeys:", "exactly one tenant", "found 1 and PersonalAccounts"}},

	{"a skew of some nanoseconds", func(o *entra.Options) { o.ClockSkew = 120 }, []string{"Options.ClockSkew:", "120ns", "2*time.Minute"}},
	{"a skew of more than an hour", func(o *entra.Options) { o.ClockSkew = time.Hour + 1 }, []string{"Options.ClockSkew:", "1h0m0"}},
	{"a distrusted key without an ID", func(o *entra.Options) { o.DistrustedKeys = []string{"k", ""} }, []string{"Options.DistrustedKeys[1]:", "is blank", "kid"}},
	{"a distrusted key of white space", func(o *entra.Options) { o.DistrustedKeys = []string{" \t\u00a0"} }, []string{"Options.DistrustedKeys[0]:", "is blank"}},
	{"a distrusted key with a line break", func(o *entra.Options) { o.DistrustedKeys = []string{"k\n"} }, []string{"Options.DistrustedKeys[0]:", "white space around it", "compared exactly"}},
	{"a cache without a folder", func(o *entra.Options) { o.KeyCache = entra.DirCache("") }, []string{"Options.KeyCache:", "without a folder"}},
	{"a negative token size", func(o *entra.Options) { o.MaxTokenSize = -1 }, []string{"Options.MaxTokenSize:", "-1 is negative", "bytes"}},

	{"an authority over http", authorityOption("http://contoso.ciamlogin.com/x/v2.0"), []string{"Options.Authority:", "is no https URL"}},
	{"an authority without scheme", authorityOption("contoso.ciamlogin.com/x/v2.0"), []string{"Options.Authority:", "is no https URL"}},
	{"an authority without host", authorityOption("https:///x/v2.0"), []string{"Options.Authority:", "names no host"}},
	{"a text that is no URL as authority", authorityOption("https://contoso ciamlogin.com"), []string{"Options.Authority:", "is no URL"}},
	{"an authority with user info", authorityOption("https://admin:secret@contoso.ciamlogin.com/x/v2.0"), []string{"Options.Authority:", "user information", "@"}},
	{"an authority with a query", authorityOption("https://contoso.b2clogin.com/x/v2.0?p=B2C_1_SignIn"), []string{"Options.Authority:", "holds a query", "policy belongs into the path"}},
	{"an authority with an empty query", authorityOption("https://contoso.b2clogin.com/x/v2.0?"), []string{"Options.Authority:", "holds a query"}},
	{"an authority with an empty fragment", authorityOption("https://contoso.b2clogin.com/x/v2.0#"), []string{"Options.Authority:", "holds a fragment"}},
	{"an authority with a blank behind it", authorityOption(testbed.ExternalID + " "), []string{"Options.Authority:", "holds white space"}},
	{"an authority with a placeholder", authorityOption("https://contoso.ciamlogin.com/<tenant ID>/v2.0"), []string{"Options.Authority:", "holds a placeholder"}},
	{"an authority with a template", authorityOption("https://contoso.ciamlogin.com/{tenantid}/v2.0"), []string{"Options.Authority:", "holds a placeholder"}},
	{"an authority without a directory", authorityOption("https://contoso.ciamlogin.com/"), []string{"Options.Authority:", "names no directory"}},
	{"an authority for personal accounts", func(o *entra.Options) { o.Authority, o.Tenants = testbed.B2C, []string{entra.PersonalAccounts} }, []string{"Options.Tenants:", "PersonalAccounts have no Authority"}},
	{"an authority for another tenant", func(o *entra.Options) { o.Authority, o.Tenants = testbed.ExternalID, []string{entratest.OtherTenantID} }, []string{"Options.Tenants:", "another directory than Authority", entratest.TenantID}},
	{"an authority with a fragment", authorityOption("https://contoso.b2clogin.com/x/v2.0#top"), []string{"Options.Authority:", "holds a fragment"}},
	{"an authority with the metadata's path", authorityOption(testbed.ExternalID + testbed.MetadataPath), []string{"Options.Authority:", "leave that out"}},
	{"Microsoft's own host as authority", authorityOption("https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"), []string{"Options.Authority:", "Microsoft's own login host", "use Tenants"}},
	{"an old alias as authority", authorityOption("https://LOGIN.windows.net./common"), []string{"Options.Authority:", "Microsoft's own login host"}},
	{"Microsoft's own host with its port as authority", authorityOption("https://login.microsoftonline.us:443/common/v2.0"), []string{"Options.Authority:", "Microsoft's own login host"}},
	{"both authority and cloud", func(o *entra.Options) { o.Authority, o.Cloud = testbed.ExternalID, entra.China }, []string{"Options.Authority:", "excludes Cloud"}},
	{"both authority and any tenant", func(o *entra.Options) { o.Tenants, o.Authority, o.AllowAnyTenant = nil, testbed.ExternalID, true }, []string{"Options.Authority:", "excludes AllowAnyTenant"}},
	{"an authority for several tenants", func(o *entra.Options) {
		o.Authority, o.Tenants = testbed.ExternalID, []string{entratest.TenantID, entratest.OtherTenantID}
	}, []string{"Options.Tenants:", "an Authority has one"}},

	{"a resource over http", func(o *entra.Options) { o.Resource = "http://api.contoso.example" }, []string{"Options.Resource:", "is no https URL", "loopback"}},
	{"a bare name as resource", func(o *entra.Options) { o.Resource = "orders" }, []string{"Options.Resource:", "names no host", "https URL"}},
	{"an Application ID URI as resource", func(o *entra.Options) { o.Resource = "api://orders" }, []string{"Options.Resource:", "is no https URL"}},
	{"a resource with user info", func(o *entra.Options) { o.Resource = "https://a@api.contoso.example" }, []string{"Options.Resource:", "user information"}},
	{"a resource with a blank behind it", func(o *entra.Options) { o.Resource = "https://api.contoso.example/orders " }, []string{"Options.Resource:", "holds white space"}},
	{"a resource with a fragment", func(o *entra.Options) { o.Resource = "https://api.contoso.example/#" }, []string{"Options.Resource:", "holds a fragment"}},
	{"a text that is no URL as resource", func(o *entra.Options) { o.Resource = "https://api contoso.example" }, []string{"Options.Resource:", "is no URL"}},
	{"scopes without resource", func(o *entra.Options) { o.ResourceScopes = []string{"api://orders/Orders.Read"} }, []string{"Options.ResourceScopes:", "without Resource"}},
	{"two scopes in one", func(o *entra.Options) {
		o.Resource, o.ResourceScopes = "https://api.contoso.example", []string{"a/b", "a/b a/c"}
	}, []string{"Options.ResourceScopes[1]:", "is no scope"}},
	{"an empty scope", func(o *entra.Options) { o.Resource, o.ResourceScopes = "https://api.contoso.example", []string{""} }, []string{"Options.ResourceScopes[0]:", "is no scope"}},
	{"offline_access among the scopes", func(o *entra.Options) {
		o.Resource, o.ResourceScopes = "https://api.contoso.example/mcp", []string{"https://api.contoso.example/mcp/Orders.Read", "offline_access"}
	}, []string{"Options.ResourceScopes[1]:", `"offline_access"`, "leave it out"}},
	{"offline_access as a full scope, in other letters", func(o *entra.Options) {
		o.Resource, o.ResourceScopes = "https://api.contoso.example/mcp", []string{"https://graph.microsoft.com/Offline_Access"}
	}, []string{"Options.ResourceScopes[0]:", "Offline_Access", "leave it out"}},

	{"authorization servers without resource", func(o *entra.Options) { o.AuthorizationServers = []string{"https://api.contoso.example/mcp"} },
		[]string{"Options.AuthorizationServers:", "without Resource", "set Resource"}},
	{"an authorization server over http", serversOption("https://api.contoso.example/mcp", "http://api.contoso.example/mcp"),
		[]string{"Options.AuthorizationServers[1]:", `"http://api.contoso.example/mcp"`, "is no https URL", "loopback"}},
	{"an empty authorization server", serversOption(""), []string{"Options.AuthorizationServers[0]:", "is empty", "https://"}},
	{"a bare name as authorization server", serversOption("contoso"), []string{"Options.AuthorizationServers[0]:", "names no host", "https URL"}},
	{"an authorization server with a fragment", serversOption("https://api.contoso.example/mcp#"), []string{"Options.AuthorizationServers[0]:", "holds a fragment"}},
	{"an authorization server with a query", serversOption("https://api.contoso.example/mcp?"), []string{"Options.AuthorizationServers[0]:", "holds a query"}},
	{"an authorization server with user info", serversOption("https://a@api.contoso.example"), []string{"Options.AuthorizationServers[0]:", "user information"}},
	{"Entra's template as authorization server", serversOption("https://login.microsoftonline.com/{tenantid}/v2.0"), []string{"Options.AuthorizationServers[0]:", "{tenantid}", "holds a placeholder", "AuthorizationServerMetadata"}},
	{"the address of metadata as authorization server", serversOption("https://api.contoso.example/.well-known/oauth-authorization-server/mcp"), []string{"Options.AuthorizationServers[0]:", "is where metadata is", "issuer"}},
	{"an authorization server with a blank before it", serversOption(" https://api.contoso.example"), []string{"Options.AuthorizationServers[0]:", "is no URL"}},
	{"an authorization server with a blank behind it", serversOption("https://api.contoso.example/ "), []string{"Options.AuthorizationServers[0]:", "holds white space"}},
}

func serversOption(servers ...string) func(*entra.Options) {
	return func(o *entra.Options) {
		o.Resource, o.AuthorizationServers = "https://api.contoso.example/mcp", servers
	}
}

func anyTenantOption(audience string) func(*entra.Options) {
	return func(o *entra.Options) { o.Tenants, o.AllowAnyTenant, o.Audiences = nil, true, []string{audience} }
}

func authorityOption(url string) func(*entra.Options) {
	return func(o *entra.Options) { o.Tenants, o.Authority = nil, url }
}

func goodOptions() entra.Options {
	return entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID}
}

func TestOptionsMistakes(t *testing.T) {
	for _, test := range optionsMistakes {
		t.Run(test.name, func(t *testing.T) {
			options := goodOptions()
			test.change(&options)
			verifier, err := entra.NewVerifier(options)
			if err == nil || verifier != nil {
				t.Fatalf("got %v and error %v, want no Verifier and an error", verifier, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want a text that says %q", err, want)
				}
			}
			if len(err.Error()) > 500 {
				t.Errorf("got an error of %d bytes, want it short: %q", len(err.Error()), err)
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "entra: Options.") {
					t.Errorf("got the line %q, want it to name its field", line)
				}
			}
		})
	}
}

func TestOptionsMistakesAreReportedAtOnce(t *testing.T) {
	_, err := entra.NewVerifier(entra.Options{
		Tenants:        []string{"contoso.onmicrosoft.com", entratest.TenantID, entratest.OtherTenantID, " "},
		AllowAnyTenant: true,
		ClientID:       "sample",
		Audiences:      []string{"api://orders", ""},
		Cloud:          9,
		Authority:      "http://contoso.ciamlogin.com",
		AppKeys:        true,
		AllowIDTokens:  true,
		ClockSkew:      5,
		MaxTokenSize:   -1,
		Resource:       "orders",
		DistrustedKeys: []string{""},
		ResourceScopes: []string{"a b"},

		AuthorizationServers: []string{"http://api.contoso.example"},
	})
	if err == nil {
		t.Fatal("got no error, want one")
	}
	want := []string{
		"Tenants[0]", "Tenants[3]", "Tenants", "Cloud", "ClientID", "AppKeys",
		"Audiences[0]", "Audiences[1]", "ClockSkew", "Authority", "Authority", "Authority", "DistrustedKeys[0]", "MaxTokenSize",
		"ResourceScopes[0]", "AuthorizationServers[0]", "Resource",
	}
	var got []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		field, _, _ := strings.Cut(strings.TrimPrefix(line, "entra: Options."), ":")
		got = append(got, field)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got the fields\n%q, want\n%q\nin %v", got, want, err)
	}
}

func TestOptionsThatAreGood(t *testing.T) {
	tests := map[string]func(*entra.Options){
		"nothing more": func(*entra.Options) {},
		"upper case": func(o *entra.Options) {
			o.Tenants, o.ClientID = []string{"ABCDEFAB-1111-4111-8111-111111111111"}, strings.ToUpper(o.ClientID)
		},
		"an audience alone": func(o *entra.Options) { o.ClientID, o.Audiences = "", []string{"api://orders"} },
		"any tenant":        func(o *entra.Options) { o.Tenants, o.AllowAnyTenant = nil, true },
		"any tenant and audiences": func(o *entra.Options) {
			o.Tenants, o.AllowAnyTenant, o.Audiences = nil, true, []string{entratest.APIURI + "/orders", "api://" + entratest.TenantID + "/" + strings.ToUpper(entratest.APIClientID), "https://api.contoso.example"}
		},
		"any tenant and personal":      func(o *entra.Options) { o.Tenants, o.AllowAnyTenant = []string{entra.PersonalAccounts}, true },
		"an authority and one tenant":  func(o *entra.Options) { o.Authority = testbed.ExternalID },
		"an authority on another port": authorityOption("https://login.contoso.example:8443/" + entratest.TenantID + "/v2.0"),
		"no skew":                      func(o *entra.Options) { o.ClockSkew = -1 },
		"the least skew":               func(o *entra.Options) { o.ClockSkew = time.Second },
		"the largest skew":             func(o *entra.Options) { o.ClockSkew = time.Hour },
		"no memory":                    func(o *entra.Options) { o.CacheSize = -1 },
		"a resource on localhost":      func(o *entra.Options) { o.Resource = "http://localhost:8080/orders" },
		"a resource on loopback IPv4":  func(o *entra.Options) { o.Resource = "http://127.1.2.3:8080" },
		"a resource on loopback IPv6":  func(o *entra.Options) { o.Resource = "http://[::1]:8080" },
		"authorization servers, of any path and on a loopback host": func(o *entra.Options) {
			o.Resource = "http://localhost:8080/mcp"
			o.AuthorizationServers = []string{"http://localhost:8080/mcp", "https://login.microsoftonline.com/common/v2.0", "https://proxy.contoso.example", "http://[::1]/"}
		},
		"application keys of one tenant": func(o *entra.Options) { o.AppKeys = true },
	}
	for name, change := range tests {
		options := goodOptions()
		change(&options)
		if _, err := entra.NewVerifier(options); err != nil {
			t.Errorf("%s: got %v, want no error", name, err)
		}
	}
}

func TestOptionsAreCopied(t *testing.T) {
	tenant := entratest.New(t)
	options := entra.Options{
		Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, Audiences: []string{"api://orders"},
		HTTPClient: tenant.Client(), Logger: testbed.Discard(),
	}
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatalf("NewVerifier: got %v, want no error", err)
	}
	options.Tenants[0], options.Audiences[0] = entratest.OtherTenantID, "api://stolen"
	if _, err := verifier.Verify(t.Context(), tenant.Token(entratest.V1(), entratest.Audience("api://orders"))); err != nil {
		t.Errorf("the tenant and audience that were given: got %v, want no error", err)
	}
	if _, err := verifier.Verify(t.Context(), tenant.Token(entratest.Tenant(entratest.OtherTenantID))); entra.ReasonOf(err) != entra.ReasonTenant {
		t.Errorf("a tenant written in later: got reason %q (%v), want tenant", entra.ReasonOf(err), err)
	}
	if _, err := verifier.Verify(t.Context(), tenant.Token(entratest.Audience("api://stolen"))); entra.ReasonOf(err) != entra.ReasonAudience {
		t.Errorf("an audience written in later: got reason %q (%v), want audience", entra.ReasonOf(err), err)
	}
}

// TestAudiencesThatNameNothing gives audiences in which a variable was not set.
func TestAudiencesThatNameNothing(t *testing.T) {
	for _, audience := range []string{"/", "//", "api://", "https://", "api:"} {
		_, err := entra.NewVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, Audiences: []string{audience}})
		if err == nil || !strings.Contains(err.Error(), "Options.Audiences[0]") {
			t.Errorf("%q: got %v, want an error that names Options.Audiences[0]", audience, err)
		}
	}
}

// An Application ID URI of the API's own, which tokens of version 1.0 name as their audience.
func ExampleOptions_audiences() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		Audiences:  []string{"https://contoso.example/orders"},
		HTTPClient: tenant.Client(),
	})
	show(verifier, "the URI", tenant.Token(entratest.V1(), entratest.Audience("https://contoso.example/orders")))
	show(verifier, "with a slash at the end", tenant.Token(entratest.V1(), entratest.Audience("https://contoso.example/orders/")))
	show(verifier, "another API of the tenant", tenant.Token(entratest.V1(), entratest.Audience("https://contoso.example/stock")))
	// Output:
	// the URI: user token of tenant 11111111-1111-4111-8111-111111111111
	// with a slash at the end: user token of tenant 11111111-1111-4111-8111-111111111111
	// another API of the tenant: refused, audience
}

// The clocks of Entra and of this machine may be a minute apart by default.
func ExampleOptions_clockSkew() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	late := tenant.Token(entratest.IssuedAt(time.Now().Add(-2*time.Hour)), entratest.Lifetime(2*time.Hour-90*time.Second))
	for _, skew := range []time.Duration{0, 5 * time.Minute} {
		verifier := mustVerifier(entra.Options{
			Tenants:    []string{entratest.TenantID},
			ClientID:   entratest.APIClientID,
			ClockSkew:  skew,
			HTTPClient: tenant.Client(),
		})
		show(verifier, fmt.Sprint("expired 90 seconds ago, ClockSkew ", skew), late)
	}
	// Output:
	// expired 90 seconds ago, ClockSkew 0s: refused, expired
	// expired 90 seconds ago, ClockSkew 5m0s: user token of tenant 11111111-1111-4111-8111-111111111111
}

// A token with hundreds of groups is larger than 16 KiB.
func ExampleOptions_maxTokenSize() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	groups := make([]string, 400)
	for i := range groups {
		groups[i] = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
	}
	large := tenant.Token(entratest.Groups(groups...))
	for _, size := range []int{0, 32 << 10} {
		verifier := mustVerifier(entra.Options{
			Tenants:      []string{entratest.TenantID},
			ClientID:     entratest.APIClientID,
			MaxTokenSize: size,
			HTTPClient:   tenant.Client(),
		})
		show(verifier, fmt.Sprint("MaxTokenSize ", size), large)
	}
	// Output:
	// MaxTokenSize 0: refused, too_large
	// MaxTokenSize 32768: user token of tenant 11111111-1111-4111-8111-111111111111
}

// A token that was verified once is remembered. Where memory is scarce or no client sends its token twice, a negative
// size switches that off.
func ExampleOptions_cacheSize() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	token := tenant.Token()
	for _, size := range []int{0, -1} {
		verifier := mustVerifier(entra.Options{
			Tenants:    []string{entratest.TenantID},
			ClientID:   entratest.APIClientID,
			CacheSize:  size,
			HTTPClient: tenant.Client(),
		})
		for range 3 {
			if _, err := verifier.Verify(context.Background(), token); err != nil {
				fmt.Println(err)
			}
		}
		stats := verifier.Stats()
		fmt.Printf("CacheSize %d: %d accepted, %d of them without a signature check\n", size, stats.Verified, stats.Remembered)
	}
	// Output:
	// CacheSize 0: 3 accepted, 2 of them without a signature check
	// CacheSize -1: 3 accepted, 0 of them without a signature check
}

// A body of the API's own in place of the problem document. Challenge and other headers are set already.
func ExampleOptions_errorHandler() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Tenants:  []string{entratest.TenantID},
		ClientID: entratest.APIClientID,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(entra.StatusCode(err))
			fmt.Fprint(w, "refused: ", entra.ReasonOf(err)) // never err's own text
		},
		HTTPClient: tenant.Client(),
	})
	answer := request(verifier.Authenticate(http.NotFoundHandler()), "/", tenant.Token(entratest.Expired()))
	fmt.Println(answer.Code, answer.Body)
	fmt.Println(strings.Contains(answer.Header().Get("WWW-Authenticate"), `error="invalid_token"`))
	// Output:
	// 401 refused: expired
	// true
}
