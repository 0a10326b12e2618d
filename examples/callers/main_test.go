package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// start returns the API with the fake tenant in place of Entra. What is genuine comes out of the channel.
func start(t *testing.T) (handler http.Handler, changes *notifications, genuine chan notification, tenant *entratest.Server) {
	t.Helper()
	tenant = entratest.New(t)
	verifier, err := newVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID, entratest.OtherTenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	genuine = make(chan notification, 10)
	changes = newNotifications(verifier, func(item notification) { genuine <- item })
	return newHandler(verifier, changes), changes, genuine, tenant
}

// service is a token as a service of Microsoft's sends it, with these roles.
func service(tenant *entratest.Server, client string, roles []string, options ...entratest.TokenOption) string {
	return tenant.Token(append([]entratest.TokenOption{entratest.App(roles...), entratest.CallingApp(client)}, options...)...)
}

// fromGraph is a token as Graph puts it into notifications: version 1.0, of nobody, without any permission.
func fromGraph(tenant *entratest.Server, options ...entratest.TokenOption) string {
	return service(tenant, graphNotifications, nil, append([]entratest.TokenOption{entratest.V1(), entratest.Audience(entratest.APIClientID),
		entratest.Without("oid", "sub", "idtyp")}, options...)...)
}

func TestEachServiceHasARouteThatOnlyItMayCall(t *testing.T) {
	handler, _, _, tenant := start(t)
	eventGridRole, alertRole := []string{"AzureEventGridSecureWebhookSubscriber"}, []string{"ActionGroupsSecureWebhook"}
	for _, test := range []struct {
		name, path, token string
		status            int
		reason            string
	}{
		{"Event Grid delivers", "/events", service(tenant, eventGrid, eventGridRole), 200, ""},
		{"Event Grid without the role does not", "/events", service(tenant, eventGrid, nil), 401, "no_permissions"},
		{"the writer of the subscription, which has the role too, does not", "/events", service(tenant, entratest.ClientID, eventGridRole), 403, "client"},
		{"Monitor alerts", "/alerts", service(tenant, actionGroups, alertRole), 200, ""},
		{"Event Grid does not alert", "/alerts", service(tenant, eventGrid, eventGridRole), 403, "app_permission"},
		{"the marketplace reports a subscription", "/subscriptions", service(tenant, marketplace, nil), 200, ""},
		{"in version 1.0, too", "/subscriptions", service(tenant, marketplace, nil, entratest.V1()), 200, ""},
		{"another application of the tenant does not", "/subscriptions", service(tenant, entratest.ClientID, nil), 401, "no_permissions"},
		{"nor one with a role", "/subscriptions", service(tenant, entratest.ClientID, alertRole), 403, "client"},
		{"Entra asks for claims", "/claims", service(tenant, authenticationExtensions, nil), 200, ""},
		{"the marketplace does not", "/claims", service(tenant, marketplace, nil), 403, "client"},
		{"a user does not", "/claims", tenant.Token(), 403, "client"},
		{"nobody without a token does", "/claims", "", 401, "no_token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, test.path, strings.NewReader("{}"))
			if test.token != "" {
				r.Header.Set("Authorization", "Bearer "+test.token)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.reason) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, test.status, test.reason)
			}
		})
	}
}

func TestHandshakes(t *testing.T) {
	handler, _, _, tenant := start(t)
	for _, test := range []struct {
		name, method, target, body string
		header                     map[string]string
		want                       string // what the answer holds
	}{
		{"CloudEvents ask with OPTIONS and no token", "OPTIONS", "/events", "", map[string]string{"WebHook-Request-Origin": "eventgrid.azure.net"}, "Webhook-Allowed-Origin: eventgrid.azure.net"},
		{"Event Grid's schema asks with an event", "POST", "/events", `[{"data": {"validationCode": "512d38b6"}}]`, map[string]string{"aeg-event-type": "SubscriptionValidation",
			"Authorization": "Bearer " + service(tenant, eventGrid, []string{"AzureEventGridSecureWebhookSubscriber"})}, `{"validationResponse":"512d38b6"}`},
		{"Graph asks with a text that it wants back", "POST", "/graph?validationToken=Validation%3A+1%262", "", nil, "Validation: 1&2"},
		{"which is text, whatever it looks like", "POST", "/graph?validationToken=%3Cscript%3E", "", nil, "Content-Type: text/plain"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.target, strings.NewReader(test.body))
			for name, value := range test.header {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			var answer bytes.Buffer
			w.Result().Write(&answer)
			if w.Code != http.StatusOK || !strings.Contains(answer.String(), test.want) {
				t.Errorf("got %s, want 200 and %q", &answer, test.want)
			}
		})
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodOptions, "/events", nil))
	if got := w.Header().Get("WebHook-Allowed-Origin"); got != "" {
		t.Errorf("a handshake of nobody: got %q allowed, want nothing", got)
	}
}

