package tour

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/advice"
)

func newTestPage(t *testing.T) (*page, http.Handler) {
	t.Helper()
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenant.Close)
	api, err := newService(sampleOptions(tenant, slog.New(slog.DiscardHandler)), sampleAPI)
	if err != nil {
		t.Fatal(err)
	}
	p := newPage(tenant, api)
	return p, p.handler()
}

// ask makes a request as a browser on this machine does, changed by change.
func ask(handler http.Handler, method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:8080"+path, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func answerTo[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("got status %d and %q: %v", w.Code, w.Body, err)
	}
	return v
}

func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	_, handler := newTestPage(t)
	for _, path := range []string{"/", "/page/style.css", "/page/app.js", "/page/page.js", "/page/token.js", "/page/outage.js", "/page/chart.js", "/page/icon.svg"} {
		w := ask(handler, "GET", path, "", nil)
		if w.Code != http.StatusOK {
			t.Errorf("%s: got status %d, want 200", path, w.Code)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; script-src 'self';") || strings.Contains(got, "unsafe") {
			t.Errorf("%s: got policy %q, want a strict one", path, got)
		}
		for _, foreign := range []string{"https://", " style=", " onclick=", "<script>", "<style"} {
			if strings.Contains(strings.ReplaceAll(w.Body.String(), "'https://", ""), foreign) {
				t.Errorf("%s: got %q in it, want nothing from elsewhere and nothing inline", path, foreign)
			}
		}
	}
}

func TestOnlyThisMachineIsAnswered(t *testing.T) {
	_, handler := newTestPage(t)
	for host, want := range map[string]int{
		"localhost:8080": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "localhost": 200,
		"attacker.example": 421, "localhost.attacker.example:8080": 421, "10.0.0.1": 421, "": 421,
	} {
		for _, path := range []string{"/", "/page/state"} {
			if got := ask(handler, "GET", path, "", func(r *http.Request) { r.Host = host }).Code; got != want {
				t.Errorf("Host %q, %s: got status %d, want %d", host, path, got, want)
			}
		}
	}
}

func TestOnlyThePageItselfChangesAnything(t *testing.T) {
	p, handler := newTestPage(t)
	before := p.tenant.Key().ID()
	for name, change := range map[string]func(*http.Request){
		"a site elsewhere":          func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"another port":              func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"a browser without Sec-…":   func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "http://localhost:9999") },
		"a page without any origin": func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "null") },
	} {
		for _, path := range []string{"rotate", "down", "restore", "restart", "sign", "judge"} {
			if got := ask(handler, "POST", "/page/"+path, "{}", change).Code; got != http.StatusForbidden {
				t.Errorf("%s, %s: got status %d, want 403", name, path, got)
			}
		}
	}
	if p.tenant.Key().ID() != before || p.trickle.down {
		t.Error("got a change, want none")
	}
	if got := ask(handler, "POST", "/page/rotate", "{}", nil).Code; got != http.StatusNoContent || p.tenant.Key().ID() == before {
		t.Errorf("the page itself: got status %d and the same key, want 204 and another", got)
	}
	if got := ask(handler, "GET", "/page/rotate", "", nil).Code; got != http.StatusMethodNotAllowed {
		t.Errorf("GET: got status %d, want 405", got)
	}
}

func TestNoPathOfTheAPIIsOpen(t *testing.T) {
	_, handler := newTestPage(t)
	for _, path := range []string{"/orders", "/index.html", "/pages", "/anything/else"} {
		if got := ask(handler, "GET", path, "", nil).Code; got != http.StatusUnauthorized {
			t.Errorf("%s: got status %d, want 401", path, got)
		}
	}
}

