package faults_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// place is two authorities in front of one API: staff of a work tenant, and customers of External ID.
type place struct {
	staff, customers *entratest.Server
	verifiers        []*entra.Verifier // of staff and customers, in this order
	combined         *entra.Verifier
}

// combine runs f in virtual time at a place, with the Verifiers given to Combine in either order.
func combine(t *testing.T, f func(*testing.T, *place)) {
	t.Helper()
	for _, order := range []string{"staff first", "customers first"} {
		t.Run(order, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &place{staff: entratest.New(t), customers: entratest.New(t, entratest.Config{Authority: testbed.ExternalID})}
				// Fake tenants share keys unless they are rotated.
				p.customers.SetKeys(p.customers.RotateKeys())
				p.verifiers = []*entra.Verifier{
					testbed.NewVerifier(t, p.staff, nil),
					testbed.NewVerifier(t, p.customers, func(o *entra.Options) { o.Tenants, o.Authority = nil, testbed.ExternalID }),
				}
				given := slices.Clone(p.verifiers)
				if order == "customers first" {
					slices.Reverse(given)
				}
				var err error
				if p.combined, err = entra.Combine(given...); err != nil {
					t.Fatal(err)
				}
				f(t, p)
				time.Sleep(11 * time.Second)
			})
		})
	}
}

func TestEachTokenGoesToTheVerifierOfItsIssuer(t *testing.T) {
	combine(t, func(t *testing.T, p *place) {
		staff, customer := p.staff.Token(), p.customers.Token()
		// The second round finds both remembered.
		for range 2 {
			expect(t, p.combined, staff, accepted)
			expect(t, p.combined, customer, accepted)
		}
		for i, v := range p.verifiers {
			if got := v.Stats(); got.Verified != 2 || got.Remembered != 1 || got.Fetches != 1 {
				t.Errorf("Verifier %d: got %+v, want 2 verified, 1 of them remembered, after 1 fetch", i, got)
			}
		}
		sum := p.combined.Stats()
		if sum.Verified != 4 || sum.Remembered != 2 || sum.Fetches != 2 || sum.Keys != p.verifiers[0].Stats().Keys+p.verifiers[1].Stats().Keys || sum.LastFetch.IsZero() {
			t.Errorf("got %+v, want the sums", sum)
		}
		expect(t, p.verifiers[0], customer, "unknown_key")
		expect(t, p.verifiers[1], staff, "unknown_key")
	})
}

func TestAnAuthorityThatHangsCostsTheOthersNothing(t *testing.T) {
	combine(t, func(t *testing.T, p *place) {
		p.customers.HangKeys()
		go func() { _, _ = p.combined.Verify(t.Context(), p.customers.Token()) }()
		synctest.Wait()
		expect(t, p.combined, p.staff.Token(), accepted)
		start := time.Now()
		if err := p.combined.Ready(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Ready: got %v after %v, want nil at once, since keys of staff are held", err, time.Since(start))
		}
		expectAfter(t, p.combined, p.customers.Token(), "keys_unavailable", 10*time.Second)
		expect(t, p.combined, p.staff.Token(), accepted)
	})
}

func TestAnAuthorityThatIsAwayCostsTheOthersNothing(t *testing.T) {
	combine(t, func(t *testing.T, p *place) {
		p.customers.Down()
		expect(t, p.combined, p.customers.Token(), "keys_unavailable")
		expect(t, p.combined, p.staff.Token(), accepted)
		w := testbed.Serve(p.combined.Authenticate(new(testbed.Spy)), "Bearer "+p.customers.Token())
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("got %d %v, want 503 with Retry-After and without a challenge", w.Code, w.Header())
		}
		p.customers.Restore()
		time.Sleep(5 * time.Second)
		expect(t, p.combined, p.customers.Token(), accepted)
	})
}

