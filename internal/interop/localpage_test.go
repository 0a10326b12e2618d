package interop_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"

	"github.com/entra-go/entra/entratest"
)

// A page signs its user in with oidc-client-ts, renews the tokens, calls the API, and signs the user out.
func TestThePageOfTheLocalGuide(t *testing.T) {
	node(t) // for the library
	each(t, []recipe{
		{"local/oidc-client-ts.html", []localWay{anIssuer, endpoints}},
	}, func(t *testing.T, l *local, _ []string) {
		files := http.NewServeMux()
		files.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "local/oidc-client-ts.html") })
		files.HandleFunc("GET /oidc-client-ts.min.js", func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(w, r, "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js")
		})
		files.Handle("GET /orders", l.orders())
		authority := l.variables["ENTRA_ISSUER"]
		if authority == "" {
			authority = strings.TrimSuffix(l.variables["ENTRA_METADATA"], "/.well-known/openid-configuration")
		}
		files.HandleFunc("GET /config.json", func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"authority": authority, "clientId": l.variables["ENTRA_PAGE_CLIENT_ID"], "scope": l.variables["API_SCOPE"]})
		})
		server := httptest.NewServer(files)
		t.Cleanup(server.Close)

		b := newBrowser(t)
		if _, err := chromedp.Call(b.ctx, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}); err != nil {
			t.Fatal(err)
		}
		b.do(chromedp.Navigate(strings.Replace(server.URL, "127.0.0.1", "localhost", 1)))
		b.sees("#result", "Signed out")
		b.click("#sign-in")
		b.sees("body", "Pick an account")
		b.click(alice)
		b.sees("#result", "Alice Example")
		b.click("#orders")
		b.sees("#result", "Alice Example: 200 orders of "+entratest.AliceObjectID)
		b.click("#sign-out")
		b.sees("#result", "Signed out")
		b.click("#sign-in")
		b.sees("body", "Pick an account") // The emulator's session ended too.
		if faults := b.faultsSoFar(); len(faults) > 0 {
			t.Errorf("the page's scripts: got %q, want no fault", faults)
		}
	})
}
