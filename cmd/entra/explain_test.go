package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// sent is a request and the API that it is sent to, once as flags and once as options.
type sent struct {
	name          string
	authorization string
	flags         []string
	options       func(*entra.Options)
	require       entra.Requirement
	reason        entra.Reason
	network       func(*testing.T, *entratest.Server) http.RoundTripper
}

const (
	theirTenant    = "33333333-3333-4333-8333-333333333333"
	theirAuthority = "https://contoso.ciamlogin.com/" + theirTenant + "/v2.0"
)

// corpus holds requests that are refused for each reason that a request can be refused for, and some that are accepted.
func corpus(tenant, theirs *entratest.Server) []sent {
	token := func(options ...entratest.TokenOption) string { return "Bearer " + tenant.Token(options...) }
	expiry := func(d time.Duration) entratest.TokenOption {
		return entratest.Claim("exp", float64(time.Now().Add(d).UnixMilli())/1000)
	}
	earlier := entratest.IssuedAt(time.Now().Add(-time.Hour))
	rows := []sent{
		{name: "a user's token", authorization: token()},
		{name: "a version 1.0 token", authorization: token(entratest.V1())},
		{name: "an application's token", authorization: token(entratest.App("Orders.Read.All"))},
		{name: "a token with the scheme in capitals", authorization: strings.Replace(token(), "Bearer", "BEARER", 1)},
		{name: "no bearer token", authorization: "Basic dXNlcjpwYXNz", reason: entra.ReasonNoToken},
		{name: "two tokens", authorization: "Bearer one two", reason: entra.ReasonInvalidRequest},
		{name: "no token", authorization: "Bearer opaque", reason: entra.ReasonMalformed},
		{name: "a header that is no base64url", authorization: "Bearer a." + strings.SplitN(token(), ".", 2)[1], reason: entra.ReasonMalformed},
		{name: "a signature that is not canonical", authorization: notCanonical(token()), reason: entra.ReasonMalformed},
		{name: "a token that is too long", authorization: token(entratest.Claim("more", strings.Repeat("x", 20_000))), reason: entra.ReasonTooLarge},
		{name: "a limit of the API's own", authorization: token(), flags: []string{"-max-token-size", "100"}, options: func(o *entra.Options) { o.MaxTokenSize = 100 }, reason: entra.ReasonTooLarge},
		{name: "an encrypted token", authorization: token() + ".a.b", reason: entra.ReasonEncrypted},
		{name: "another algorithm", authorization: token(entratest.Header("alg", "HS256")), reason: entra.ReasonAlgorithm},
		{name: "a critical header", authorization: token(entratest.Header("crit", []string{"exp"})), reason: entra.ReasonHeader},
		{name: "no key ID", authorization: token(entratest.WithoutHeader("kid")), reason: entra.ReasonHeader},
		{name: "a token for Graph", authorization: token(entratest.Graph()), reason: entra.ReasonMicrosoftAPIToken},
		{name: "a token signed by nobody known", authorization: token(entratest.SignedBy(tenant.UnknownKey())), reason: entra.ReasonUnknownKey},
		{name: "a token of a distrusted key", authorization: token(), flags: []string{"-distrusted-key", tenant.Key().ID()}, options: func(o *entra.Options) { o.DistrustedKeys = []string{tenant.Key().ID()} }, reason: entra.ReasonDistrustedKey},
		{name: "a key of another cloud", authorization: token(entratest.SignedBy(otherCloudKey(tenant))), reason: entra.ReasonKeyIssuer},
		{name: "a token that was changed", authorization: spliced(token(), token(entratest.Scopes("Everything"))), reason: entra.ReasonSignature},
		{name: "claims twice", authorization: token(entratest.RawPayload([]byte(`{"aud":"a","aud":"b"}`))), reason: entra.ReasonClaims},
		{name: "no exp", authorization: token(entratest.Without("exp")), reason: entra.ReasonClaims},
		{name: "nbf after exp", authorization: token(entratest.Claim("nbf", time.Now().Add(50*time.Second).Unix()), expiry(20*time.Second)), reason: entra.ReasonClaims},
		{name: "an expired token", authorization: token(entratest.Expired()), reason: entra.ReasonExpired},
		{name: "an expired token for another API", authorization: token(entratest.Expired(), entratest.Audience("api://payroll")), reason: entra.ReasonExpired},
		{name: "a fraction of a second", authorization: token(expiry(90 * time.Minute))},
		{name: "a date as an exponent", authorization: token(entratest.Claim("nbf", json.Number("1e3")))},
		{name: "a token of the future", authorization: token(entratest.NotYetValid()), reason: entra.ReasonNotYetValid},
		{name: "no clock skew", authorization: token(earlier, expiry(-30*time.Second)), flags: []string{"-clock-skew", "-1s"}, options: func(o *entra.Options) { o.ClockSkew = -1 }, reason: entra.ReasonExpired},
		{name: "a clock skew", authorization: token(earlier, expiry(-30*time.Second))},
		{name: "another issuer", authorization: token(entratest.Claim("iss", "https://login.example/")), reason: entra.ReasonIssuer},
		{name: "another cloud", authorization: token(), flags: []string{"-cloud", "china"}, options: func(o *entra.Options) { o.Cloud = entra.China }, reason: entra.ReasonKeysUnavailable},
		{name: "another tenant", authorization: token(entratest.Tenant(entratest.OtherTenantID)), reason: entra.ReasonTenant},
		{name: "any tenant", authorization: token(entratest.Tenant(entratest.OtherTenantID)), flags: []string{"-any-tenant", "-tenant="}, options: func(o *entra.Options) { o.AllowAnyTenant, o.Tenants = true, nil }},
		{name: "another version", authorization: token(entratest.Claim("ver", "1.0")), reason: entra.ReasonVersion},
		{name: "another API", authorization: token(entratest.Audience("api://payroll")), reason: entra.ReasonAudience},
		{name: "another name of the API", authorization: token(entratest.Audience("api://payroll")), flags: []string{"-audience", "api://payroll"}, options: func(o *entra.Options) { o.Audiences = []string{"api://payroll"} }},
		{name: "an ID token", authorization: token(entratest.IDToken()), reason: entra.ReasonIDToken},
		{name: "an ID token that is welcome", authorization: token(entratest.IDToken()), flags: []string{"-id-tokens"}, options: func(o *entra.Options) { o.AllowIDTokens = true }},
		{name: "a bound token", authorization: token(entratest.Bound()), reason: entra.ReasonBoundToken},
		{name: "an application without roles", authorization: token(entratest.App()), reason: entra.ReasonNoPermissions},
		{name: "an application that needs no roles", authorization: token(entratest.App()), flags: []string{"-without-permissions"}, options: func(o *entra.Options) { o.AllowWithoutPermissions = true }},
		{name: "a scope that is there", authorization: token(), flags: []string{"-scope", "Orders.Read"}, require: entra.Scope("Orders.Read")},
		{name: "a scope that is missing", authorization: token(), flags: []string{"-scope", "Orders.Write"}, require: entra.Scope("Orders.Write"), reason: entra.ReasonScope},
		{name: "an application at a scope", authorization: token(entratest.App("Orders.Read.All")), flags: []string{"-scope", "Orders.Read"}, require: entra.Scope("Orders.Read"), reason: entra.ReasonScope},
		{name: "an application at either", authorization: token(entratest.App("Orders.Read.All")), flags: []string{"-scope", "Orders.Read", "-permission", "Orders.Read.All"}, require: entra.AnyOf(entra.Scope("Orders.Read"), entra.AppPermission("Orders.Read.All"))},
		{name: "a role that is missing", authorization: token(), flags: []string{"-role", "Orders.Owner"}, require: entra.Role("Orders.Owner"), reason: entra.ReasonRole},
		{name: "a permission that is missing", authorization: token(entratest.App("Orders.Read.All")), flags: []string{"-permission", "Orders.Write.All"}, require: entra.AppPermission("Orders.Write.All"), reason: entra.ReasonAppPermission},
		{name: "another client", authorization: token(), flags: []string{"-caller", entratest.SPAClientID}, require: entra.ClientIn(entratest.SPAClientID), reason: entra.ReasonClient},
		{name: "no person", authorization: token(entratest.App("Orders.Read.All")), flags: []string{"-human"}, require: entra.Human(), reason: entra.ReasonHuman},
		{name: "no authentication context", authorization: token(), flags: []string{"-auth-context", "c1"}, require: entra.AuthContext("c1"), reason: entra.ReasonAuthContext},
		{name: "no authentication context at a client that steps up", authorization: token(entratest.Capabilities("cp1")), flags: []string{"-auth-context", "c1"}, require: entra.AuthContext("c1"), reason: entra.ReasonAuthContext},
		{name: "Entra is away", authorization: token(), network: func(*testing.T, *entratest.Server) http.RoundTripper { return away{} }, reason: entra.ReasonKeysUnavailable},
	}
	atAuthority := func(name, token string, reason entra.Reason) sent {
		return sent{
			name: name, authorization: "Bearer " + token, reason: reason,
			flags:   []string{"-authority", theirAuthority, "-tenant="},
			options: func(o *entra.Options) { o.Authority, o.Tenants = theirAuthority, nil },
			network: func(*testing.T, *entratest.Server) http.RoundTripper { return theirs.Transport() },
		}
	}
	return append(rows,
		atAuthority("External ID", theirs.Token(), ""),
		atAuthority("External ID, another API", theirs.Token(entratest.Audience("api://payroll")), entra.ReasonAudience),
		atAuthority("a workforce token at External ID", tenant.Token(), entra.ReasonIssuer),
		atAuthority("a key that External ID does not know", theirs.Token(entratest.SignedBy(tenant.UnknownKey())), entra.ReasonUnknownKey),
	)
}