func TestReadyOfCombinedVerifiers(t *testing.T) {
	combine(t, func(t *testing.T, p *place) {
		p.staff.Down()
		p.customers.Down()
		if err := p.combined.Ready(t.Context()); !errors.Is(err, entra.ErrKeysUnavailable) {
			t.Errorf("with both away: got %v, want ErrKeysUnavailable", err)
		}
		time.Sleep(5 * time.Second)
		p.staff.Restore()
		p.customers.Restore()
		p.staff.HangKeys()
		start := time.Now()
		if err := p.combined.Ready(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("with one that hangs: got %v after %v, want nil at once", err, time.Since(start))
		}
	})
	combine(t, func(t *testing.T, p *place) {
		p.staff.HangKeys()
		p.customers.HangKeys()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		if err := p.combined.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("got %v after %v, want the context's error when it ends", err, time.Since(start))
		}
	})
}

// Issuers that nobody is configured for, as attackers and misled clients send them.
func TestIssuersThatNobodyExpectsReachNoKeySet(t *testing.T) {
	junk := []string{
		"", "x", "https://evil.example/" + entratest.TenantID + "/v2.0",
		"https://login.microsoftonline.com/" + entratest.OtherTenantID + "/v2.0", "https://sts.windows.net/" + entratest.OtherTenantID + "/",
		testbed.PersonalV2, testbed.GovernmentV2, testbed.PublicV2 + "/", strings.ToUpper(testbed.PublicV2),
		"https://" + entratest.OtherTenantID + ".ciamlogin.com/" + entratest.OtherTenantID + "/v2.0",
		"https://evil.example/.ciamlogin.com/" + entratest.TenantID + "/v2.0",
		"https://contoso.ciamlogin.com.evil.example/" + entratest.TenantID + "/v2.0",
		"http://contoso.ciamlogin.com/" + entratest.TenantID + "/v2.0",
		"https://u@contoso.ciamlogin.com/" + entratest.TenantID + "/v2.0",
		"https://token.actions.githubusercontent.com", strings.Repeat("https://login.microsoftonline.com/", 200),
	}
	combine(t, func(t *testing.T, p *place) {
		for _, issuer := range junk {
			token := p.staff.Token(entratest.Claim("iss", issuer), entratest.SignedBy(p.staff.UnknownKey()))
			expect(t, p.combined, token, "issuer")
		}
		_, err := p.combined.Verify(t.Context(), p.staff.Token(entratest.Claim("iss", "https://evil.example/"), entratest.SignedBy(p.staff.UnknownKey())))
		if text := err.Error(); !strings.Contains(text, "https://evil.example/") || !strings.Contains(text, entratest.TenantID) || !strings.Contains(text, testbed.ExternalID) {
			t.Errorf("got the text %q, want the issuer found and those expected", text)
		}
		if got := len(p.staff.Requests()) + len(p.customers.Requests()); got != 0 {
			t.Errorf("got %d requests, want none", got)
		}
		// The first Verifier answers and counts where there is none to choose.
		if got := p.combined.Stats().Refused[entra.ReasonIssuer]; got != uint64(len(junk)+1) {
			t.Errorf("got %d refusals counted, want %d", got, len(junk)+1)
		}
		expect(t, p.combined, p.customers.Token(), accepted)
		expect(t, p.combined, p.customers.Token(entratest.Claim("iss", "https://contoso.ciamlogin.com/"+entratest.TenantID)), "issuer")
	})
}

// What is read before the signature decides nothing but who judges.
func TestTheChosenVerifierJudgesTheWholeToken(t *testing.T) {
	combine(t, func(t *testing.T, p *place) {
		if err := p.combined.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, p.combined, p.customers.Token(), accepted)
		for name, row := range map[string]struct{ token, want string }{
			"a customer's key under the issuer of staff": {p.staff.Token(entratest.SignedBy(p.customers.Key())), "unknown_key"},
			"a key of staff under the customers' issuer": {p.customers.Token(entratest.SignedBy(p.staff.Key())), "unknown_key"},
			"two issuers, the first one expected":        {p.staff.Token(entratest.RawPayload([]byte(`{"iss":"` + testbed.PublicV2 + `","iss":"` + testbed.ExternalIDIssuer + `"}`))), "claims"},
			"an issuer that is no text":                  {p.staff.Token(entratest.RawPayload([]byte(`{"iss":["` + testbed.PublicV2 + `"]}`))), "claims"},
			"a payload that is no object":                {p.staff.Token(entratest.RawPayload([]byte(`"x"`))), "claims"},
			"an issuer alone":                            {p.staff.Token(entratest.RawPayload([]byte(`{"iss":"` + testbed.PublicV2 + `"}`))), "claims"},
			"no token":                                   {"x", "malformed"},
			"an expired one":                             {p.customers.Token(entratest.Expired()), "expired"},
			"an ID token":                                {p.customers.Token(entratest.IDToken()), "id_token"},
		} {
			if _, err := p.combined.Verify(t.Context(), row.token); outcome(err) != row.want {
				t.Errorf("%s: got %s (%v), want %s", name, outcome(err), err, row.want)
			}
		}
		wrong := p.staff.Token()
		wrong = wrong[:strings.LastIndexByte(wrong, '.')] + ".AAAA"
		expect(t, p.combined, wrong, "signature")
	})
}

func TestTheChosenVerifierAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		staff, customers := entratest.New(t), entratest.New(t, entratest.Config{Authority: testbed.ExternalID})
		answering := func(name string) func(http.ResponseWriter, *http.Request, error) {
			return func(w http.ResponseWriter, _ *http.Request, err error) {
				w.Header().Set("Answered-By", name)
				w.WriteHeader(entra.StatusCode(err))
			}
		}
		a := testbed.NewVerifier(t, staff, func(o *entra.Options) { o.ErrorHandler = answering("staff") })
		b := testbed.NewVerifier(t, customers, func(o *entra.Options) {
			o.Tenants, o.Authority, o.ErrorHandler, o.MaxTokenSize = nil, testbed.ExternalID, answering("customers"), 8<<10
		})
		inner, err := entra.Combine(b)
		if err != nil {
			t.Fatal(err)
		}
		v, err := entra.Combine(a, inner)
		if err != nil {
			t.Fatal(err)
		}
		spy := new(testbed.Spy)
		handler := v.Authenticate(entra.Require(entra.Scope("Orders.Approve"))(spy))
		for name, row := range map[string]struct {
			token, by string
			status    int
		}{
			"a customer's expired token":        {customers.Token(entratest.Expired()), "customers", 401},
			"an expired token of staff":         {staff.Token(entratest.Expired()), "staff", 401},
			"a customer without the scope":      {customers.Token(), "customers", 403},
			"staff without the scope":           {staff.Token(), "staff", 403},
			"a customer's token that is large":  {customers.Token(entratest.Claim("x", strings.Repeat("x", 8<<10))), "customers", 401},
			"a token of staff that is as large": {staff.Token(entratest.Claim("x", strings.Repeat("x", 8<<10))), "staff", 403},
			"an issuer that nobody expects":     {staff.Token(entratest.Claim("iss", "https://evil.example/")), "staff", 401},
			"junk":                              {"x", "staff", 401},
		} {
			w := testbed.Serve(handler, "Bearer "+row.token)
			if got := w.Header().Get("Answered-By"); got != row.by || w.Code != row.status {
				t.Errorf("%s: got %d by %q, want %d by %q", name, w.Code, got, row.status, row.by)
			}
			challenge := w.Header().Get("WWW-Authenticate")
			if wantCIAM := row.by == "customers"; strings.Contains(challenge, "ciamlogin.com") != wantCIAM {
				t.Errorf("%s: got the challenge %q, want that of %s", name, challenge, row.by)
			}
			// Refuse and Challenge find the Verifier in the error.
			if _, err := v.Verify(t.Context(), row.token); err != nil && v.Challenge(err) != challenge {
				t.Errorf("%s: got the challenge %q for the error, want %q", name, v.Challenge(err), challenge)
			}
		}
		// A handler's own decision, and what Permit refused, are answered by whoever judged the token.
		decide := v.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v.Refuse(w, r, fmt.Errorf("no customer: %w", entra.ErrForbidden))
		}))
		permit := v.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v.Refuse(w, r, entra.Permit(r.Context(), entra.Scope("Orders.Approve")))
		}))
		for token, by := range map[string]string{customers.Token(): "customers", staff.Token(): "staff"} {
			for name, handler := range map[string]http.Handler{"a decision": decide, "Permit": permit} {
				w := testbed.Serve(handler, "Bearer "+token)
				if w.Code != 403 || w.Header().Get("Answered-By") != by || strings.Contains(w.Header().Get("WWW-Authenticate"), "ciamlogin.com") != (by == "customers") {
					t.Errorf("%s: got %d %v, want 403 by %s", name, w.Code, w.Header(), by)
				}
			}
		}
		if w := testbed.Serve(handler); w.Header().Get("Answered-By") != "staff" || w.Code != 401 {
			t.Errorf("without a token: got %d by %q, want 401 by the first Verifier", w.Code, w.Header().Get("Answered-By"))
		}
		if spy.Calls != 0 {
			t.Errorf("the handler ran %d times, want never", spy.Calls)
		}
		time.Sleep(11 * time.Second)
	})
}

