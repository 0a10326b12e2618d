package entra

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/entra-go/entra/internal/counter"
	"github.com/entra-go/entra/internal/loglimit"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/quote"
)

// responder answers refused requests: the same way for a token, a requirement and a handler's own decision.
type responder struct {
	challenge challenge
	handler   func(http.ResponseWriter, *http.Request, error)
	logger    *slog.Logger     // nil: slog.Default() at the time
	limit     loglimit.Limiter // by reason, of which there are few
	counts    *counts
}

// unconfigured answers where no Verifier says how: in tests of handlers, and for mistakes. There is one for all, so that
// its log lines are limited together.
var unconfigured = &responder{handler: WriteProblem, counts: new(counts)}

// refuse answers a request with err. It is the one place that does.
func (p *responder) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		err = internalFault("a request was refused without an error; whoever called Refuse must say why", nil)
	}
	status := StatusCode(err)
	// A caller that went away is not counted as refused, and nobody reads this answer. While the request lives, the
	// deadline was another one's: a fault on this side, which must not go unseen.
	if !isContextError(err) || r.Context().Err() == nil {
		p.record(r.Context(), status, err)
	}
	setFields(w.Header(), field{"Cache-Control", "no-store"}, field{"X-Content-Type-Options", "nosniff"},
		field{"Www-Authenticate", p.challenge.forError(err)})
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter(err))
	}
	answer := &answer{ResponseWriter: w, status: status}
	p.handler(answer, r, err)
	answer.start()
}

// record counts and logs err, unless that was done before.
func (p *responder) record(ctx context.Context, status int, err error) {
	refused, ok := asRefusal(err)
	if !ok {
		reason := ReasonOf(err)
		if reason == "" {
			reason = ReasonInternal
		}
		refused = &refusal{Reason: string(reason)}
	}
	if !refused.Counted {
		p.counts.refuse(Reason(refused.Reason))
	}
	if !refused.Logged {
		p.log(ctx, status, err, refused)
	}
}

// recordOnce counts and logs err where no answer is written, and notes in it that it was: whoever answers with it later
// must not do so again. err was made for this one refusal.
func (p *responder) recordOnce(ctx context.Context, err error) {
	if isContextError(err) {
		return
	}
	p.record(ctx, StatusCode(err), err)
	if refused, ok := err.(*refusal); ok {
		refused.Counted, refused.Logged = true, true
	}
}

// log writes a line about err, unless too many were written for its reason a moment ago.
func (p *responder) log(ctx context.Context, status int, err error, refused *refusal) {
	level := slog.LevelInfo
	switch {
	// Clients that act on challenges send their first request without a token.
	case refused.Expected:
		level = slog.LevelDebug
	case status == http.StatusServiceUnavailable:
		level = slog.LevelWarn
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	}
	logger := p.logger
	if logger == nil {
		logger = slog.Default()
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	// After the level: lines that nobody wants must not use up the limit.
	leftOut, ok := p.limit.Admit(refused.Reason, time.Now())
	if !ok {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("reason", refused.Reason), slog.Int("status", status))
	who := refused.About
	for _, field := range []struct{ name, value string }{
		{"tid", who.Tenant}, {"client", who.Client}, {"kid", who.Key}, {"uti", who.Token},
	} {
		if field.value != "" {
			attrs = append(attrs, slog.String(field.name, quote.Field(field.value)))
		}
	}
	attrs = append(attrs, slog.String("error", err.Error()))
	if leftOut > 0 {
		attrs = append(attrs, slog.Int("left_out", leftOut))
	}
	logger.LogAttrs(ctx, level, "entra: request refused", attrs...)
}

// Stats is a snapshot of what a [Verifier] has done since it was made, like sql.DBStats. Numbers only grow, but for Keys.
// Those of [Combine] are sums, and LastFetch is the latest of all: that one authority is away shows in the Stats of its own
// Verifier.
type Stats struct {
	Verified   uint64 // tokens accepted
	Remembered uint64 // of these, accepted from memory, without a signature check

	// Refused counts requests and tokens refused, by reason; reasons without any are missing.
	// It does not count a request whose own context ended.
	Refused map[Reason]uint64

	Fetches       uint64 // fetches of the key documents that were started
	FetchFailures uint64 // of these, failed ones
	Keys          int    // signing keys held now

	// LastFetch is the end of the last good fetch, by an earlier process if the keys came from
	// Options.KeyCache; zero if there was none.
	LastFetch time.Time
}

// add adds what a has counted.
func (s *Stats) add(a *authority) {
	remembered, keys := a.counts.remembered.Load(), a.keys.Stats()
	s.Verified += a.counts.verified.Load() + remembered
	s.Remembered += remembered
	for reason, n := range a.counts.refusals() {
		s.Refused[reason] += n
	}
	s.Fetches += keys.Fetches
	s.FetchFailures += keys.Failures
	s.Keys += keys.Keys
	if keys.LastFetch.After(s.LastFetch) {
		s.LastFetch = keys.LastFetch
	}
}

// counts are what a Verifier counts of tokens and requests.
type counts struct {
	verified, remembered counter.Counter

	mu      sync.Mutex
	refused map[Reason]uint64 // of this package's reasons, which are few
}

func (c *counts) refuse(reason Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[Reason]uint64)
	}
	c.refused[reason]++
}

