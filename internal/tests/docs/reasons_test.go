package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/advice"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// reasonRoute is a request that is refused for a reason.
type reasonRoute struct {
	reason        entra.Reason
	status        int
	authorization func(*entratest.Server) []string // default: a good token
	require       entra.Requirement
	options       func(*entra.Options)
	decision      error // of a handler, given to Refuse
	down          bool  // Entra
}

// bearing returns the Authorization values of a request whose token is changed after it was minted.
func bearing(change func(string) string, options ...entratest.TokenOption) func(*entratest.Server) []string {
	return func(s *entratest.Server) []string { return []string{"Bearer " + change(s.Token(options...))} }
}

func tokenOf(options ...entratest.TokenOption) func(*entratest.Server) []string {
	return bearing(func(token string) string { return token }, options...)
}

func sending(values ...string) func(*entratest.Server) []string {
	return func(*entratest.Server) []string { return values }
}

var reasonRoutes = []reasonRoute{
	{reason: entra.ReasonNoToken, status: 401, authorization: sending()},
	{reason: entra.ReasonInvalidRequest, status: 400, authorization: sending("Bearer a", "Bearer b")},
	{reason: entra.ReasonMalformed, status: 401, authorization: sending("Bearer opaque")},
	{reason: entra.ReasonTooLarge, status: 401, options: func(o *entra.Options) { o.MaxTokenSize = 100 }},
	{reason: entra.ReasonEncrypted, status: 401, authorization: sending("Bearer a.b.c.d.e")},
	{reason: entra.ReasonAlgorithm, status: 401, authorization: tokenOf(entratest.Header("alg", "HS256"))},
	{reason: entra.ReasonHeader, status: 401, authorization: tokenOf(entratest.Header("crit", []string{"exp"}))},
	{reason: entra.ReasonMicrosoftAPIToken, status: 401, authorization: tokenOf(entratest.Graph())},
	{reason: entra.ReasonUnknownKey, status: 401, authorization: func(s *entratest.Server) []string {
		return []string{"Bearer " + s.Token(entratest.SignedBy(s.UnknownKey()))}
	}},
	{reason: entra.ReasonDistrustedKey, status: 401, authorization: tokenOf(entratest.Header("kid", "withdrawn")), options: func(o *entra.Options) {
		o.DistrustedKeys = []string{"withdrawn"}
	}},
	{reason: entra.ReasonKeyIssuer, status: 401, authorization: func(s *entratest.Server) []string {
		s.Publish(s.UnknownKey().With("cloud_instance_name", "microsoftonline.us"))
		return []string{"Bearer " + s.Token(entratest.SignedBy(s.UnknownKey()))}
	}},
	{reason: entra.ReasonSignature, status: 401, authorization: bearing(func(token string) string {
		return token[:strings.LastIndex(token, ".")] + ".AAAA"
	})},
	{reason: entra.ReasonClaims, status: 401, authorization: tokenOf(entratest.Without("oid"))},
	{reason: entra.ReasonExpired, status: 401, authorization: tokenOf(entratest.Expired())},
	{reason: entra.ReasonNotYetValid, status: 401, authorization: tokenOf(entratest.NotYetValid())},
	{reason: entra.ReasonIssuer, status: 401, authorization: tokenOf(entratest.Claim("iss", "https://login.example/"))},
	{reason: entra.ReasonTenant, status: 401, authorization: tokenOf(entratest.Tenant(entratest.OtherTenantID))},
	{reason: entra.ReasonTenant, status: 403, require: entra.TenantIn(entratest.OtherTenantID)},
	{reason: entra.ReasonAudience, status: 401, authorization: tokenOf(entratest.Audience("api://orders"))},
	{reason: entra.ReasonVersion, status: 401, authorization: tokenOf(entratest.Claim("ver", "1.0"))},
	{reason: entra.ReasonIDToken, status: 401, authorization: tokenOf(entratest.IDToken())},
	{reason: entra.ReasonNoPermissions, status: 401, authorization: tokenOf(entratest.App())},
	{reason: entra.ReasonBoundToken, status: 401, authorization: tokenOf(entratest.Bound())},
	{reason: entra.ReasonScope, status: 403, require: entra.Scope(entratest.ScopeWrite)},
	{reason: entra.ReasonRole, status: 403, require: entra.Role("Orders.Owner")},
	{reason: entra.ReasonAppPermission, status: 403, require: entra.AppPermission("Orders.Write.All"), authorization: tokenOf(entratest.App(entratest.RoleDaemon))},
	{reason: entra.ReasonClient, status: 403, require: entra.ClientIn(entratest.SPAClientID), authorization: tokenOf(entratest.CallingApp(entratest.ClientID))},
	{reason: entra.ReasonHuman, status: 403, require: entra.Human(), authorization: tokenOf(entratest.App(entratest.RoleDaemon))},
	{reason: entra.ReasonAuthContext, status: 403, require: entra.AuthContext("c1")},
	{reason: entra.ReasonAuthContext, status: 401, require: entra.AuthContext("c1"), authorization: tokenOf(entratest.Capabilities("cp1"))},
	{reason: entra.ReasonKeysUnavailable, status: 503, down: true},
	{reason: entra.ReasonInvalidToken, status: 401, decision: fmt.Errorf("the session was ended: %w", entra.ErrInvalidToken)},
	{reason: entra.ReasonForbidden, status: 403, decision: fmt.Errorf("the tenant is no customer: %w", entra.ErrForbidden)},
	{reason: entra.ReasonInternal, status: 500, decision: errors.New("the list of customers is down")},
}