// away is a network without Entra.
type away struct{}

func (away) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route to host")
}

var strange = sync.OnceValue(entratest.NewKey)

// otherCloudKey returns a key that the tenant's document lists for the US Government's cloud.
func otherCloudKey(tenant *entratest.Server) *entratest.Key {
	key := strange().With("cloud_instance_name", "microsoftonline.us")
	tenant.Publish(key)
	return key
}

func spliced(one, other string) string {
	a, b := strings.Split(one, "."), strings.Split(other, ".")
	return a[0] + "." + b[1] + "." + a[2]
}

// notCanonical sets bits of the signature's last character that decoding drops.
func notCanonical(authorization string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(authorization) - 1
	return authorization[:last] + string(alphabet[strings.IndexByte(alphabet, authorization[last])|1])
}

// answered is what package entra itself answers to a request.
type answered struct {
	Status    int
	Reason    entra.Reason
	Text      string
	Challenge string
}

func (row sent) library(t *testing.T, tenant *entratest.Server) (got answered) {
	t.Helper()
	options := entra.Options{
		Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, Logger: slog.New(slog.DiscardHandler),
		HTTPClient: &http.Client{Transport: row.transport(t, tenant)},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) {
			got.Reason, got.Text = entra.ReasonOf(err), err.Error()
		},
	}
	if row.options != nil {
		row.options(&options)
	}
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	if row.require != nil {
		handler = entra.Require(row.require)(handler)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", row.authorization)
	w := httptest.NewRecorder()
	verifier.Authenticate(handler).ServeHTTP(w, r)
	got.Status, got.Challenge = w.Code, w.Header().Get("WWW-Authenticate")
	return got
}

