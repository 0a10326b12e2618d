package interop_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/entra-go/entra/entratest"
)

const (
	alice = `button[value="` + entratest.AliceObjectID + `"]`
	bob   = `button[value="` + entratest.BobObjectID + `"]`
)

// TestThePageInABrowser goes through every state of the example, as a user would, and leaves pictures of each.
func TestThePageInABrowser(t *testing.T) {
	p := startPage(t, "@azure/msal-browser")
	b := newBrowser(t)
	b.do(chromedp.Navigate(p.url))
	b.sees("#signed-out", "Sign in")
	b.show("1-signed-out")

	b.click("#sign-in")
	b.sees("body", "Pick an account")
	b.show("2-picker")
	b.click(alice)
	b.sees("#name", "Alice Example")
	b.show("3-signed-in")

	b.click(`[data-call="orders"]`)
	b.sees("#result", "Two chairs")
	b.sees("#result .badge", "200")
	b.show("4-orders")
	b.click(`[data-call="me"]`)
	b.sees("#result", `"sent": "ID token"`)
	b.show("5-id-token")

	b.click(`[data-call="delete"]`)
	b.sees("#result .badge", "403")
	b.sees("#result", "insufficient_scope")
	b.sees("#result", entratest.APIURI+"/"+entratest.ScopeWrite)
	b.show("6-scope-missing")
	b.click("#remedy")
	b.sees("#result", `"deleted": "1001"`)

	b.click(`[data-call="pay"]`)
	b.sees("#result .badge", "401")
	b.sees("#result", "insufficient_claims")
	b.show("7-step-up")
	b.click("#remedy")
	b.sees("#result", `"confirmed": [`)
	b.sees("#result .badge", "201")
	b.show("8-stepped-up")

	renewSilently(t, p, b)
	b.do(chromedp.Reload())
	b.sees("#name", "Alice Example")
	meetExpiry(p, b)
	if got := p.count("GET", "/authorize"); got != 1 {
		t.Errorf("GET authorize: got %d requests, want the one of the sign-in: everything else is silent", got)
	}
	renewInAFrame(t, p, b)

	b.click("#sign-out")
	b.sees("#signed-out", "Sign in")
	if got := p.count("GET", "/logout"); got != 1 {
		t.Errorf("GET logout: got %d requests, want 1", got)
	}
	signInWithAPopup(b)
	if faults := b.faultsSoFar(); len(faults) > 0 {
		t.Errorf("the page's scripts: got %q, want no fault", faults)
	}
}

func renewSilently(t *testing.T, p *page, b *browser) {
	t.Helper()
	renew(t, p, b)
	b.show("9-renewed")
}

func renew(t *testing.T, p *page, b *browser) {
	t.Helper()
	before := p.count("POST", "/token")
	b.click("#renew")
	b.sees("#result .badge", "New token")
	if got := p.count("POST", "/token") - before; got != 1 {
		t.Errorf("renewing: got %d token requests, want 1", got)
	}
}

// meetExpiry lets Entra's clock be two hours slow, so that the token is expired for the API as soon as it is there, and
// MSAL.js does not know.
func meetExpiry(p *page, b *browser) {
	b.t.Helper()
	p.clock.set(-2 * time.Hour)
	b.click("#renew")
	b.sees("#result .badge", "New token")
	b.click(`[data-call="orders"]`)
	b.sees("#result .badge", "401")
	b.sees("#result", "invalid_token")
	b.show("10-expired")
	p.clock.set(0)
	b.click(`[data-call="orders"]`)
	b.sees("#result .badge", "200")
}

// renewInAFrame lets a day pass: a page's refresh token is then no longer good, and MSAL.js asks in a hidden frame, where
// the session answers.
func renewInAFrame(t *testing.T, p *page, b *browser) {
	t.Helper()
	b.click(`[data-call="me"]`)
	b.sees("#result", `"sent": "ID token"`)
	p.clock.set(25 * time.Hour)
	b.click("#renew")
	b.sees("#result .badge", "New token")
	p.clock.set(0)
	if got := p.count("GET", "/authorize"); got != 2 {
		t.Errorf("GET authorize: got %d requests, want the frame's besides that of the sign-in", got)
	}
}

func signInWithAPopup(b *browser) {
	b.t.Helper()
	popup := b.popup("#sign-in-popup")
	popup.sees("body", "Pick an account")
	popup.click(`button[value="cancel"]`)
	b.sees("#sign-in-error", "did not work")
	b.show("11-sign-in-refused")

	popup = b.popup("#sign-in-popup")
	popup.sees("body", "Pick an account")
	popup.show("12-popup")
	popup.click(bob)
	b.sees("#name", "Bob Example")
	b.click(`[data-call="orders"]`)
	b.sees("#result .badge", "200")
}

// TestThePageBesideTheEmulator runs the two programs as their first lines say, with the sample tenant and with the environment
// that the emulator prints.
func TestThePageBesideTheEmulator(t *testing.T) {
	for _, row := range []struct {
		name  string
		start func(t *testing.T) (emulator string)
	}{
		{"the sample tenant", func(t *testing.T) string {
			address := freePort(t)
			runTool(t, "emulator", "-http", address, "-https", freePort(t))
			waitFor(t, "http://"+address)
			return "http://" + address
		}},
		{"IDs of one's own", func(t *testing.T) string {
			l := localEndpoints(t)
			for name, value := range l.variables {
				if strings.HasPrefix(name, "ENTRA_") {
					t.Setenv(name, value)
				}
			}
			emulator, _, _ := strings.Cut(l.variables["ENTRA_METADATA"], "/"+ownTenant)
			return emulator
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			emulator := row.start(t)
			b := newBrowser(t)
			b.do(chromedp.Navigate(runPage(t, emulator, "@azure/msal-browser")))
			b.click("#sign-in")
			b.click(alice)
			b.sees("#name", "Alice Example")
			for _, row := range []struct{ choice, asked, status string }{
				{"orders", "GET /orders", "200"}, {"me", "GET /me", "200"}, {"delete", "DELETE /orders/1001", "403"}, {"pay", "POST /payments", "401"},
			} {
				b.click(`[data-call="` + row.choice + `"]`)
				b.sees("#result code", row.asked) // Until then the last answer is shown.
				b.sees("#result .badge", row.status)
			}
		})
	}
}

// TestThePageWithOlderMajorVersions signs in by redirect and by popup with the two versions of MSAL.js before the
// pinned one.
func TestThePageWithOlderMajorVersions(t *testing.T) {
	for _, version := range []string{"msal-browser-4", "msal-browser-3"} {
		t.Run(version, func(t *testing.T) {
			p := startPage(t, version)
			b := newBrowser(t)
			b.do(chromedp.Navigate(p.url))
			b.click("#sign-in")
			b.click(alice)
			b.sees("#name", "Alice Example")
			b.click(`[data-call="pay"]`)
			b.sees("#result .badge", "401")
			b.click("#remedy")
			b.sees("#result .badge", "201")
			renew(t, p, b)
			b.click("#sign-out")
			b.sees("#signed-out", "Sign in")
			popup := b.popup("#sign-in-popup")
			popup.click(bob)
			b.sees("#name", "Bob Example")
			b.click(`[data-call="orders"]`)
			b.sees("#result .badge", "200")
		})
	}
}