func TestEachSampleIsAnsweredAndExplained(t *testing.T) {
	p, handler := newTestPage(t)
	listed := answerTo[struct{ Samples []listedSample }](t, ask(handler, "GET", "/page/samples", "", nil)).Samples
	if len(listed) != len(p.samples) {
		t.Fatalf("got %d samples, want %d", len(listed), len(p.samples))
	}
	for i, s := range p.samples {
		minted := answerTo[struct{ Authorization string }](t, ask(handler, "GET", "/page/samples/"+s.id, "", nil))
		w := ask(handler, listed[i].Method, "/orders", "", func(r *http.Request) {
			r.Header.Set(requestID, s.id)
			if minted.Authorization != "" {
				r.Header.Set("Authorization", minted.Authorization)
			}
		})
		e := answerTo[explanation](t, ask(handler, "GET", "/page/refusals/"+s.id, "", nil))
		if w.Code != s.status || e.Reason != s.reason {
			t.Errorf("%s: got status %d, reason %q; want %d, %q", s.id, w.Code, e.Reason, s.status, s.reason)
		}
		if s.reason == "" {
			if e.Step != len(advice.Steps()) {
				t.Errorf("%s: got step %d, want all passed", s.id, e.Step)
			}
			continue
		}
		if e.Text == "" || e.Cure == "" || e.Status != s.status || e.Step >= len(advice.Steps()) {
			t.Errorf("%s: got %+v, want text, cure, status and step", s.id, e)
		}
		if strings.Contains(w.Body.String(), e.Text) || strings.Contains(w.Header().Get("WWW-Authenticate"), e.Text) {
			t.Errorf("%s: got the operator's text in the client's answer", s.id)
		}
	}
}

func TestASampleThatDoesNotExistIsNotFound(t *testing.T) {
	_, handler := newTestPage(t)
	if got := ask(handler, "GET", "/page/samples/x", "", nil).Code; got != http.StatusNotFound {
		t.Errorf("got status %d, want 404", got)
	}
}

func TestWhatTheReaderWroteIsSigned(t *testing.T) {
	p, handler := newTestPage(t)
	header, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": p.tenant.Key().ID()})
	body, _ := json.Marshal(map[string]string{"header": string(header), "payload": `{"exp":1}`})
	signed := answerTo[struct{ Token string }](t, ask(handler, "POST", "/page/sign", string(body), nil))
	_, err := p.api.instances.Load().verifier.Verify(t.Context(), signed.Token)
	if entra.ReasonOf(err) != entra.ReasonExpired {
		t.Errorf("got %v, want expired: the signature is good", err)
	}
	for _, bad := range []string{"", "[]", `{"key":1}`, `{"header":"` + strings.Repeat("x", longestBody) + `"}`} {
		if got := ask(handler, "POST", "/page/sign", bad, nil).Code; got != http.StatusBadRequest {
			t.Errorf("%.20q: got status %d, want 400", bad, got)
		}
	}
}