func (row sent) transport(t *testing.T, tenant *entratest.Server) http.RoundTripper {
	if row.network == nil {
		return tenant.Transport()
	}
	return row.network(t, tenant)
}

// explain runs the command on the request.
func (row sent) explain(t *testing.T, network http.RoundTripper, flags ...string) report {
	t.Helper()
	args := slices.Concat([]string{"explain", "-json"}, sample, row.flags, flags)
	if i := slices.Index(args, "-tenant="); i > 0 {
		args = slices.Delete(args, i, i+1)
		i = slices.Index(args, "-tenant")
		args = slices.Delete(args, i, i+2)
	}
	got := tool{args: args, stdin: "Authorization: " + row.authorization, network: network}.run(t)
	var r report
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
		t.Fatalf("got %+v, want JSON: %v", got, err)
	}
	if want := map[bool]int{true: good, false: bad}[r.Verdict.Accepted]; got.status != want {
		t.Errorf("got exit status %d for %+v, want %d", got.status, r.Verdict, want)
	}
	return r
}

func (v verdict) answered() answered { return answered{v.Status, v.Reason, v.Text, v.Challenge} }

// inBubble runs a test on the corpus, in virtual time.
func inBubble(t *testing.T, check func(*testing.T, *entratest.Server, []sent)) {
	synctest.Test(t, func(t *testing.T) {
		tenant, theirs := newTenants(t)
		check(t, tenant, corpus(tenant, theirs))
	})
}

func newTenants(t *testing.T) (tenant, theirs *entratest.Server) {
	return entratest.New(t), entratest.New(t, entratest.Config{Authority: theirAuthority})
}

