// Package entra lets a net/http API accept the bearer tokens of Microsoft Entra ID and refuse everything else.
//
// A [Verifier] answers "who is it?": it takes the token from the request, checks signature, lifetime, issuer, tenant,
// audience and kind, and puts typed [Claims] into the request's context. [Require] answers "may they?" route by route:
//
//	verifier, err := entra.NewVerifier(entra.Options{
//		Tenants:  []string{"72f988bf-86f1-41af-91ab-2d7cd011db47"}, // Directory (tenant) ID
//		ClientID: "6e74172b-be56-4843-9ff4-e66a39bb12e3",           // Application (client) ID of this API
//	})
//	api.Handle("GET /orders", entra.Require(entra.Scope("Orders.Read"))(http.HandlerFunc(listOrders)))
//	mux.Handle("/", verifier.Authenticate(api))
//
// # What it promises
//
// Signing keys are fetched when first needed and then kept beside the requests: a token of a known key never waits. A
// key is held for 24 hours after Entra last named it, whatever Entra answers meanwhile. A key that is not known makes a
// request wait for one fetch, 10 seconds at most; key IDs that do not exist cost a fetch after 5 seconds at the
// soonest, then ever fewer, down to one in 5 minutes. Without any key requests get 503, and pass again within 10
// seconds of Entra's return. SECURITY.md lists the promises with the tests that hold them.
//
// # Streams
//
// A token is judged when its request begins. A handler that streams for longer must end by [Claims.ExpiresAt] itself.
package entra

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/entra-go/entra/internal/bearer"
	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/memory"
	"github.com/entra-go/entra/internal/refuse"
)

// Verifier verifies Entra bearer tokens. It never changes: to reconfigure, make a new one and swap an atomic.Pointer.
// Its methods are safe for concurrent use, and several Verifiers share nothing. The zero Verifier refuses everything
// with status 500; make one with [NewVerifier].
type Verifier struct {
	settings *settings
	keys     *keyset.Set
	memory   *memory.Memory[remembered]
	tally    *tally
	respond  *responder
	resource *resource
}

// NewVerifier returns a Verifier for options, or an error that names every mistake in them with its field, a line each.
// It makes no network request, and starts no goroutine: keys are fetched when a token needs them, or by
// [Verifier.Ready].
func NewVerifier(options Options) (*Verifier, error) {
	s, err := options.settings()
	res, resErr := options.resource()
	if err := errors.Join(err, resErr); err != nil {
		return nil, err
	}
	logger := options.Logger
	if logger == nil {
		logger = slog.Default()
	}
	v := &Verifier{
		settings: s,
		keys:     newKeys(s, fetch.New(options.HTTPClient), logger),
		memory:   memory.New[remembered](s.cacheSize),
		tally:    new(tally),
		resource: res,
	}
	v.respond = &responder{challenge: s.challenge(res), handler: options.ErrorHandler, log: newRefusalLog(logger), tally: v.tally}
	if v.respond.handler == nil {
		v.respond.handler = WriteProblem
	}
	return v, nil
}

// Authenticate returns a handler that passes a request on to next if it carries a valid token, with the token's claims
// in the context ([ClaimsFromContext]), and else answers it: 401, 400 for a malformed header, 503 while no keys can be
// had. Request and writer reach next untouched. No method and no path is exempt: handlers for CORS stand outside it.
// It panics if next is nil.
func (v *Verifier) Authenticate(next http.Handler) http.Handler {
	return v.authenticate(next, false)
}

// AuthenticateOptional is [Verifier.Authenticate], but passes requests without an Authorization header on to next,
// without claims. A request with such a header is refused if the token is not valid, or not a bearer token.
func (v *Verifier) AuthenticateOptional(next http.Handler) http.Handler {
	return v.authenticate(next, true)
}

func (v *Verifier) authenticate(next http.Handler, optional bool) http.Handler {
	if next == nil {
		panic("entra: Authenticate needs a handler, got nil")
	}
	answerer := v.responder()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.settings == nil {
			answerer.refuse(w, r, zeroVerifier())
			return
		}
		id := &identity{verifier: v}
		if optional && len(r.Header["Authorization"]) == 0 {
			next.ServeHTTP(w, r.WithContext(withIdentity(r.Context(), id)))
			return
		}
		var err error
		if id.claims, err = v.verifyRequest(r); err != nil {
			answerer.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(withIdentity(r.Context(), id)))
	})
}