// refuse sends the request and returns the status of the answer, its reason as the client sees it, and the log's text.
func (route reasonRoute) refuse(t *testing.T) (status int, reason entra.Reason, text string) {
	t.Helper()
	tenant := entratest.New(t)
	authorization := []string{"Bearer " + tenant.Token()}
	if route.authorization != nil {
		authorization = route.authorization(tenant)
	}
	if route.down {
		tenant.Down()
	}
	var log bytes.Buffer
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
		o.Logger = slog.New(refusalsOnly{slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})})
		if route.options != nil {
			route.options(o)
		}
	})
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if route.decision == nil {
			t.Error("the handler was reached")
		}
		verifier.Refuse(w, r, route.decision)
	})
	if route.require != nil {
		handler = entra.Require(route.require)(handler)
	}
	w := testbed.Serve(verifier.Authenticate(handler), authorization...)
	var problem struct{ Reason entra.Reason }
	var line struct{ Error string }
	if err := errors.Join(json.Unmarshal(w.Body.Bytes(), &problem), json.Unmarshal(log.Bytes(), &line)); err != nil {
		t.Fatalf("got the answer %q and the log %q: %v", w.Body, &log, err)
	}
	return w.Code, problem.Reason, line.Error
}

// refusalsOnly leaves out the lines about keys.
type refusalsOnly struct{ slog.Handler }

func (h refusalsOnly) Handle(ctx context.Context, r slog.Record) error {
	if r.Message != "entra: request refused" {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func TestEveryReasonIsReached(t *testing.T) {
	reached := make(map[entra.Reason]bool)
	for _, route := range reasonRoutes {
		status, reason, text := route.refuse(t)
		if status != route.status || reason != route.reason {
			t.Errorf("got status %d and reason %q (%s), want %d and %q", status, reason, text, route.status, route.reason)
		}
		reached[reason] = true
	}
	for _, reason := range testbed.Reasons(t) {
		if !reached[reason] {
			t.Errorf("no request is refused for the reason %q", reason)
		}
	}
}

var meaningCauseCure = regexp.MustCompile(`^\S.*\. \*\*Cause:\*\* \S.*\. \*\*Cure:\*\* \S.*\.$`)

// documentedReasons reads the lists of docs/reasons.md: the statuses of each reason, and an example of its text.
func documentedReasons(t *testing.T) (statuses map[entra.Reason][]string, examples map[entra.Reason]string) {
	t.Helper()
	text := read(t, "docs/reasons.md")
	statuses, examples = make(map[entra.Reason][]string), make(map[entra.Reason]string)
	for _, row := range regexp.MustCompile("(?m)^- \\*\\*`([a-z_]+)`\\*\\*, (\\d[\\d, ]*)\\. (.*)$").FindAllStringSubmatch(strings.ReplaceAll(text, "\n  ", " "), -1) {
		reason := entra.Reason(row[1])
		if statuses[reason] != nil {
			t.Errorf("%s stands twice in the lists", reason)
		}
		statuses[reason] = strings.Split(row[2], ", ")
		if !meaningCauseCure.MatchString(row[3]) {
			t.Errorf("%s: got %q, want meaning, cause and cure", reason, row[3])
		}
	}
	for _, example := range regexp.MustCompile("(?m)^- `([a-z_]+)`: `(.+)`$").FindAllStringSubmatch(text, -1) {
		examples[entra.Reason(example[1])] = example[2]
	}
	return statuses, examples
}

func TestEveryReasonIsDocumented(t *testing.T) {
	statuses, examples := documentedReasons(t)
	declared := testbed.Reasons(t)
	for _, reason := range declared {
		var want []string
		for _, route := range reasonRoutes {
			if status := strconv.Itoa(route.status); route.reason == reason && !slices.Contains(want, status) {
				want = append(want, status)
			}
		}
		if got := statuses[reason]; !slices.Equal(got, want) {
			t.Errorf("%s: got the statuses %q in the lists, want %q", reason, got, want)
		}
		if examples[reason] == "" {
			t.Errorf("%s: got no example of its text, want one", reason)
		}
	}
	for reason := range statuses {
		if !slices.Contains(declared, reason) {
			t.Errorf("the lists have %s, which errors.go does not declare", reason)
		}
	}
}

// An example is what an operator reads, with three dots for what differs from case to case.
func TestDocumentedTextsAreTrue(t *testing.T) {
	_, examples := documentedReasons(t)
	seen := make(map[entra.Reason]bool)
	for _, route := range reasonRoutes {
		if seen[route.reason] {
			continue // There is one example for each reason, that of its first route.
		}
		seen[route.reason] = true
		_, reason, text := route.refuse(t)
		pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(examples[reason]), "…", ".*") + "$"
		if matched, err := regexp.MatchString(pattern, text); err != nil || !matched {
			t.Errorf("%s: got the text\n%s\nwant that of docs/reasons.md,\n%s", reason, text, examples[reason])
		}
	}
}

// How to make the change is said in one wording, here, on the page and by the command.
func TestDocumentedAdviceIsTrue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testbed.Root(t), "docs", "reasons.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## How to make the change\n")
	if !found {
		t.Fatal("docs/reasons.md has no section on how to make the change")
	}
	var want strings.Builder
	for _, reason := range testbed.Reasons(t) {
		fmt.Fprintf(&want, "- `%s`: %s\n", reason, advice.ForReason(reason).Change)
	}
	if !strings.HasSuffix(section, "\n\n"+want.String()) {
		t.Errorf("docs/reasons.md must end with\n%s", &want)
	}
}