func TestExplainAgreesWithTheLibrary(t *testing.T) {
	inBubble(t, func(t *testing.T, tenant *entratest.Server, rows []sent) {
		for _, row := range rows {
			want := row.library(t, tenant)
			if want.Reason != row.reason {
				t.Errorf("%s: the library: got %+v, want the reason %q", row.name, want, row.reason)
			}
			if got := row.explain(t, row.transport(t, tenant)).Verdict.answered(); got != want {
				t.Errorf("%s: got  %+v\nwant %+v", row.name, got, want)
			}
		}
	})
}

// The corpus has each reason that a request can be refused for.
func TestTheCorpusHasEachReason(t *testing.T) {
	ofPrograms := []entra.Reason{entra.ReasonInvalidToken, entra.ReasonForbidden, entra.ReasonInternal}
	missing := testbed.Reasons(t)
	for _, row := range corpus(newTenants(t)) {
		missing = slices.DeleteFunc(missing, func(r entra.Reason) bool { return r == row.reason })
	}
	missing = slices.DeleteFunc(missing, func(r entra.Reason) bool { return slices.Contains(ofPrograms, r) })
	if len(missing) > 0 {
		t.Errorf("got no row for the reasons %q", missing)
	}
}

// tellsKeys reports whether only the keys tell this reason.
func tellsKeys(reason entra.Reason) bool {
	return slices.Contains([]entra.Reason{entra.ReasonUnknownKey, entra.ReasonKeyIssuer, entra.ReasonSignature, entra.ReasonKeysUnavailable}, reason)
}

// Without a network the answer is the same, but for what only the keys or the metadata tell.
func TestOfflineAgreesWithTheLibraryButForTheKeys(t *testing.T) {
	inBubble(t, func(t *testing.T, tenant *entratest.Server, rows []sent) {
		for _, row := range rows {
			want := row.library(t, tenant)
			got := row.explain(t, noNetwork{t}, "-offline").Verdict
			if len(got.NotChecked) == 0 {
				t.Errorf("%s: got %+v, want what was not checked", row.name, got)
			}
			atAuthority := slices.Contains(row.flags, "-authority")
			if named := slices.ContainsFunc(got.NotChecked, func(s string) bool { return strings.Contains(s, "issuer") }); named != atAuthority {
				t.Errorf("%s: got %q, want the issuer there: %v", row.name, got.NotChecked, atAuthority)
			}
			switch {
			case tellsKeys(want.Reason):
				if tellsKeys(got.Reason) {
					t.Errorf("%s: got %+v, want a verdict on what follows the key", row.name, got)
				}
			case atAuthority && want.Reason == entra.ReasonIssuer:
			case got.answered() != want:
				t.Errorf("%s: got  %+v\nwant %+v", row.name, got.answered(), want)
			}
		}
	})
}

func TestAtAnotherTimeItAgreesWithTheLibraryAtThatTime(t *testing.T) {
	waits := []time.Duration{0, 31 * time.Second, 61 * time.Second, time.Hour, 2 * time.Hour, 100 * time.Hour}
	inBubble(t, func(t *testing.T, tenant *entratest.Server, rows []sent) {
		start := time.Now()
		ask := func(row sent, at time.Time, network http.RoundTripper, flags ...string) answered {
			return row.explain(t, network, append(flags, "-at", at.Format(time.RFC3339))...).Verdict.answered()
		}
		before, want := make(map[string]answered), make(map[string]answered)
		for _, wait := range waits {
			for _, row := range rows {
				before[row.name+wait.String()] = ask(row, start.Add(wait), row.transport(t, tenant))
			}
		}
		for _, wait := range waits {
			time.Sleep(time.Until(start.Add(wait)))
			for _, row := range rows {
				want[row.name+wait.String()] = row.library(t, tenant)
			}
		}
		time.Sleep(time.Hour)
		for _, wait := range waits {
			at := start.Add(wait)
			for _, row := range rows {
				name := row.name + wait.String()
				if got := before[name]; got != want[name] {
					t.Errorf("%s, %v later, asked before: got  %+v\nwant %+v", row.name, wait, got, want[name])
				}
				if got := ask(row, at, row.transport(t, tenant)); got != want[name] {
					t.Errorf("%s, %v later, asked after: got  %+v\nwant %+v", row.name, wait, got, want[name])
				}
				if tellsKeys(row.reason) || slices.Contains(row.flags, "-authority") {
					continue
				}
				if got := ask(row, at, noNetwork{t}, "-offline"); got != want[name] {
					t.Errorf("%s, %v later, offline: got  %+v\nwant %+v", row.name, wait, got, want[name])
				}
			}
		}
	})
}

