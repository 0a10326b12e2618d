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
	"time"

	"github.com/entra-go/entra/internal/bearer"
	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/jws"
	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/memory"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/golang-jwt/jwt/v5"
)

// Verifier verifies Entra bearer tokens. It never changes: to reconfigure, make a new one and swap an atomic.Pointer.
// Its methods are safe for concurrent use, and several Verifiers share nothing. The zero Verifier refuses everything
// with status 500; make one with [NewVerifier].
type Verifier struct {
	policy       *policy.Policy // nil in the zero Verifier
	keys         keys
	memory       *memory.Memory[remembered] // nil: tokens are not remembered
	counts       *counts
	respond      *responder
	resource     *resource // nil without Options.Resource
	maxTokenSize int
}

// NewVerifier returns a Verifier for options, or an error that names every mistake in them with its field, a line each.
// It makes no network request, and starts no goroutine: keys are fetched when a token needs them, or by
// [Verifier.Ready].
func NewVerifier(options Options) (*Verifier, error) {
	p, wrong := policy.New(options.policy())
	maxTokenSize, sizeErr := options.maxTokenSize()
	res, resErr := options.resource()
	if err := errors.Join(append(wrong, sizeErr, resErr)...); err != nil {
		return nil, err
	}
	logger, handler := options.Logger, options.ErrorHandler
	if logger == nil {
		logger = slog.Default()
	}
	if handler == nil {
		handler = WriteProblem
	}
	counts := new(counts)
	return &Verifier{
		policy:       p,
		keys:         newKeys(p, fetch.New(options.HTTPClient), logger),
		memory:       memory.New[remembered](options.cacheSize()),
		counts:       counts,
		respond:      &responder{challenge: newChallenge(p, res), handler: handler, logger: logger, counts: counts},
		resource:     res,
		maxTokenSize: maxTokenSize,
	}, nil
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
	responder := v.responder()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.policy == nil {
			responder.refuse(w, r, zeroVerifier())
			return
		}
		id := &identity{verifier: v}
		if optional && len(r.Header["Authorization"]) == 0 {
			next.ServeHTTP(w, r.WithContext(withIdentity(r.Context(), id)))
			return
		}
		var err error
		if id.claims, err = v.verifyRequest(r); err != nil {
			responder.refuse(w, r, err)
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
	if len(token) <= v.maxTokenSize {
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
	if v.policy == nil {
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
		v.counts.refuse(Reason(refused.Reason))
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
	if v.policy == nil {
		return zeroVerifier()
	}
	return v.keys.ready(ctx)
}

// Stats returns what the Verifier has counted since it was made.
func (v *Verifier) Stats() Stats {
	if v.policy == nil {
		return Stats{Refused: make(map[Reason]uint64)}
	}
	remembered := v.counts.remembered.Load()
	s := Stats{Verified: v.counts.verified.Load() + remembered, Remembered: remembered, Refused: v.counts.refusals()}
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

// Stats is a snapshot of what a [Verifier] has done since it was made.
type Stats struct {
	Verified   uint64            // tokens accepted
	Remembered uint64            // of these, accepted from memory, without a signature check
	Refused    map[Reason]uint64 // requests and tokens refused, by reason

	Fetches       uint64    // fetches of the key documents that were started
	FetchFailures uint64    // of these, failed ones
	Keys          int       // signing keys held
	LastFetch     time.Time // end of the last good fetch; zero if there was none
}

func zeroVerifier() error {
	return internalFault("this Verifier is not configured; make it with entra.NewVerifier", nil)
}

// remembered is a token that was verified: what it says, and with which key. It is remembered under the hash of all that
// follows the header.
type remembered struct {
	claims  *Claims
	entries []string // of the claims' lists
	key     *keyset.Key
	header  string
}

// verify sets ErrInvalidToken on every error of a check, in this one place: a check that forgot its sentinel would be a
// fault of the server.
func (v *Verifier) verify(ctx context.Context, token string) (*Claims, error) {
	claims, err := v.check(ctx, token)
	if refused, ok := err.(*refusal); ok && refused.Sentinel == nil {
		refused.Sentinel = ErrInvalidToken
	}
	return claims, err
}

func (v *Verifier) check(ctx context.Context, token string) (*Claims, error) {
	t, err := jws.Cut(token, v.maxTokenSize)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	k := v.keys.ByHeader(t.Header, now)
	if k == nil {
		if k, err = v.keyOf(ctx, &t); err != nil {
			return nil, err
		}
		// The search may have waited for a fetch.
		now = time.Now()
	}
	if v.memory == nil {
		return v.checkSigned(&t, k, now)
	}
	return v.checkOnce(&t, k, now)
}

// keyOf finds the key of a token whose header is not known yet.
func (v *Verifier) keyOf(ctx context.Context, t *jws.Token) (*keyset.Key, error) {
	// Junk is refused before it can cause a fetch.
	if err := t.Check(); err != nil {
		return nil, err
	}
	kid, err := jws.KeyID(t.Header)
	if err != nil {
		return nil, v.withScopeCure(err)
	}
	return v.keys.find(ctx, kid)
}

// checkOnce remembers tokens that were accepted. A remembered token is re-checked at every use: its key must still be held
// unchanged, its issuer current, its lifetime running.
func (v *Verifier) checkOnce(t *jws.Token, k *keyset.Key, now time.Time) (*Claims, error) {
	id := memory.KeyOf(t.Body)
	if known, ok := v.memory.Get(id); ok && known.key == k && known.header == t.Header && v.isCurrent(known.claims.Issuer) {
		c := known.claims
		if err := v.policy.CheckLifetime(c.ExpiresAt, c.NotBefore, c.IssuedAt, now); err != nil {
			v.memory.Forget(id)
			return nil, about(err, refuse.About{Tenant: c.TenantID, Client: c.ClientID, Key: k.ID, Token: c.TokenID})
		}
		v.counts.remembered.Add()
		claims, _ := c.clone(known.entries)
		return claims, nil
	}
	claims, err := v.checkSigned(t, k, now)
	if err != nil {
		return nil, err
	}
	kept, entries := claims.clone(claims.entries())
	v.memory.Put(id, remembered{kept, entries, k, v.keys.Header(t.Header)})
	return claims, nil
}

// isCurrent reports whether the authority still goes by this issuer. Where no metadata is read, issuers never change.
func (v *Verifier) isCurrent(issuer string) bool {
	current := v.keys.Issuer()
	return current == "" || current == issuer
}

// checkSigned does what the memory saves: the signature first, before any claim is read.
func (v *Verifier) checkSigned(t *jws.Token, k *keyset.Key, now time.Time) (*Claims, error) {
	defer t.Release()
	if err := t.Decode(); err != nil {
		return nil, err
	}
	if k.Verify(t.Signed, t.Signature) != nil {
		refused := refuse.New(refuse.Signature, "the signature does not fit the key %s: the token was changed, cut or forged", quote.Text(k.ID)).
			Because(jwt.ErrTokenSignatureInvalid)
		refused.About.Key = k.ID
		return nil, refused
	}
	v.keys.Learn(t.Header, k)
	claims, text := new(roomyClaims), string(t.Payload)
	set, err := claimset.Read(text, claims.room[:0])
	if err != nil {
		return nil, about(err, aboutSet(&set, k))
	}
	verdict, err := v.policy.Judge(&set, policy.KeyOwner{Issuer: k.Issuer, Cloud: k.Cloud}, v.keys.Issuer(), now)
	if err != nil {
		return nil, about(err, aboutSet(&set, k))
	}
	claims.fill(&set, verdict, &text)
	v.counts.verified.Add()
	return &claims.Claims, nil
}

// about says in a refusal whose token it is. The signature was good, so the claims are what Entra wrote.
func about(err error, who refuse.About) error {
	if refused, ok := err.(*refusal); ok {
		refused.About = who
	}
	return err
}

func aboutSet(set *claimset.Set, k *keyset.Key) refuse.About {
	client, _ := policy.Client(set)
	return refuse.About{Tenant: set.Tid, Client: client, Key: k.ID, Token: set.UTI}
}

// withScopeCure says in the refusal of a token for another API what its client must ask for instead.
func (v *Verifier) withScopeCure(err error) error {
	if refused, ok := err.(*refusal); ok && refused.Reason == refuse.MicrosoftAPIToken {
		refused.Text += v.policy.ScopeCure()
	}
	return err
}
