package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const (
	secret = "not-a-secret~orders-api"
	staff  = "51a00000-0000-4000-8000-00000000000a" // alice is in it, bob is not
	graph  = "/v1.0/me/getMemberObjects"
)

func TestMembersOfAGroup(t *testing.T) {
	fake := newFake(t)
	handler := newAPI(t, fake)
	orders := entratest.Scopes("Orders.Read")
	bob, carol := entratest.User("bob"), entratest.User("carol")
	for _, test := range []struct {
		name, token string
		status      int
		body        string // what it contains
		asked       int    // requests to Graph
	}{
		{"a member by the token", fake.Token(orders, bob, entratest.Groups("other", staff)), 200, "orders of user " + entratest.BobObjectID, 0},
		{"a member by the token, in other letters", fake.Token(orders, bob, entratest.Groups(strings.ToUpper(staff))), 200, "", 0},
		{"no member by the token", fake.Token(orders, entratest.Groups("other")), 403, `"reason":"forbidden"`, 0},
		{"no groups at all", fake.Token(orders), 403, `"reason":"forbidden"`, 0},
		{"a member by Graph", fake.Token(orders, entratest.Overage()), 200, "orders of user " + entratest.AliceObjectID, 1},
		{"a member by Graph again, with another token", fake.Token(orders, entratest.Overage(), entratest.Lifetime(2*time.Hour)), 200, "", 0},
		{"no member by Graph", fake.Token(orders, bob, entratest.Overage()), 403, `"reason":"forbidden"`, 1},
		{"no member by Graph again", fake.Token(orders, bob, entratest.Overage()), 403, `"reason":"forbidden"`, 0},
		{"a member in another tenant", fake.Token(orders, carol, entratest.Tenant(entratest.OtherTenantID), entratest.Overage()), 200, "", 1},
		{"a member without the scope", fake.Token(entratest.Scopes("Other"), entratest.Overage()), 403, `"reason":"scope"`, 0},
		{"an application", fake.Token(entratest.App("Orders.Read"), entratest.Groups(staff)), 403, `"reason":"scope"`, 0},
	} {
		before := fake.asked.Load()
		status, _, body := call(t.Context(), handler, test.token)
		if asked := int(fake.asked.Load() - before); status != test.status || !strings.Contains(body, test.body) || asked != test.asked {
			t.Errorf("%s: got %d, %s and %d requests to Graph; want %d, %s and %d", test.name, status, body, asked, test.status, test.body, test.asked)
		}
	}
}

func TestAnApplicationIsInNoGroupOfUsers(t *testing.T) {
	fake := newFake(t)
	requirement, err := known(t, fake).in(staff)
	if err != nil {
		t.Fatal(err)
	}
	for _, claims := range []*entra.Claims{{Kind: entra.AppToken, Groups: []string{staff}}, {Kind: entra.AppToken, GroupsOverage: true}} {
		if err := requirement(t.Context(), claims); entra.StatusCode(err) != 403 || fake.asked.Load() != 0 {
			t.Errorf("got %v and %d requests to Graph, want 403 and none", err, fake.asked.Load())
		}
	}
}

func TestWhileGraphCannotBeAskedNobodyIsLetInOrCalledNoMember(t *testing.T) {
	for _, test := range []struct {
		name, path string
		status     int // 0: no answer
		body       string
	}{
		{"Graph has a fault", graph, 500, `{"error":{"code":"UnknownError"}}`},
		{"Graph is away", graph, 503, ""},
		{"Graph is overloaded", graph, 429, ""},
		{"Graph does not let the API ask", graph, 403, `{"error":{"code":"Authorization_RequestDenied"}}`},
		{"the user has too many groups for Graph", graph, 400, `{"error":{"code":"Directory_ResultSizeLimitExceeded"}}`},
		{"Graph does not answer", graph, 0, ""},
		{"Graph answers no JSON", graph, 200, `<html>`},
		{"Graph answers half", graph, 200, `{"value":["` + staff + `"`},
		{"Graph answers no list", graph, 200, `{}`},
		{"Graph answers with a first page", graph, 200, `{"value":["other"],"@odata.nextLink":"https://graph.microsoft.com/next"}`},
		{"Entra refuses the secret", "/token", 401, `{"error":"invalid_client","error_codes":[7000215]}`},
		{"Entra is away", "/token", 503, ""},
		{"Entra does not answer", "/token", 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := newFake(t)
			handler := newAPI(t, fake)
			token := fake.Token(entratest.Scopes("Orders.Read"), entratest.Overage())
			fake.fail(test.path, test.status, test.body)
			if status, challenge, body := call(t.Context(), handler, token); status != 500 || challenge != "" || !strings.Contains(body, `"reason":"internal"`) {
				t.Errorf("got %d, challenge %q, body %q; want 500", status, challenge, body)
			}
			fake.fail("", 0, "")
			if status, _, body := call(t.Context(), handler, token); status != 200 {
				t.Errorf("afterwards: got %d and %s, want 200", status, body)
			}
		})
	}
}

func TestWhatOnlyTheUserCanDoReachesTheClient(t *testing.T) {
	const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	fake := newFake(t)
	fake.fail("/token", 400, `{"error":"interaction_required","claims":`+strconv.Quote(claims)+`}`)
	status, challenge, _ := call(t.Context(), newAPI(t, fake), fake.Token(entratest.Scopes("Orders.Read"), entratest.Overage()))
	if want := `claims="` + base64.StdEncoding.EncodeToString([]byte(claims)) + `"`; status != 401 || !strings.Contains(challenge, want) {
		t.Errorf("got %d and %q, want 401 and %s", status, challenge, want)
	}
}