func TestTokensFromElsewhereAreJudged(t *testing.T) {
	_, handler := newTestPage(t)
	const theirs, theirAPI = "33333333-3333-4333-8333-333333333333", "99999999-9999-4999-8999-999999999999"
	elsewhere, err := entratest.NewServer(entratest.Config{TenantID: theirs, Apps: []entratest.AppRegistration{{ClientID: theirAPI, Scopes: []string{"Read"}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	key := entratest.SignedBy(entratest.NewKey())
	aud := entratest.Audience(theirAPI)
	const authority = "https://contoso.ciamlogin.com/" + theirs + "/v2.0"
	customers, err := entratest.NewServer(entratest.Config{Authority: authority})
	if err != nil {
		t.Fatal(err)
	}
	defer customers.Close()
	government, err := entratest.NewServer(entratest.Config{TenantID: theirs, Cloud: entratest.USGovernment})
	if err != nil {
		t.Fatal(err)
	}
	defer government.Close()
	for _, row := range []struct {
		name  string
		asked asked
		want  []entra.Reason
	}{
		{"a good token", asked{Token: elsewhere.Token(key, aud)}, []entra.Reason{""}},
		{"for another API", asked{Token: elsewhere.Token(key, entratest.Audience("api://orders"))}, []entra.Reason{"audience"}},
		{"for the API under another name", asked{Token: elsewhere.Token(key, entratest.Audience("api://orders")), Audiences: "api://orders"}, []entra.Reason{""}},
		{"for the API under one of several names", asked{Token: elsewhere.Token(key, entratest.Audience("api://orders")), Audiences: "api://a, api://orders"}, []entra.Reason{""}},
		{"old and for another API", asked{Token: elsewhere.Token(key, entratest.Audience("api://orders"), entratest.Expired())}, []entra.Reason{"expired", "audience"}},
		{"old, else good", asked{Token: elsewhere.Token(key, aud, entratest.Expired())}, []entra.Reason{"expired", ""}},
		{"early, else good", asked{Token: elsewhere.Token(key, aud, entratest.NotYetValid())}, []entra.Reason{"not_yet_valid", ""}},
		{"of another tenant", asked{Token: elsewhere.Token(key, aud, entratest.Tenant(entratest.OtherTenantID))}, []entra.Reason{"tenant", "unknown_key"}},
		{"of a personal account", asked{Token: elsewhere.Token(key, aud, entratest.Personal())}, []entra.Reason{"tenant", "unknown_key"}},
		{"an ID token", asked{Token: elsewhere.Token(key, entratest.IDToken(), aud)}, []entra.Reason{"id_token"}},
		{"an ID token that is welcome", asked{Token: elsewhere.Token(key, entratest.IDToken(), aud), AllowIDTokens: true}, []entra.Reason{""}},
		{"of another cloud", asked{Token: government.Token(key, aud)}, []entra.Reason{"issuer", "unknown_key"}},
		{"of the cloud that was chosen", asked{Token: government.Token(key, aud), Cloud: "USGovernment"}, []entra.Reason{""}},
		{"of an authority", asked{Token: customers.Token(key, aud)}, []entra.Reason{"issuer", "unknown_key"}},
		{"of the authority that was given", asked{Token: customers.Token(key, aud), Authority: authority}, []entra.Reason{""}},
		{"for Graph", asked{Token: elsewhere.Token(key, entratest.Graph())}, []entra.Reason{"microsoft_api_token"}},
		{"unsigned", asked{Token: elsewhere.Token(key, entratest.Header("alg", "none"))}, []entra.Reason{"malformed"}},
		{"no token", asked{Token: "x"}, []entra.Reason{"malformed"}},
		{"no claims", asked{Token: elsewhere.Token(key, entratest.RawPayload([]byte("[]")))}, []entra.Reason{"claims"}},
	} {
		row.asked.TenantID, row.asked.ClientID = theirs, theirAPI
		body, _ := json.Marshal(row.asked)
		verdicts := answerTo[[]verdict](t, ask(handler, "POST", "/page/judge", string(body), nil))
		var got []entra.Reason
		for _, v := range verdicts {
			got = append(got, v.Reason)
			if v.IssuerAssumed != (row.asked.Authority != "") {
				t.Errorf("%s: got %+v, want the issuer assumed with an authority alone", row.name, v)
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestAMistakeAboutTheAPIIsNamed(t *testing.T) {
	_, handler := newTestPage(t)
	for _, row := range []struct {
		asked asked
		want  string
	}{
		{asked{TenantID: "contoso.com", ClientID: entratest.APIClientID}, "Tenants"},
		{asked{TenantID: entratest.TenantID, ClientID: "orders"}, "ClientID"},
		{asked{TenantID: entratest.TenantID, ClientID: entratest.APIClientID, Audiences: "https://graph.microsoft.com"}, "Audiences"},
		{asked{TenantID: entratest.TenantID, ClientID: entratest.APIClientID, Cloud: "Mars"}, "Cloud"},
		{asked{TenantID: entratest.TenantID, ClientID: entratest.APIClientID, Authority: "http://contoso.example/x"}, "Authority"},
		{asked{ClientID: entratest.APIClientID}, "Tenants"},
	} {
		body, _ := json.Marshal(row.asked)
		w := ask(handler, "POST", "/page/judge", string(body), nil)
		if got := answerTo[struct{ Error string }](t, w).Error; w.Code != http.StatusUnprocessableEntity || !strings.Contains(got, row.want) {
			t.Errorf("%+v: got status %d and %q, want 422 and a word about %s", row.asked, w.Code, got, row.want)
		}
	}
}

type stateOfTheChart struct {
	Ticks []tick
	Down  bool
	Stats struct {
		Keys, Fetches, Failures, Verified, Remembered int
		LastFetch                                     int64
	}
}

func TestTheTrickleMeetsRotationOutageAndRestart(t *testing.T) { synctest.Test(t, trickleMeetsTrouble) }

func trickleMeetsTrouble(t *testing.T) {
	p, handler := newTestPage(t)
	fine := outcome{http.StatusOK, ""}
	unknown := outcome{http.StatusUnauthorized, entra.ReasonUnknownKey}
	away := outcome{http.StatusServiceUnavailable, entra.ReasonKeysUnavailable}
	for _, row := range []struct {
		do        string
		wait      time.Duration
		kept, new outcome
		fetches   uint64
		event     string
	}{
		{"", 0, fine, fine, 1, ""},
		{"rotate", 0, fine, fine, 2, "keys rotated"},
		{"down", 0, fine, fine, 2, "Entra down"},
		{"rotate", 0, fine, unknown, 3, "keys rotated"},
		{"restart", 0, away, away, 1, "API restarted"},
		{"restore", 0, away, away, 1, "Entra back"},
		{"", 5 * time.Second, fine, fine, 2, ""},
	} {
		if row.do != "" {
			if got := ask(handler, "POST", "/page/"+row.do, "{}", nil).Code; got != http.StatusNoContent {
				t.Fatalf("%s: got status %d, want 204", row.do, got)
			}
		}
		time.Sleep(row.wait)
		p.trickle.tick(t.Context(), time.Now())
		ticks := answerTo[stateOfTheChart](t, ask(handler, "GET", "/page/state", "", nil)).Ticks
		got := ticks[len(ticks)-1]
		if got.Kept != row.kept || got.New != row.new || got.Fetches != row.fetches || strings.Join(got.Events, " ") != row.event {
			t.Errorf("after %q: got %+v, want %+v", row.do, got, row)
		}
	}
	state := answerTo[stateOfTheChart](t, ask(handler, "GET", "/page/state?after=6", "", nil))
	if len(state.Ticks) != 1 || state.Down || state.Stats.Keys == 0 || state.Stats.LastFetch == 0 {
		t.Errorf("got %+v, want one tick after the sixth, and keys", state)
	}
}

func TestTheTrickleIsNotLogged(t *testing.T) {
	var out strings.Builder
	log := slog.New(withoutTrickle{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})})
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	api, err := newService(sampleOptions(tenant, log), sampleAPI)
	if err != nil {
		t.Fatal(err)
	}
	p := newPage(tenant, api)
	p.trickle.ask(t.Context(), "junk")
	if strings.Contains(out.String(), "request refused") {
		t.Errorf("got %q, want no line", out.String())
	}
	ask(p.handler(), "GET", "/orders", "", nil)
	if !strings.Contains(out.String(), "reason=no_token") {
		t.Errorf("got %q, want a line about the reader's request", out.String())
	}
}

func TestFewRefusalsAreKept(t *testing.T) {
	var l refusals
	for i := range 3 * refusalsToKeep {
		l.add(strings.Repeat("x", i), refused{err: entra.ErrNoToken})
	}
	if len(l.byID) != refusalsToKeep || l.of("").err != nil || l.of(strings.Repeat("x", 3*refusalsToKeep-1)).err == nil {
		t.Errorf("got %d refusals, want the last %d", len(l.byID), refusalsToKeep)
	}
}