func TestCombineMistakes(t *testing.T) {
	tenant := entratest.New(t)
	with := func(change func(*entra.Options)) *entra.Verifier { return testbed.NewVerifier(t, tenant, change) }
	at := func(authority string, flows ...string) *entra.Verifier {
		return with(func(o *entra.Options) { o.Tenants, o.Authority, o.UserFlows = nil, authority, flows })
	}
	tenants := func(ids ...string) *entra.Verifier { return with(func(o *entra.Options) { o.Tenants = ids }) }
	anyTenant := func(personal ...string) *entra.Verifier {
		return with(func(o *entra.Options) { o.AllowAnyTenant, o.Tenants = true, personal })
	}
	government := func(ids ...string) *entra.Verifier {
		return with(func(o *entra.Options) { o.Cloud, o.Tenants = entra.USGovernment, ids })
	}
	combined, err := entra.Combine(tenants(entratest.TenantID), at(testbed.ExternalID))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		given []*entra.Verifier
		says  []string // nil: no error
	}{
		{"none", nil, []string{"no Verifier"}},
		{"a nil one", []*entra.Verifier{tenants(entratest.TenantID), nil}, []string{"Verifier 2 of 2"}},
		{"a zero one", []*entra.Verifier{{}, tenants(entratest.TenantID)}, []string{"Verifier 1 of 2"}},
		{"every mistake at once", []*entra.Verifier{nil, tenants(entratest.TenantID), {}, tenants(entratest.TenantID)}, []string{"Verifier 1 of 4", "Verifier 3 of 4", "Verifiers 2 and 4"}},
		{"one", []*entra.Verifier{tenants(entratest.TenantID)}, nil},
		{"one twice", []*entra.Verifier{combined, combined}, []string{"Verifiers 1 and 2"}},
		{"one tenant twice", []*entra.Verifier{tenants(entratest.TenantID), tenants(entratest.OtherTenantID, entratest.TenantID)}, []string{"both accept https://", entratest.TenantID}},
		{"two tenants", []*entra.Verifier{tenants(entratest.TenantID), tenants(entratest.OtherTenantID)}, nil},
		{"a tenant beside any", []*entra.Verifier{tenants(entratest.TenantID), anyTenant()}, []string{"both accept"}},
		{"any beside a tenant", []*entra.Verifier{anyTenant(), tenants(entratest.TenantID)}, []string{"both accept"}},
		{"any twice", []*entra.Verifier{anyTenant(), anyTenant()}, []string{"both accept every tenant"}},
		{"any beside personal accounts", []*entra.Verifier{anyTenant(), tenants(entra.PersonalAccounts)}, nil},
		{"personal accounts twice", []*entra.Verifier{anyTenant(entra.PersonalAccounts), tenants(entra.PersonalAccounts)}, []string{"both accept"}},
		{"tenants of two clouds", []*entra.Verifier{tenants(entratest.TenantID), government(entratest.OtherTenantID)}, nil},
		{"an authority twice", []*entra.Verifier{at(testbed.ExternalID), at(strings.Replace(testbed.ExternalID, "contoso", "CONTOSO", 1) + "/")}, []string{"both accept the issuer"}},
		{"two user flows of one tenant", []*entra.Verifier{at(testbed.B2C), at(strings.Replace(testbed.B2C, "SignIn", "Reset", 1))}, []string{"Options.UserFlows"}},
		{"B2C beside External ID", []*entra.Verifier{at(testbed.B2C), at(testbed.ExternalID), tenants(entratest.TenantID)}, nil},
		{"a combined one and another", []*entra.Verifier{combined, at(testbed.B2C)}, nil},
		{"a combined one and one of its own", []*entra.Verifier{at(testbed.B2C), combined, tenants(entratest.TenantID)}, []string{"Verifiers 2 and 3"}},
	} {
		v, err := entra.Combine(row.given...)
		if (err == nil) != (row.says == nil) || (v == nil) != (err != nil) {
			t.Errorf("%s: got %v and %v, want an error: %v", row.name, v, err, row.says != nil)
		}
		for _, says := range row.says {
			if err != nil && !strings.Contains(err.Error(), says) {
				t.Errorf("%s: got %v, want it to say %q", row.name, err, says)
			}
		}
	}
}

func TestMetadataNamesTheServersOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		staff, customers := entratest.New(t), entratest.New(t, entratest.Config{Authority: testbed.ExternalID})
		described := func(o *entra.Options) { o.Resource = "https://api.contoso.example/orders" }
		v, err := entra.Combine(testbed.NewVerifier(t, staff, described), testbed.NewVerifier(t, customers, func(o *entra.Options) { o.Tenants, o.Authority = nil, testbed.ExternalID }))
		if err != nil {
			t.Fatal(err)
		}
		customers.HangKeys()
		start := time.Now()
		w := testbed.Serve(v.ResourceMetadata())
		if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, testbed.PublicV2) || strings.Contains(body, "ciamlogin") || w.Header().Get("Cache-Control") != "no-store" || time.Since(start) != 0 {
			t.Errorf("while one is not known: got %d %v %s after %v, want the other at once, not to be kept", w.Code, w.Header(), body, time.Since(start))
		}
		customers.Restore()
		expect(t, v, customers.Token(), accepted)
		w = testbed.Serve(v.ResourceMetadata())
		if body := w.Body.String(); !strings.Contains(body, testbed.PublicV2) || !strings.Contains(body, testbed.ExternalIDIssuer) || !strings.Contains(w.Header().Get("Cache-Control"), "max-age") {
			t.Errorf("got %v %s, want both issuers", w.Header(), body)
		}
		time.Sleep(11 * time.Second)
	})
}

// Tenants of one cloud share their keys, so that a header alone tells nothing.
func TestCombinedTenantsThatShareKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		a := testbed.NewVerifier(t, tenant, nil)
		b := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.Tenants = []string{entratest.OtherTenantID} })
		v, err := entra.Combine(a, b)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			expect(t, v, tenant.Token(), accepted)
			expect(t, v, tenant.Token(entratest.Tenant(entratest.OtherTenantID)), accepted)
		}
		other := tenant.Token(entratest.Tenant(entratest.OtherTenantID))
		for range 3 {
			expect(t, v, other, accepted)
		}
		if got := b.Stats(); a.Stats().Verified != 3 || got.Verified != 6 || got.Remembered != 2 {
			t.Errorf("got %+v and %+v, want 3 verified by the first, 6 by the second with 2 remembered", a.Stats(), got)
		}
		time.Sleep(11 * time.Second)
	})
}

// An issuer that nobody expects is refused before any key is looked for, and its text must not say otherwise.
func TestTheTextOfAnUnexpectedIssuerSaysNothingOfKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		token := tenant.Token(entratest.Claim("iss", "https://login.microsoftonline.com/"+entratest.TenantID+"/v3.0"))
		for _, appKeys := range []bool{false, true} {
			a := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.AppKeys = appKeys })
			b := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.Tenants = []string{entratest.OtherTenantID} })
			v, err := entra.Combine(a, b)
			if err != nil {
				t.Fatal(err)
			}
			_, err = v.Verify(t.Context(), token)
			if got := outcome(err); got != "issuer" || strings.Contains(err.Error(), "AppKeys") || v.Stats().Fetches != 0 {
				t.Errorf("AppKeys %v: got %v after %d fetches, want issuer, after none, and nothing of Options.AppKeys", appKeys, err, v.Stats().Fetches)
			}
		}
	})
}