func TestAChangeInTheDirectoryIsNoticedAfterFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFake(t)
		handler := newAPI(t, fake)
		token := fake.Token(entratest.Scopes("Orders.Read"), entratest.Overage())
		for _, step := range []struct {
			name   string
			after  time.Duration
			status int
		}{
			{"at first", 0, 200},
			{"just before", maxAge - time.Second, 200},
			{"just after", 2 * time.Second, 403},
		} {
			time.Sleep(step.after)
			if status, _, body := call(t.Context(), handler, token); status != step.status {
				t.Errorf("%s: got %d and %s, want %d", step.name, status, body, step.status)
			}
			fake.fail(graph, 200, `{"value":["other"]}`) // alice was taken out of the group
		}
	})
}

func TestOneRequestForAUserIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFake(t)
		fake.delay = time.Second
		handler := newAPI(t, fake)
		var wait sync.WaitGroup
		for i := range 50 {
			token := fake.Token(entratest.Scopes("Orders.Read"), entratest.Overage(), entratest.Lifetime(time.Hour+time.Duration(i)*time.Second))
			wait.Go(func() {
				if status, _, body := call(t.Context(), handler, token); status != 200 {
					t.Errorf("got %d and %s, want 200", status, body)
				}
			})
		}
		wait.Wait()
		if asked := fake.asked.Load(); asked != 1 {
			t.Errorf("got %d requests to Graph, want 1", asked)
		}
	})
}

func TestACallerWhoLeavesTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFake(t)
		fake.delay = time.Second
		handler := newAPI(t, fake)
		token := fake.Token(entratest.Scopes("Orders.Read"), entratest.Overage())
		leaving, leave := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() { _, _, _ = call(leaving, handler, token) })
		synctest.Wait() // it asks Graph
		wait.Go(func() {
			if status, _, body := call(t.Context(), handler, token); status != 200 {
				t.Errorf("got %d and %s, want 200", status, body)
			}
		})
		synctest.Wait() // it waits for the answer
		leave()
		wait.Wait()
	})
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	groups := known(t, newFake(t))
	ids := make([]string, 5_000)
	for i := range 200 {
		groups.known.Set(user{entratest.TenantID, strconv.Itoa(i)}, ids)
	}
	groups.known.CleanUp()
	if got := groups.known.WeightedSize(); got == 0 || got > maxKnown {
		t.Errorf("got %d IDs remembered, want some and at most %d", got, maxKnown)
	}
}

func TestAGroupIsNamedByItsObjectID(t *testing.T) {
	fake := newFake(t)
	groups := known(t, fake)
	for _, group := range []string{"", "staff", staff + "0"} {
		if _, err := newHandler(options(fake), groups, group); err == nil || !strings.Contains(err.Error(), "object ID") {
			t.Errorf("%q: got %v, want an error that asks for the object ID", group, err)
		}
	}
}

// fake is the fake tenant with its Graph, which can be slow or fail.
type fake struct {
	*entratest.Server
	delay time.Duration // of Graph's answers
	asked atomic.Int64  // requests to Graph

	mu     sync.Mutex
	path   string // requests for paths with this ending are answered with status and body; "": none is
	status int
	body   string
}

func newFake(t *testing.T) *fake {
	many := []string{staff}
	for i := range 300 {
		many = append(many, fmt.Sprintf("51a00000-0000-4000-8000-%012d", i))
	}
	return &fake{Server: entratest.New(t, entratest.Config{
		Apps: []entratest.AppRegistration{
			{ClientID: entratest.APIClientID, Secrets: []string{secret}, Scopes: []string{"Orders.Read"}},
			{ClientID: entratest.ClientID},
		},
		Users: []entratest.Account{
			{ObjectID: entratest.AliceObjectID, Username: "alice@contoso.example", Groups: many},
			{ObjectID: entratest.BobObjectID, Username: "bob@contoso.example", Groups: many[1:]},
			{ObjectID: "e3e3e3e3-e3e3-4e3e-8e3e-e3e3e3e3e3e3", TenantID: entratest.OtherTenantID, Username: "carol@fabrikam.example", Groups: many},
		},
	})}
}

func (f *fake) fail(path string, status int, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.path, f.status, f.body = path, status, body
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == graph {
		f.asked.Add(1)
		select {
		case <-time.After(f.delay):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.path == "" || !strings.HasSuffix(r.URL.Path, f.path):
		return f.Transport().RoundTrip(r)
	case f.status == 0:
		return nil, context.DeadlineExceeded // as a timeout of http.Client
	}
	recorder := httptest.NewRecorder()
	recorder.WriteHeader(f.status)
	_, err := io.WriteString(recorder, f.body)
	return recorder.Result(), err
}

func options(f *fake) entra.Options {
	return entra.Options{
		Tenants:    []string{entratest.TenantID, entratest.OtherTenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: &http.Client{Transport: f}, // in place of Microsoft's
	}
}

func newAPI(t *testing.T, f *fake) http.Handler {
	t.Helper()
	handler, err := newHandler(options(f), known(t, f), staff)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func known(t *testing.T, f *fake) *groups {
	t.Helper()
	groups, err := newGroups(options(f), secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { groups.known.StopAllGoroutines() })
	return groups
}

func call(ctx context.Context, handler http.Handler, token string) (status int, challenge, body string) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/orders", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code, w.Header().Get("WWW-Authenticate"), w.Body.String()
}
