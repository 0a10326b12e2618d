package directory_test

import (
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest/internal/directory"
)

const (
	home  = "11111111-1111-4111-8111-111111111111"
	other = "22222222-2222-4222-8222-222222222222"
	ciam  = "https://contoso.ciamlogin.com/" + home + "/v2.0"
	b2c   = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0"
)

func tenant(t *testing.T, cloud int, authority string) *directory.Tenant {
	t.Helper()
	a, err := directory.ParseAuthority(authority)
	if err != nil {
		t.Fatal(err)
	}
	return &directory.Tenant{
		ID:        home,
		Domain:    "Contoso.example",
		Others:    []directory.Name{{ID: other, Domain: "fabrikam.example"}},
		Cloud:     directory.Clouds()[cloud],
		Authority: a,
		Users: []directory.User{
			{ObjectID: "a", TenantID: home, Username: "alice@contoso.example"},
			{ObjectID: "p", TenantID: directory.PersonalTenantID, Username: "pat@outlook.example"},
		},
	}
}

func TestServiceOfAHost(t *testing.T) {
	for _, row := range []struct {
		name, authority, host string
		cloud                 int
		want                  directory.Service
	}{
		{"the login host", "", "login.microsoftonline.com", 0, directory.Login},
		{"an alias", "", "sts.windows.net", 0, directory.Login},
		{"Graph", "", "graph.microsoft.com", 0, directory.Graph},
		{"another cloud's login host", "", "login.microsoftonline.us", 0, directory.NoService},
		{"the cloud's own login host", "", "login.microsoftonline.us", 1, directory.Login},
		{"a subdomain", "", "x.login.microsoftonline.com", 0, directory.NoService},
		{"nothing", "", "", 0, directory.NoService},
		{"External ID", ciam, "contoso.ciamlogin.com", 0, directory.Login},
		{"External ID, by its tenant", ciam, home + ".ciamlogin.com", 0, directory.Login},
		{"External ID of somebody else", ciam, other + ".ciamlogin.com", 0, directory.NoService},
		{"Entra's host, beside External ID", ciam, "login.microsoftonline.com", 0, directory.Discovery},
		{"B2C", b2c, "contoso.b2clogin.com", 0, directory.Login},
	} {
		d := tenant(t, row.cloud, row.authority)
		if got := d.Service(row.host); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
		for _, host := range d.Hosts() {
			if d.Service(host) == directory.NoService {
				t.Errorf("%s: Hosts names %s, where nothing answers", row.name, host)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	for _, row := range []struct {
		name, authority, segment, want string
		cloud                          int
	}{
		{"the directory ID", "", home, home, 0},
		{"in capitals", "", strings.ToUpper(home), home, 0},
		{"the domain name", "", "contoso.EXAMPLE", home, 0},
		{"another tenant", "", "fabrikam.example", other, 0},
		{"consumers", "", "consumers", directory.PersonalTenantID, 0},
		{"consumers in another cloud", "", "consumers", "", 1},
		{"consumers at External ID", ciam, "consumers", "", 0},
		{"a stranger", "", "unknown.example", "", 0},
		{"nothing", "", "", "", 0},
	} {
		got, ok := tenant(t, row.cloud, row.authority).Resolve(row.segment)
		if got != row.want || ok != (row.want != "") {
			t.Errorf("%s: got %q, %v; want %q", row.name, got, ok, row.want)
		}
	}
}

func TestCandidates(t *testing.T) {
	d := tenant(t, 0, "")
	for segment, want := range map[string]string{
		"common": "ap", "organizations": "a", "consumers": "p", home: "a", "contoso.example": "a", other: "", "unknown.example": "",
	} {
		got := ""
		for _, u := range d.Candidates(segment) {
			got += u.ObjectID
		}
		if got != want {
			t.Errorf("%s: got users %q, want %q", segment, got, want)
		}
	}
}

func TestDerivedIdentifiersDifferByEveryPart(t *testing.T) {
	seen := map[string]bool{}
	for _, parts := range [][]string{{"a", "bc"}, {"ab", "c"}, {"abc"}, {"a", "bc", ""}} {
		id := directory.DerivedGUID(parts...)
		if !directory.IsGUID(id) || seen[id] || id != directory.DerivedGUID(parts...) {
			t.Errorf("%q: got %s, want a GUID of its own, always the same", parts, id)
		}
		seen[id] = true
	}
	if directory.Pairwise("user", "one") == directory.Pairwise("user", "other") {
		t.Error("two applications get one subject")
	}
}
