package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/gofiber/fiber/v3"
)

func TestOrders(t *testing.T) {
	tenant := entratest.New(t)
	url := serve(t, tenant)
	reader := "Bearer " + tenant.Token(entratest.Scopes("Orders.Read"))
	writer := "Bearer " + tenant.Token(entratest.Scopes("Orders.Write"))
	for _, test := range []struct {
		name, method, path string
		authorization      []string
		status             int
		challenge, body    string // what they contain
	}{
		{"anybody may ask for its health", "GET", "/healthz", nil, 200, "", ""},
		{"a reader may list", "GET", "/orders", []string{reader}, 200, "", entratest.AliceObjectID},
		{"a reader may not add", "POST", "/orders", []string{reader}, 403, "/Orders.Write", `"reason":"scope"`},
		{"a writer may add", "POST", "/orders", []string{writer}, 201, "", ""},
		{"an application may not list", "GET", "/orders", []string{"Bearer " + tenant.Token(entratest.App("Orders.Read"))}, 403, "insufficient_scope", ""},
		{"nobody may list without a token", "GET", "/orders", nil, 401, "authorization_uri", `"reason":"no_token"`},
		{"nobody may list with an old token", "GET", "/orders", []string{"Bearer " + tenant.Token(entratest.Expired())}, 401, "invalid_token", `"reason":"expired"`},
		{"two tokens are refused", "GET", "/orders", []string{writer, reader}, 400, "invalid_request", `"reason":"invalid_request"`},
		{"the same token twice is refused", "GET", "/orders", []string{reader, reader}, 400, "invalid_request", ""},
		{"a token of 16 KiB is read", "GET", "/orders", []string{"Bearer " + strings.Repeat("a", 16<<10)}, 401, "invalid_token", `"reason":"malformed"`},
		{"a path in other letters is no way round", "GET", "/ORDERS/", nil, 401, "authorization_uri", ""},
		{"there is nothing else", "GET", "/secret", []string{reader}, 404, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, header, body := send(t, test.method, url+test.path, test.authorization)
			challenge := header.Get("WWW-Authenticate")
			if status != test.status || !strings.Contains(challenge, test.challenge) || !strings.Contains(body, test.body) {
				t.Errorf("got %d, challenge %q, body %q; want %d, %q, %q", status, challenge, body, test.status, test.challenge, test.body)
			}
			if refused := status == 400 || status == 401 || status == 403; refused && (len(header["Www-Authenticate"]) != 1 || header.Get("Cache-Control") != "no-store") {
				t.Errorf("got the headers %v, want one challenge and Cache-Control: no-store", header)
			}
		})
	}
}

// Fiber uses the memory of requests again: what one request says must not show up in another.
func TestManyCallersAtOnceSeeThemselves(t *testing.T) {
	tenant := entratest.New(t)
	url := serve(t, tenant)
	var wait sync.WaitGroup
	for i := range 8 {
		name, want := "alice", entratest.AliceObjectID
		if i%2 == 1 {
			name, want = "bob", entratest.BobObjectID
		}
		// Each has a token of its own, of another length.
		token := tenant.Token(entratest.User(name), entratest.Scopes("Orders.Read"), entratest.Claim("padding", strings.Repeat("x", i)))
		wait.Go(func() {
			for range 50 {
				if status, _, body := send(t, "GET", url+"/orders", []string{"Bearer " + token}); status != 200 || body != "orders of user "+want {
					t.Errorf("%s: got %d and %s", name, status, body)
				}
				if status, _, body := send(t, "GET", url+"/orders", nil); status != 401 {
					t.Errorf("without a token: got %d and %s, want 401", status, body)
				}
			}
		})
	}
	wait.Wait()
}

// The claims are where main.go says, and those that were kept stay what they were.
func TestWhereTheClaimsAre(t *testing.T) {
	tenant := entratest.New(t)
	app, err := newApp(options(tenant))
	if err != nil {
		t.Fatal(err)
	}
	var kept []*entra.Claims
	app.Get("/where", func(c fiber.Ctx) error {
		claims, ok := entra.ClaimsFromContext(c)
		token, hasToken := entra.TokenFromContext(c)
		_, elsewhere := entra.ClaimsFromContext(c.Context())
		kept = append(kept, claims)
		return c.SendString(fmt.Sprint(ok, hasToken, c.Get("Authorization") == "Bearer "+token, elsewhere, entra.Permit(c, entra.Scope("Orders.Read")) == nil))
	})
	url := listen(t, app)
	for _, name := range []string{"alice", "bob"} {
		token := tenant.Token(entratest.User(name), entratest.Scopes("Orders.Read"))
		if status, _, body := send(t, "GET", url+"/where", []string{"Bearer " + token}); status != 200 || body != "true true true false true" {
			t.Errorf("%s: got %d and %s", name, status, body)
		}
	}
	var got []string
	for _, claims := range kept {
		got = append(got, claims.ObjectID)
	}
	if want := []string{entratest.AliceObjectID, entratest.BobObjectID}; !slices.Equal(got, want) {
		t.Errorf("got %q afterwards, want %q", got, want)
	}
}

func TestMissingSettingsAreAnError(t *testing.T) {
	_, err := newApp(entra.Options{Tenants: []string{""}})
	if err == nil || !strings.Contains(err.Error(), "Tenants") || !strings.Contains(err.Error(), "ClientID") {
		t.Errorf("got %v, want an error that names Tenants and ClientID", err)
	}
}

func options(tenant *entratest.Server) entra.Options {
	return entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(), // the fake tenant in place of Entra
	}
}

func serve(t *testing.T, tenant *entratest.Server) (url string) {
	t.Helper()
	app, err := newApp(options(tenant))
	if err != nil {
		t.Fatal(err)
	}
	return listen(t, app)
}

func listen(t *testing.T, app *fiber.App) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return "http://" + listener.Addr().String()
}

func send(t *testing.T, method, url string, authorization []string) (status int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header["Authorization"] = authorization
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0, nil, ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, response.Header, string(text)
}