func (v *Verifier) verifyRequest(r *http.Request) (*Claims, error) {
	token, err := bearer.Token(r.Header)
	switch {
	case errors.Is(err, bearer.ErrNone):
		return nil, &refusal{Sentinel: ErrNoToken, Reason: string(ReasonNoToken), Text: "no bearer token in the Authorization header"}
	case err != nil:
		return nil, invalidRequest(err)
	}
	claims, err := v.verify(r.Context(), token)
	if err == nil {
		return claims, nil
	}
	// A token that was verified keeps to the grammar, and one that is too large is not read.
	if len(token) <= v.settings.maxTokenSize {
		if err := bearer.Check(token); err != nil {
			return nil, invalidRequest(err)
		}
	}
	v.count(err)
	return nil, err
}

func invalidRequest(err error) error {
	return &refusal{Sentinel: ErrInvalidRequest, Reason: string(ReasonInvalidRequest), Text: err.Error()}
}

// Verify returns the claims of a valid access token: a JWS in compact form, without "Bearer". Its errors wrap
// [ErrInvalidToken] or [ErrKeysUnavailable], or are the error of ctx if that ends while it waits for keys. Claims are
// never returned with an error. It counts, but does not log. A zero Verifier returns an error of neither kind.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	if v.settings == nil {
		return nil, zeroVerifier()
	}
	claims, err := v.verify(ctx, token)
	if err != nil {
		v.count(err)
		return nil, err
	}
	return claims, nil
}

// count counts a refused token, and notes in the error that it was: whoever answers with it must not count it again.
func (v *Verifier) count(err error) {
	var refused *refusal
	if errors.As(err, &refused) {
		v.tally.refuse(Reason(refused.Reason))
		refused.Counted = true
	}
}

// Refuse answers a request as [Verifier.Authenticate] does: challenge and headers, log line, count, ErrorHandler. It
// is for adapters that call [Verifier.Verify] themselves, and for decisions inside handlers: wrap [ErrForbidden]. A nil
// err is a mistake and answered with 500.
func (v *Verifier) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	v.responder().refuse(w, r, err)
}

// Challenge returns the WWW-Authenticate value that belongs to err, for gRPC and the like, or "" where there is none: for
// nil, for [ErrKeysUnavailable], for errors that are none of this package's.
func (v *Verifier) Challenge(err error) string {
	return v.responder().challenge.forError(err)
}

// Ready returns nil once signing keys are held. If there are none it fetches them and waits, unless a fetch failed a
// moment ago; its errors wrap [ErrKeysUnavailable], or are ctx's. For start-up and readiness probes.
func (v *Verifier) Ready(ctx context.Context) error {
	if v.settings == nil {
		return zeroVerifier()
	}
	return unavailable(v.keys.Ready(ctx))
}

// Stats returns what the Verifier has counted since it was made.
func (v *Verifier) Stats() Stats {
	if v.settings == nil {
		return Stats{Refused: make(map[Reason]uint64)}
	}
	remembered := v.tally.remembered.Load()
	s := Stats{Verified: v.tally.verified.Load() + remembered, Remembered: remembered, Refused: v.tally.refusals()}
	keys := v.keys.Stats()
	s.Fetches, s.FetchFailures, s.Keys, s.LastFetch = keys.Fetches, keys.Failures, keys.Keys, keys.LastFetch
	return s
}

func (v *Verifier) responder() *responder {
	if v.respond == nil {
		return newDefaultResponder()
	}
	return v.respond
}

func zeroVerifier() error {
	return internalFault("this Verifier is not configured; make it with entra.NewVerifier", nil)
}

// responder answers refused requests: the same way for a token, a requirement and a handler's own decision.
type responder struct {
	challenge challenge
	handler   func(http.ResponseWriter, *http.Request, error)
	log       *refusalLog
	tally     *tally
}

// newDefaultResponder answers where no Verifier says how: in tests of handlers, and for mistakes.
func newDefaultResponder() *responder {
	return &responder{handler: WriteProblem, log: newRefusalLog(slog.Default()), tally: new(tally)}
}

// refuse answers a request with err. It is the one place that does.
func (a *responder) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		err = internalFault("a request was refused without an error; whoever called Refuse must say why", nil)
	}
	status := StatusCode(err)
	// Nobody waits for this answer any more, and leaving is no offence.
	if !isContextError(err) {
		a.record(r, status, err)
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if challenge := a.challenge.forError(err); challenge != "" {
		header.Set("WWW-Authenticate", challenge)
	}
	if status == http.StatusServiceUnavailable {
		header.Set("Retry-After", retryAfterValue(err))
	}
	answer := &answer{ResponseWriter: w, status: status}
	a.handler(answer, r, err)
	answer.start()
}

func (a *responder) record(r *http.Request, status int, err error) {
	reason := ReasonOf(err)
	var refused *refusal
	var who refuse.About
	if errors.As(err, &refused) {
		who = refused.About
	}
	if refused == nil || !refused.Counted {
		a.tally.refuse(reason)
	}
	a.log.write(r.Context(), reason, status, err, who)
}
