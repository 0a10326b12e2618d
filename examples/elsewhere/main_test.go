package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// serve runs the program behind a platform, with the fake tenant in place of Entra.
func serve(t *testing.T, behind string, orders feed) (url string, tenant *entratest.Server) {
	t.Helper()
	tenant = entratest.New(t)
	handler, err := newHandler(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		ClockSkew:  10 * time.Minute, // longer than a test takes on any machine
		HTTPClient: tenant.Client(),
	}, behind, orders)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL, tenant
}

func TestTokensInHeadersOfAPlatform(t *testing.T) {
	const own, easy = "X-Orders-Authorization", "X-MS-TOKEN-AAD-ACCESS-TOKEN"
	for _, test := range []struct {
		name, behind, method string
		header               http.Header
		status               int
		body                 string // what it contains
	}{
		{"App Service: its header counts", "appservice", "GET", http.Header{easy: {"TOKEN"}}, 200, entratest.AliceObjectID},
		{"App Service: a client with a token of its own", "appservice", "GET", http.Header{"Authorization": {"Bearer TOKEN"}}, 200, entratest.AliceObjectID},
		{"App Service: a token in both places", "appservice", "GET", http.Header{easy: {"TOKEN"}, "Authorization": {"Bearer TOKEN"}}, 400, "invalid_request"},
		{"App Service: a token that somebody made up", "appservice", "GET", http.Header{easy: {"FORGED"}}, 401, "signature"},
		{"App Service: the decoded identity is nobody's proof", "appservice", "GET", http.Header{"X-MS-CLIENT-PRINCIPAL-ID": {entratest.AliceObjectID}}, 401, "no_token"},
		{"App Service: a form on its own page", "appservice", "POST", http.Header{easy: {"TOKEN"}, "Sec-Fetch-Site": {"same-origin"}}, 201, ""},
		{"App Service: a form on another site's page", "appservice", "POST", http.Header{easy: {"TOKEN"}, "Sec-Fetch-Site": {"cross-site"}}, 403, "cross-origin"},
		{"Static Web Apps: the page's header counts", "staticwebapps", "GET", http.Header{own: {"Bearer TOKEN"}, "Authorization": {"Bearer of-the.plat.form"}}, 200, entratest.AliceObjectID},
		{"Static Web Apps: Authorization does not", "staticwebapps", "GET", http.Header{"Authorization": {"Bearer TOKEN"}}, 401, "no_token"},
		{"Static Web Apps: two tokens", "staticwebapps", "GET", http.Header{own: {"Bearer TOKEN", "Bearer TOKEN"}}, 400, "invalid_request"},
		{"no platform: its headers are any client's", "", "GET", http.Header{easy: {"TOKEN"}, own: {"Bearer TOKEN"}}, 401, "no_token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, tenant := serve(t, test.behind, nil)
			token := tenant.Token()
			request, err := http.NewRequestWithContext(t.Context(), test.method, url+"/orders", nil)
			if err != nil {
				t.Fatal(err)
			}
			forged := tenant.Token(entratest.User("bob"))
			forged = token[:strings.LastIndex(token, ".")] + forged[strings.LastIndex(forged, "."):]
			for name, values := range test.header {
				for _, value := range values {
					request.Header.Add(name, strings.NewReplacer("TOKEN", token, "FORGED", forged).Replace(value))
				}
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var body strings.Builder
			if err := response.Write(&body); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || !strings.Contains(body.String(), test.body) {
				t.Errorf("got %s, want %d and %q", &body, test.status, test.body)
			}
		})
	}
}

// overdue is a token that expired half a minute ago, which the clock skew still lets in.
func overdue(tenant *entratest.Server) string {
	return tenant.Token(entratest.IssuedAt(time.Now().Add(-time.Hour - 30*time.Second)))
}