func TestEachOptionThatDecidesHasAFlag(t *testing.T) {
	// These decide nothing about a token.
	others := []string{"CacheSize", "Resource", "ResourceScopes", "AuthorizationServers", "HTTPClient", "Logger", "ErrorHandler", "KeyCache"}
	got := apiFlags{
		tenants: list{"personal"}, audiences: list{"api://x"}, userFlows: list{"B2C_1_x"}, trusted: list{"t"}, distrusted: list{"k"}, client: "c", authority: "a", cloud: cloudFlag(entra.China),
		anyTenant: true, appKeys: true, idTokens: true, unassigned: true, clockSkew: 1, maxTokenSize: 1,
	}
	options := reflect.ValueOf(got.options())
	for i := range options.NumField() {
		if name := options.Type().Field(i).Name; options.Field(i).IsZero() && !slices.Contains(others, name) {
			t.Errorf("got no flag for Options.%s", name)
		}
	}
}

func TestWhatFollowsIsToldToo(t *testing.T) {
	tenant := entratest.New(t)
	stranger := entratest.SignedBy(tenant.UnknownKey())
	for _, row := range []struct {
		name, token string
		network     http.RoundTripper
		want        []entra.Reason
	}{
		{"an unknown key", tenant.Token(stranger), tenant.Transport(), []entra.Reason{"unknown_key", ""}},
		{"an unknown key and another API", tenant.Token(stranger, entratest.Audience("api://x")), tenant.Transport(), []entra.Reason{"unknown_key", "audience"}},
		{"an unknown key, old, another API", tenant.Token(stranger, entratest.Expired(), entratest.Audience("api://x")), tenant.Transport(), []entra.Reason{"unknown_key", "expired", "audience"}},
		{"old", tenant.Token(entratest.Expired()), tenant.Transport(), []entra.Reason{"expired", ""}},
		{"early and another API", tenant.Token(entratest.NotYetValid(), entratest.Audience("api://x")), tenant.Transport(), []entra.Reason{"not_yet_valid", "audience"}},
		{"no network and old", tenant.Token(entratest.Expired()), away{}, []entra.Reason{"keys_unavailable", "expired", ""}},
		{"good", tenant.Token(), tenant.Transport(), []entra.Reason{""}},
		{"another tenant, assumed to be signed well", tenant.Token(stranger, entratest.Tenant(entratest.OtherTenantID)), tenant.Transport(), []entra.Reason{"unknown_key", "tenant"}},
		{"changed", spliced(tenant.Token(), tenant.Token(entratest.App())), tenant.Transport(), []entra.Reason{"signature"}},
		{"old, without dates of its beginning", tenant.Token(entratest.Expired(), entratest.Without("nbf", "iat")), tenant.Transport(), []entra.Reason{"expired"}},
	} {
		r := sent{authorization: "Bearer " + row.token}.explain(t, row.network)
		got := []entra.Reason{r.Verdict.Reason}
		for _, v := range r.Otherwise {
			got = append(got, v.Reason)
			if len(v.Assuming) == 0 {
				t.Errorf("%s: got %+v, want what it assumes", row.name, v)
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

// Without Entra's keys, a token of another issuer gets the hint that package entra gives where its key is not known.
func TestOfflineNamesOtherIssuers(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name, issuer string
		without      []string
		want         string
	}{
		{"GitHub Actions", "https://token.actions.githubusercontent.com", []string{"tid", "ver"}, "GitHub Actions"},
		{"the Bot Framework", "https://api.botframework.com", []string{"tid", "ver"}, "Bot Framework"},
		{"another cloud", "https://login.microsoftonline.us/" + entratest.TenantID + "/v2.0", nil, "USGovernment"},
	} {
		token := tenant.Token(entratest.Claim("iss", row.issuer), entratest.Without(row.without...))
		r := sent{authorization: "Bearer " + token}.explain(t, noNetwork{t}, "-offline")
		if len(r.Otherwise) != 1 || r.Otherwise[0].Reason != entra.ReasonUnknownKey || !strings.Contains(r.Otherwise[0].Text, row.want) {
			t.Errorf("%s: got %+v, want what is said of an unknown key, with %s in it", row.name, r.Otherwise, row.want)
		}
	}
}

func TestTheInputMayBeATokenOrAHeader(t *testing.T) {
	tenant := entratest.New(t)
	good := tenant.Token()
	for name, row := range map[string]struct {
		stdin  string
		reason entra.Reason
	}{
		"a token":                      {good, ""},
		"white space around it":        {" \t" + good + "\r\n\n", ""},
		"line breaks of a copy":        {good[:80] + "\n" + good[80:160] + "\r\n" + good[160:], ""},
		"with its scheme":              {"bearer " + good, ""},
		"a header":                     {"authorization:Bearer " + good + "\n", ""},
		"a header without its scheme":  {"Authorization: " + good, entra.ReasonNoToken},
		"the scheme twice":             {"Authorization: Bearer Bearer " + good, entra.ReasonInvalidRequest},
		"quotes that a client sends":   {`Authorization: Bearer "` + good + `"`, entra.ReasonInvalidRequest},
		"two headers":                  {"Authorization: Bearer " + good + "\nAuthorization: Bearer " + good, entra.ReasonInvalidRequest},
		"undefined":                    {"undefined", entra.ReasonMalformed},
		"what a script makes of it":    {"[object Object]", entra.ReasonInvalidRequest},
		"an empty header":              {"Authorization:", entra.ReasonInvalidRequest},
		"an empty token":               {"Authorization: Bearer ", entra.ReasonInvalidRequest},
		"bytes that are no characters": {"\xff\x00\x1b[31m", entra.ReasonInvalidRequest},
	} {
		got := tool{args: slices.Concat([]string{"explain", "-json"}, sample), stdin: row.stdin, network: tenant.Transport()}.run(t)
		var r report
		if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
			t.Errorf("%s: got %+v, want JSON: %v", name, got, err)
		} else if r.Verdict.Reason != row.reason {
			t.Errorf("%s: got %+v, want the reason %q", name, r.Verdict, row.reason)
		}
	}
}

func TestMisuseIsSaid(t *testing.T) {
	token := entratest.New(t).Token()
	for _, row := range []struct {
		name  string
		args  []string
		env   map[string]string
		stdin string
		want  string
	}{
		{"no options", nil, nil, token, "Tenants"},
		{"a domain name", []string{"-tenant", "contoso.com", "-client", entratest.APIClientID}, nil, token, "entra doctor -tenant contoso.com"},
		{"a client that is no GUID", []string{"-tenant", entratest.TenantID, "-client", "orders"}, nil, token, "ClientID"},
		{"no token", sample, nil, " \n", "standard input"},
		{"too much", sample, nil, strings.Repeat("x", longestToken+1), "1 MiB"},
		{"no time", append([]string{"-at", "yesterday"}, sample...), nil, token, "2026-11-26T09:30:00Z"},
		{"a time of another age", append([]string{"-at", "1066-10-14T09:00:00Z"}, sample...), nil, token, "40 years"},
		{"no cloud", append([]string{"-cloud", "mars"}, sample...), nil, token, "Worldwide, USGovernment or China"},
		{"a scope with its prefix", append([]string{"-scope", "api://x/Orders.Read"}, sample...), nil, token, "one bare name"},
		{"no context", append([]string{"-auth-context", "mfa"}, sample...), nil, token, "c1 to c99"},
		{"a variable that is no number", sample, map[string]string{"ENTRA_MAX_TOKEN_SIZE": "big"}, token, "ENTRA_MAX_TOKEN_SIZE"},
		{"an empty tenant", []string{"-tenant", ""}, nil, token, "tenant"},
	} {
		got := tool{args: append([]string{"explain"}, row.args...), env: row.env, stdin: row.stdin}.run(t)
		if got.status != misuse || got.stdout != "" || !strings.Contains(got.stderr, row.want) || strings.Contains(got.stderr, token[:30]) {
			t.Errorf("%s: got %+v, want status 2 and %q", row.name, got, row.want)
		}
	}
}

func TestTheEnvironmentStandsInForFlags(t *testing.T) {
	tenant := entratest.New(t)
	env := map[string]string{"ENTRA_TENANT_ID": entratest.OtherTenantID + "," + entratest.TenantID, "ENTRA_CLIENT_ID": entratest.APIClientID, "ENTRA_ID_TOKENS": "true"}
	for _, row := range []struct {
		name  string
		args  []string
		token string
		want  int
	}{
		{"variables alone", nil, tenant.Token(entratest.IDToken()), good},
		{"a flag counts more", []string{"-tenant", entratest.OtherTenantID}, tenant.Token(), bad},
	} {
		got := tool{args: append([]string{"explain"}, row.args...), env: env, stdin: row.token, network: tenant.Transport()}.run(t)
		if got.status != row.want {
			t.Errorf("%s: got %+v, want status %d", row.name, got, row.want)
		}
	}
}