// collection is the body of a notification.
func collection(t *testing.T, tokens []string, tenants ...string) []byte {
	t.Helper()
	body := map[string]any{"validationTokens": tokens}
	var items []notification
	for _, id := range tenants {
		items = append(items, notification{SubscriptionID: "s1", TenantID: id, ChangeType: "created"})
	}
	body["value"] = items
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestNotificationsAreGenuine(t *testing.T) {
	_, changes, _, tenant := start(t)
	const us, them = entratest.TenantID, entratest.OtherTenantID
	good := fromGraph(tenant)
	for _, test := range []struct {
		name    string
		body    []byte
		changes int    // that are genuine
		refusal string // what the error says otherwise
	}{
		{"one token, two changes of its tenant", collection(t, []string{good}, us, us), 2, ""},
		{"two tenants, a token of each", collection(t, []string{good, fromGraph(tenant, entratest.Tenant(them))}, us, them), 2, ""},
		{"in version 2.0, too", collection(t, []string{fromGraph(tenant, entratest.V2())}, us), 1, ""},
		{"a change of a tenant without a token", collection(t, []string{good}, us, them), 0, "no token is of the tenant"},
		{"no token", collection(t, nil, us), 0, "0 validation tokens"},
		{"more tokens than there can be", collection(t, make([]string, maxTokens+1), us), 0, "101 validation tokens"},
		{"a good token and a bad one", collection(t, []string{good, "forged"}, us), 0, "no JWT"},
		{"an expired token", collection(t, []string{fromGraph(tenant, entratest.Expired())}, us), 0, "expired"},
		{"a token for another application", collection(t, []string{fromGraph(tenant, entratest.Audience(entratest.ClientID))}, us), 0, "audience"},
		{"another application's token", collection(t, []string{service(tenant, entratest.ClientID, []string{"Orders.Read.All"})}, us), 0, entratest.ClientID},
		{"a user's token", collection(t, []string{tenant.Token()}, us), 0, entratest.ClientID},
		{"two tokens in one", collection(t, []string{good + " " + good}, us), 0, "entra: "},
		{"a client that did not prove itself", collection(t, []string{fromGraph(tenant, entratest.Claim("appidacr", "0"))}, us), 0, "entra: "},
		{"no JSON", []byte("{"), 0, "JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			items, err := changes.genuine(t.Context(), test.body)
			if len(items) != test.changes || (err == nil) != (test.refusal == "") || err != nil && !strings.Contains(err.Error(), test.refusal) {
				t.Errorf("got %d changes and %v, want %d and %q", len(items), err, test.changes, test.refusal)
			}
		})
	}
}

func TestNotificationsAreAcceptedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, changes, genuine, tenant := start(t)
		post := func(body []byte) int {
			r := httptest.NewRequest(http.MethodPost, "/graph", bytes.NewReader(body))
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if got, _ := io.ReadAll(w.Result().Body); len(got) > 0 && w.Code == http.StatusAccepted {
				t.Errorf("got the text %q, want none", got)
			}
			return w.Code
		}
		good := collection(t, []string{fromGraph(tenant)}, entratest.TenantID)
		tenant.Down() // no key yet: what is accepted must wait, not vanish
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go changes.work(ctx)
		for name, body := range map[string][]byte{"genuine": good, "forged": collection(t, []string{"forged"}, entratest.TenantID)} {
			if got := post(body); got != http.StatusAccepted {
				t.Errorf("a %s notification: got %d, want 202", name, got)
			}
		}
		time.Sleep(15 * time.Second)
		tenant.Restore()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := len(genuine); got != 1 {
			t.Errorf("got %d genuine changes once Entra is back, want 1", got)
		}
	})
}

func TestNotificationsAreBounded(t *testing.T) {
	handler, _, _, _ := start(t) // nobody works
	post := func(body io.Reader) int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/graph", body))
		return w.Code
	}
	if got := post(strings.NewReader(strings.Repeat(" ", maxNotification+1))); got != http.StatusBadRequest {
		t.Errorf("a notification that is too large: got %d, want 400", got)
	}
	for range maxWaiting {
		if got := post(strings.NewReader("{}")); got != http.StatusAccepted {
			t.Fatalf("got %d, want 202", got)
		}
	}
	if got := post(strings.NewReader("{}")); got != http.StatusServiceUnavailable {
		t.Errorf("one more than can wait: got %d, want 503, so that Graph comes back", got)
	}
}

// TestTheExtensionOfAnExternalIDTenant is called by its own directory, so Authority stands in place of Tenants.
func TestTheExtensionOfAnExternalIDTenant(t *testing.T) {
	const authority = "https://contoso.ciamlogin.com/33333333-3333-4333-8333-333333333333/v2.0"
	tenant := entratest.New(t, entratest.Config{Authority: authority})
	verifier, err := newVerifier(entra.Options{Authority: authority, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})
	if err != nil {
		t.Fatal(err)
	}
	handler := newHandler(verifier, newNotifications(verifier, nil))
	for client, want := range map[string]int{authenticationExtensions: http.StatusOK, entratest.ClientID: http.StatusUnauthorized} {
		r := httptest.NewRequest(http.MethodPost, "/claims", strings.NewReader("{}"))
		r.Header.Set("Authorization", "Bearer "+service(tenant, client, nil))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d %s, want %d", client, w.Code, w.Body, want)
		}
	}
}

func TestClaimsForToken(t *testing.T) {
	handler, _, _, tenant := start(t)
	r := httptest.NewRequest(http.MethodPost, "/claims", strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer "+service(tenant, authenticationExtensions, nil))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	const want = `{"data":{"@odata.type":"microsoft.graph.onTokenIssuanceStartResponseData","actions":[` +
		`{"@odata.type":"microsoft.graph.tokenIssuanceStart.provideClaimsForToken","claims":{"costCenter":"4711"}}]}}`
	if got := strings.TrimSpace(w.Body.String()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