func TestWebSocket(t *testing.T) {
	orders := make(feed, 1)
	orders <- "two chairs"
	url, tenant := serve(t, "", orders)
	dial := func(protocols ...string) (*websocket.Conn, *http.Response, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		t.Cleanup(cancel)
		return websocket.Dial(ctx, url+"/socket", &websocket.DialOptions{Subprotocols: protocols})
	}

	conn, response, err := dial("orders.v1", "bearer."+tenant.Token())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if got := response.Header.Values("Sec-WebSocket-Protocol"); len(got) != 1 || got[0] != "orders.v1" {
		t.Errorf("the server's choice: got %q, want orders.v1 and no token", got)
	}
	if _, message, err := conn.Read(t.Context()); err != nil || string(message) != "two chairs" {
		t.Errorf("got %q and %v, want two chairs", message, err)
	}

	conn, _, err = dial("orders.v1", "bearer."+overdue(tenant))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("a token that expires: got %v, want the socket closed with 1008", err)
	}

	for _, test := range []struct {
		name      string
		protocols []string
		status    int
	}{
		{"no token", []string{"orders.v1"}, 401},
		{"an expired token", []string{"orders.v1", "bearer." + tenant.Token(entratest.Expired())}, 401},
		{"two tokens", []string{"bearer." + tenant.Token(), "bearer." + tenant.Token()}, 400},
		{"an application's token", []string{"orders.v1", "bearer." + tenant.Token(entratest.App("Orders.Read"))}, 403},
	} {
		if _, response, err := dial(test.protocols...); err == nil || response.StatusCode != test.status {
			t.Errorf("%s: got %v and %v, want %d", test.name, response.Status, err, test.status)
		}
	}
}

func TestASocketOfAnotherOriginIsRefused(t *testing.T) {
	url, tenant := serve(t, "", nil)
	_, response, err := websocket.Dial(t.Context(), url+"/socket", &websocket.DialOptions{
		Subprotocols: []string{"orders.v1", "bearer." + tenant.Token()},
		HTTPHeader:   http.Header{"Origin": {"https://evil.example"}},
	})
	if err == nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("got %v and %v, want 403", response.Status, err)
	}
}

func TestEvents(t *testing.T) {
	orders := make(feed, 1)
	orders <- "two chairs"
	url, tenant := serve(t, "", orders)
	open := func(token string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	response := open(tenant.Token())
	event := make([]byte, len("data: two chairs\n\n"))
	if _, err := io.ReadFull(response.Body, event); err != nil || string(event) != "data: two chairs\n\n" {
		t.Errorf("got %q and %v, want the order", event, err)
	}
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type: got %q, want text/event-stream", got)
	}
	if got := open("forged").StatusCode; got != http.StatusUnauthorized {
		t.Errorf("a forged token: got %d, want 401", got)
	}
}

func TestEventsEndWithTheToken(t *testing.T) {
	tenant := entratest.New(t)
	handler, err := newHandler(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		ClockSkew:  10 * time.Minute,
		HTTPClient: tenant.Client(),
	}, "", make(feed))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil)
	r.Header.Set("Authorization", "Bearer "+overdue(tenant))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r) // returns, although the client stays
	if w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("got %d and %q, want a stream that ends at once", w.Code, w.Body)
	}
}

func TestThePageIsOpenToEverybody(t *testing.T) {
	url, _ := serve(t, "", nil)
	for _, path := range []string{"/", "/live.js"} {
		response, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: got %d, want 200", path, response.StatusCode)
		}
	}
}

func TestMistakesInTheSettingsAreErrors(t *testing.T) {
	if _, err := newHandler(entra.Options{}, "", nil); err == nil || !strings.Contains(err.Error(), "ClientID") {
		t.Errorf("got %v, want an error that names ClientID", err)
	}
	if _, err := newHandler(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID}, "iis", nil); err == nil || !strings.Contains(err.Error(), "iis") {
		t.Errorf("got %v, want an error that names the platform", err)
	}
}
