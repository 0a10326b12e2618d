package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/entra-go/entra/entratest"
)

// openQuickstart runs examples/quickstart and opens its page.
func openQuickstart(t *testing.T) *browser {
	t.Helper()
	b := newBrowser(t)
	address := freePort(t)
	runExample(t, "quickstart", "-addr", address, "-entra", freePort(t))
	waitFor(t, "http://"+address)
	b.do(chromedp.Navigate("http://" + address + "/"))
	b.value(`performance.setResourceTimingBufferSize(1e5); ""`)
	b.sees("#verdict", "401 Unauthorized")
	b.sees("#happening", "a new one accepted (200)")
	t.Cleanup(func() {
		if faults := b.faultsSoFar(); len(faults) > 0 {
			t.Errorf("the page's scripts: got %q, want no fault", faults)
		}
		b.staysAtHome("http://" + address + "/")
	})
	return b
}

// staysAtHome checks that the page loaded nothing from elsewhere.
func (b *browser) staysAtHome(origin string) {
	b.t.Helper()
	for _, url := range b.list(`performance.getEntriesByType("resource").map(entry => entry.name)`) {
		if !strings.HasPrefix(url, origin) {
			b.t.Errorf("the page asked for %s, want nothing but %s", url, origin)
		}
	}
}

func (b *browser) list(script string) []string {
	b.t.Helper()
	list, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return list
}

func (b *browser) value(script string) string {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return value
}

// write replaces what stands in a field, as pasting does.
func (b *browser) write(selector, text string) {
	b.t.Helper()
	b.value(fmt.Sprintf(`(field => { field.value = %q; field.dispatchEvent(new Event("input", { bubbles: true })); return "" })(document.querySelector(%q))`, text, selector))
}