func (c *counts) refusals() map[Reason]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		return make(map[Reason]uint64)
	}
	return maps.Clone(c.refused)
}

// retryAfter says when keys may be back, in whole seconds, one at least (RFC 9110 section 10.2.3).
func retryAfter(err error) string {
	refused, ok := asRefusal(err)
	if !ok {
		return "1"
	}
	return inSeconds(refused.RetryAfter)
}

// inSeconds is a time to wait as Retry-After has it.
func inSeconds(wait time.Duration) string {
	return strconv.Itoa(max(1, int((wait+time.Second-1)/time.Second)))
}

// answer makes sure that a refused request is answered with its status, whatever the handler does: without WriteHeader,
// or without any answer, net/http would send 200.
type answer struct {
	http.ResponseWriter
	status  int
	started bool
}

func (a *answer) start() {
	if !a.started {
		a.WriteHeader(a.status)
	}
}

func (a *answer) WriteHeader(status int) {
	// 1xx are no answers yet, but for 101.
	a.started = a.started || status >= 200 || status == http.StatusSwitchingProtocols
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(body []byte) (int, error) {
	a.start()
	return a.ResponseWriter.Write(body)
}

// FlushError lets http.ResponseController flush.
func (a *answer) FlushError() error {
	a.start()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Flush is the older form of FlushError.
func (a *answer) Flush() { _ = a.FlushError() }

// Unwrap gives http.ResponseController the other abilities of the writer.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// challenge holds the parts of a WWW-Authenticate value that are the same for every request.
type challenge struct {
	authorizationURI string
	resourceMetadata string
	scopes           string // of every 401, separated by spaces
	scopePrefix      string
}

func newChallenge(p *policy.Policy, r *resource) challenge {
	c := challenge{authorizationURI: headerSafe(p.SignInURL()), scopePrefix: p.ScopePrefix()}
	if r != nil {
		c.resourceMetadata, c.scopes = r.metadataURL, scopeValue(r.scopes)
	}
	return c
}

// forError returns the WWW-Authenticate value for err, or "" where another token would not help. The form is what the
// parsers of Microsoft's client libraries agree on: one challenge, every value quoted, a comma and a space between
// parameters, no commas or quotes inside values.
//
// Source: RFC 6750 section 3; https://learn.microsoft.com/entra/identity-platform/claims-challenge
func (c challenge) forError(err error) string {
	if err == nil {
		return ""
	}
	k := kindOf(err)
	refused, _ := asRefusal(err)
	if refused != nil && refused.Sentinel == nil {
		k = kindInternal
	}
	if k.silent {
		return ""
	}
	stepUp, code, text := refused != nil && refused.Claims != "", k.code, ""
	if stepUp {
		code = "insufficient_claims"
	}
	if code != "" {
		text = clientText(ReasonOf(err))
	}
	scopes, claims := "", ""
	switch {
	case StatusCode(err) == http.StatusUnauthorized:
		scopes = c.scopes
	case refused != nil:
		scopes = c.fullScopes(refused.Scope)
	}
	if stepUp {
		claims = base64.StdEncoding.EncodeToString([]byte(refused.Claims))
	}
	return join(
		`Bearer realm=""`,
		field{"authorization_uri", c.authorizationURI},
		field{"resource_metadata", c.resourceMetadata},
		field{"error", code},
		field{"error_description", text},
		field{"scope", scopes},
		field{"claims", claims})
}

// join returns a scheme with the parameters that have a value, quoted.
func join(scheme string, parameters ...field) string {
	const signs = len(`, =""`)
	size := len(scheme)
	for _, p := range parameters {
		size += signs + len(p.name) + len(p.value)
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(scheme)
	for _, p := range parameters {
		if p.value != "" {
			b.WriteString(", ")
			b.WriteString(p.name)
			b.WriteString(`="`)
			b.WriteString(p.value)
			b.WriteString(`"`)
		}
	}
	return b.String()
}

// fullScopes returns bare names, separated by spaces, as clients ask for them at Entra.
func (c challenge) fullScopes(names string) string {
	var full []string
	for _, name := range strings.Fields(names) {
		full = append(full, c.scopePrefix+name)
	}
	return scopeValue(full)
}

// scopeValue joins scopes for a challenge. It returns "" if one of them does not fit there: clients then read
// scopes_supported, and do not take some of the scopes for all.
func scopeValue(scopes []string) string {
	for _, scope := range scopes {
		if strings.ContainsFunc(scope, breaksValue) {
			return ""
		}
	}
	return strings.Join(scopes, " ")
}

// breaksValue reports whether a character would end a quoted value or confuse the parsers of clients.
func breaksValue(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"\,=`, r) }

// headerSafe escapes in a URL what would end a quoted value or confuse the parsers of clients.
func headerSafe(url string) string {
	var b strings.Builder
	for _, c := range []byte(url) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' || c == ',' {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
