package interop_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/entra-go/entra/entratest"
)

// startTenant starts a tenant as strict as Entra, to which a page's redirect URIs are known.
func startTenant(t *testing.T, redirectURIs ...string) (tenant *entratest.Server, emulator string) {
	t.Helper()
	tenant = entratest.New(t, entratest.Config{Strict: true, Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Name: "Orders API", Scopes: []string{entratest.ScopeRead, entratest.ScopeWrite}},
		{ClientID: entratest.SPAClientID, Name: "Orders", SPARedirectURIs: redirectURIs},
	}})
	emulator, err := tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	return tenant, emulator
}

// TestSwaggerUISignsIn signs in on the page of examples/openapi with Swagger UI itself, and calls the API from there.
func TestSwaggerUISignsIn(t *testing.T) {
	node(t) // For Swagger UI.
	folder, err := filepath.Abs("node_modules/swagger-ui-dist")
	if err != nil {
		t.Fatal(err)
	}
	_, emulator := startTenant(t, "http://localhost/docs/oauth2-redirect.html")
	address := freePort(t)
	runExample(t, "openapi", "-addr", address, "-emulator", emulator, "-ui", folder)
	waitFor(t, "http://"+address+"/docs/")
	b := newBrowser(t)
	b.do(chromedp.Navigate("http://" + address + "/docs/"))
	b.sees("#swagger-ui .title", "Orders")
	b.picture("openapi-1-page") // Swagger UI's own layout: how it looks elsewhere is not ours to judge.

	b.click(".auth-wrapper .authorize")
	b.sees(".auth-container", entratest.APIURI+"/"+entratest.ScopeRead)
	b.picture("openapi-2-dialog")
	popup := b.popup(".auth-container .btn.authorize")
	popup.sees("body", "Pick an account")
	popup.click(alice)
	b.sees(".auth-container", "Authorized")
	b.click(".auth-container .btn-done")

	try := func(operation, status string) {
		t.Helper()
		b.click(operation + " .opblock-summary-control")
		b.click(operation + " .try-out__btn")
		b.click(operation + " .execute")
		b.sees(operation+" .live-responses-table .response .response-col_status", status)
	}
	try("#operations-default-get_orders", "200")
	b.sees("#operations-default-get_orders .live-responses-table", "orders of user "+entratest.AliceObjectID)
	try("#operations-default-post_orders", "403") // The scope Orders.Write was not ticked.
	b.picture("openapi-3-called")
	if faults := b.faultsSoFar(); len(faults) > 0 {
		t.Errorf("the page's scripts: got %q, want no fault", faults)
	}
}

// TestTheLivePageInABrowser opens a WebSocket and reads server-sent events on the page of examples/elsewhere.
func TestTheLivePageInABrowser(t *testing.T) {
	tenant, emulator := startTenant(t)
	address := freePort(t)
	runExample(t, "elsewhere", "-addr", address, "-emulator", emulator)
	waitFor(t, "http://"+address)
	b := newBrowser(t)
	try := func(how, token, state string) {
		t.Helper()
		b.do(chromedp.Navigate("http://" + address + "/"))
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void (document.querySelector('input').value = %q)", token)))
		b.click(fmt.Sprintf("button[value=%s]", how))
		b.sees("#state", state)
	}
	try("socket", tenant.Token(), "open, protocol orders.v1")
	b.sees("#orders", "order of")
	try("events", tenant.Token(), "reading")
	b.sees("#orders", "order of")
	try("socket", tenant.Token(entratest.Expired()), "closed, 1006") // A browser tells a page no more than that.
	try("events", tenant.Token(entratest.Expired()), `401 Bearer realm="", authorization_uri=`)
	if faults := b.faultsSoFar(); len(faults) > 0 {
		t.Errorf("the page's scripts: got %q, want no fault", faults)
	}
}