func (b *browser) snapshots(state string) {
	b.t.Helper()
	for _, width := range []struct {
		name          string
		width, height int64
		options       []chromedp.EmulateViewportOption
	}{
		{"desktop", 1280, 800, nil},
		{"tablet", 820, 1180, nil},
		{"phone", 390, 844, []chromedp.EmulateViewportOption{chromedp.EmulateMobile, chromedp.EmulateScale(2)}},
	} {
		for _, scheme := range []string{"light", "dark"} {
			b.do(chromedp.EmulateViewport(width.width, width.height, width.options...), emulateScheme(scheme))
			b.fits(state + ", " + width.name)
			picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				b.t.Fatal(err)
			}
			name := fmt.Sprintf("quickstart-%s-%s-%s.png", state, width.name, scheme)
			if err := os.WriteFile(filepath.Join(b.pictures, name), picture, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.do(chromedp.EmulateViewport(1280, 800), emulateScheme("light"))
}

func TestTheQuickstartExplainsEachToken(t *testing.T) {
	b := openQuickstart(t)
	for _, row := range []struct{ sample, verdict, claim, says string }{
		{"user", "200 OK accepted", "scp", ""},
		{"daemon", "200 OK accepted", "roles", ""},
		{"writer", "201 Created accepted", "scp", ""},
		{"v1", "200 OK accepted", "aud", ""},
		{"guest", "200 OK accepted", "tid", ""},
		{"none", "401 Unauthorized no_token", "", "Authorization: Bearer"},
		{"two", "400 Bad Request invalid_request", "", "line break"},
		{"secret", "401 Unauthorized malformed", "", "access_token"},
		{"graph", "401 Unauthorized microsoft_api_token", "aud", "request the scope api://"},
		{"audience", "401 Unauthorized audience", "aud", "/.default"},
		{"id-token", "401 Unauthorized id_token", "scp", "send the access token"},
		{"tenant", "401 Unauthorized tenant", "tid", "Options.Tenants"},
		{"personal", "401 Unauthorized unknown_key", "kid", "entra.PersonalAccounts"},
		{"bound", "401 Unauthorized bound_token", "cnf", "without proof of possession"},
		{"expired", "401 Unauthorized expired", "exp", "get a new"},
		{"early", "401 Unauthorized not_yet_valid", "nbf", "clock"},
		{"no-role", "401 Unauthorized no_permissions", "roles", "app role"},
		{"read-only", "403 Forbidden scope", "scp", "challenge names"},
		{"daemon-write", "403 Forbidden scope", "scp", "AppPermission(…)"},
		{"own-key", "401 Unauthorized unknown_key", "kid", "forged"},
		{"spliced", "401 Unauthorized signature", "signature", "changed, cut or forged"},
		{"alg-none", "401 Unauthorized malformed", "alg", ""},
		{"hs256", "401 Unauthorized algorithm", "alg", "RS256"},
	} {
		b.value(fmt.Sprintf(`document.querySelector("#verdict").textContent = ""; document.querySelector("input[value=%s]").click(); ""`, row.sample))
		b.sees("#verdict", row.verdict[:3])
		if got := strings.Join(strings.Fields(b.value(`document.querySelector("#verdict").innerText`)), " "); !strings.HasPrefix(got, row.verdict) {
			t.Errorf("%s: got %q, want %q", row.sample, got, row.verdict)
		}
		b.sees("#operator", row.says)
		if row.claim != "" {
			b.sees(".decides[data-claim="+row.claim+"]", row.claim)
		}
		refused := !strings.Contains(row.verdict, "accepted")
		if got := len(b.list(`Array.from(document.querySelectorAll(".steps .failed"), step => step.textContent)`)); (got == 1) != refused {
			t.Errorf("%s: got %d failed steps, want one if it is refused and none if not", row.sample, got)
		}
	}
	if got, want := len(b.list(`Array.from(document.querySelectorAll("input[name=sample]"), input => input.value)`)), 23; got != want {
		t.Errorf("got %d tokens to pick, want the %d of this table", got, want)
	}
	b.picturesOfTheDocuments()
	for _, row := range []struct{ sample, state, verdict string }{
		{"graph", "refused", "microsoft_api_token"},
		{"user", "let-in", "accepted"},
		{"none", "no-token", "no_token"},
	} {
		b.click("input[value=" + row.sample + "] + span")
		b.sees("#verdict", row.verdict)
		b.snapshots(row.state)
	}
}

func TestTheQuickstartSendsWhatTheReaderEdited(t *testing.T) {
	b := openQuickstart(t)
	b.click("input[value=user] + span")
	b.sees("#verdict", "200 OK")
	b.click("input[value=POST] + span")
	b.sees("#verdict", "403 Forbidden")

	b.click("#edit")
	for _, field := range []string{"#edit-header", "#edit-payload"} {
		if got := b.value(fmt.Sprintf(`String(document.querySelector(%q).scrollTop)`, field)); got != "0" {
			t.Errorf("got %s scrolled by %s, want it to begin at its first line", field, got)
		}
	}
	b.write("#edit-payload", strings.Replace(b.value(`document.querySelector("#edit-payload").value`), entratest.ScopeRead, entratest.ScopeWrite, 1))
	b.snapshots("editing")
	b.click("#forge")
	b.sees("#verdict", "signature")
	b.click("#editor .primary")
	b.sees("#verdict", "201 Created")

	b.write("#edit-payload", `{"aud": 7}`)
	b.click("#editor .primary")
	b.sees("#verdict", "claims")
	b.write("#edit-payload", `{"aud"`)
	b.click("#editor .primary")
	b.sees("#edit-error", "This is no JSON")
	b.sees("#decoded", "no token to decode") // nobody can read what was signed here

	b.write("#authorization", "Basic YTpi")
	b.click("#request .primary")
	b.sees("#verdict", "no_token")
	b.write("#authorization", "Bearer ÿ→")
	b.click("#request .primary")
	b.sees("#verdict", "Not sent")
}

func TestTheQuickstartShowsAnOutageAndItsEnd(t *testing.T) {
	b := openQuickstart(t)
	b.click("[data-act=restart]") // forgets what the terminal's show tried
	b.click("[data-act=rotate]")
	b.sees("#chart", "keys rotated")
	b.sees("#happening", "Entra is up. The same token is accepted (200), a new one accepted (200).")

	b.click("[data-act=down]")
	b.sees("#happening", "Entra is down. The same token is accepted (200), a new one accepted (200).")
	b.click("[data-act=rotate]")
	b.sees("#happening", "Entra is down. The same token is accepted (200), a new one refused (401 unknown_key).")
	b.click("[data-act=restart]")
	b.sees("#happening", "Entra is down. The same token is refused (503 keys_unavailable), a new one refused (503 keys_unavailable).")
	b.sees("#stats", "none yet")
	b.click("input[value=user] + span")
	b.sees("#verdict", "503 Service Unavailable")
	b.sees("#exchange", "Retry-After")

	b.click("[data-act=restore]")
	b.sees("#happening", "Entra is up. The same token is accepted (200), a new one accepted (200).")
	b.click("#request .primary")
	b.sees("#verdict", "200 OK")
	b.snapshots("outage")
}

func TestTheQuickstartJudgesATokenFromElsewhereOnRequestOnly(t *testing.T) {
	b := openQuickstart(t)
	elsewhere := entratest.New(t, entratest.Config{TenantID: theirTenant})
	stranger := entratest.SignedBy(entratest.NewKey())
	judged := `performance.getEntriesByType("resource").map(entry => entry.name).filter(name => name.includes("judge"))`
	for _, row := range []struct {
		name, token, tenant string
		want                []string
	}{
		{"a Graph token", elsewhere.Token(entratest.Graph(), stranger), theirTenant, []string{"microsoft_api_token"}},
		{"an old token for another API", elsewhere.Token(entratest.Audience("api://payroll"), entratest.Expired(), stranger), theirTenant, []string{"Signature not checked", "expired", "audience"}},
		{"a good token", elsewhere.Token(stranger), theirTenant, []string{"Signature not checked", "Accepted"}},
		{"a good token of another tenant", elsewhere.Token(stranger), entratest.TenantID, []string{"Signature not checked", "Options.Tenants"}},
		{"a mistake in the form", elsewhere.Token(stranger), "contoso.com", []string{"Tenants"}},
	} {
		b.click("#foreign-clear")
		before := len(b.list(judged))
		b.write("#foreign-token", "  Authorization: Bearer "+row.token+"\n")
		b.sees("#foreign-decoded", "aud")
		if got := len(b.list(judged)); got != before {
			t.Errorf("%s: got %d requests before the button was pressed, want none", row.name, got-before)
		}
		b.write("#foreign-tenant", row.tenant)
		b.click("#foreign .primary")
		for _, want := range row.want {
			b.sees("#foreign-verdicts", want)
		}
		if len(row.want) == 3 {
			b.snapshots("judged")
		}
	}
}

func TestTheQuickstartTakesTheOptionsOfTheAPI(t *testing.T) {
	const authority = "https://contoso.ciamlogin.com/" + theirTenant + "/v2.0"
	b := openQuickstart(t)
	stranger := entratest.SignedBy(entratest.NewKey())
	elsewhere := entratest.New(t, entratest.Config{TenantID: theirTenant})
	customers := entratest.New(t, entratest.Config{Authority: authority})
	government := entratest.New(t, entratest.Config{TenantID: theirTenant, Cloud: entratest.USGovernment})
	b.write("#foreign-tenant", theirTenant)
	for _, row := range []struct{ field, value, token, without, command string }{
		{"#foreign-audiences", "api://a, api://payroll", elsewhere.Token(entratest.Audience("api://payroll"), stranger), "audience", "-audience api://a,api://payroll"},
		{"#foreign-cloud", "USGovernment", government.Token(stranger), "issuer", "-cloud USGovernment"},
		{"#foreign-authority", authority, customers.Token(stranger), "issuer", "-authority " + authority},
		{"#foreign-id-tokens", "", elsewhere.Token(entratest.IDToken(), stranger), "id_token", "-id-tokens < token.txt"},
	} {
		b.write("#foreign-token", row.token)
		before := b.value(fmt.Sprintf(`document.querySelector(%q).value`, row.field))
		b.click("#foreign .primary")
		b.sees("#foreign-verdicts", row.without)
		if row.value == "" {
			b.click(row.field)
		} else {
			b.write(row.field, row.value)
		}
		b.sees("#foreign-command", "go run ./cmd/entra explain -tenant "+theirTenant)
		b.sees("#foreign-command", row.command)
		b.click("#foreign .primary")
		b.sees("#foreign-verdicts", "Accepted")
		if strings.HasPrefix(row.value, "https://") {
			b.sees("#foreign-verdicts", "The issuer is not checked either")
			b.snapshots("options")
		}
		if row.value == "" {
			b.click(row.field)
		} else {
			b.write(row.field, before)
		}
	}
}

// On a phone, what a route requires stands below it, and Send stands beside the routes.
func TestTheQuickstartFitsItsRouteOnAPhone(t *testing.T) {
	b := openQuickstart(t)
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	for _, method := range []string{"GET", "POST"} {
		b.click("input[value=" + method + "] + span")
		b.sees("#needs", "needs scope")
		if got := b.value(`(box => {
			const [routes, send, needs] = [".segmented", "#request .primary", "#needs"].map(box)
			return JSON.stringify({ routes, send, needs }) + String(send.top < routes.bottom && send.left > routes.right && needs.top >= routes.bottom && needs.width > 300)
		})(selector => document.querySelector(selector).getBoundingClientRect())`); !strings.HasSuffix(got, "true") {
			t.Errorf("%s: got %s, want Send beside the routes and the requirement below them", method, got)
		}
	}
}

const theirTenant = "33333333-3333-4333-8333-333333333333"

func TestTheQuickstartNeedsNoMouse(t *testing.T) {
	b := openQuickstart(t)
	press := func(keys string, modifiers ...chromedp.KeyOption) {
		t.Helper()
		b.do(chromedp.KeyEvent(keys, modifiers...))
		if got := b.value(`(style => style.outlineStyle + style.outlineWidth)(getComputedStyle(
			document.activeElement.matches("input[type=radio]") ? document.activeElement.nextElementSibling : document.activeElement))`); !strings.HasPrefix(got, "solid") {
			t.Errorf("focus on %s: got outline %q, want a visible one", b.value("document.activeElement.outerHTML.slice(0, 80)"), got)
		}
	}
	tabTo := func(selector string) {
		t.Helper()
		for range 60 {
			press(kb.Tab)
			if b.value(fmt.Sprintf("String(document.activeElement.matches(%q))", selector)) == "true" {
				return
			}
		}
		t.Fatalf("got no focus on %s after 60 times Tab", selector)
	}
	// The answer renders anew what could have the focus until then.
	send := func(key, verdict string) {
		t.Helper()
		b.value(`document.querySelector("#verdict").textContent = ""; ""`)
		press(key)
		b.sees("#verdict", verdict)
	}
	tabTo("[name=sample]")
	press(kb.ArrowDown)
	b.sees("#verdict", "audience")
	press(kb.ArrowDown)
	b.sees("#verdict", "id_token")
	press("\r")
	tabTo("[name=method]")
	tabTo("#request .primary")
	send("\r", "id_token")
	tabTo("#edit")
	press("\r")
	b.sees("#editor", "Payload")
	tabTo("#forge")
	send(" ", "signature")
	tabTo("[data-act=rotate]")
	press("\r")
	b.sees("#chart", "keys rotated")
	tabTo("[data-act=down]")
	press(" ")
	b.sees("#happening", "Entra is down")
	b.sees("[data-act=restore]:focus", "Bring Entra back") // the pressed button is disabled now
	press(" ")
	b.sees("#happening", "Entra is up")
	b.sees("[data-act=down]:focus", "Take Entra down")
	tabTo("#foreign-token")
	b.do(chromedp.KeyEvent("a.b.c"))
	tabTo("#foreign .primary")
	press("\r")
	b.sees("#foreign-verdicts", "malformed")
}
