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
// # What to read
//
//   - First steps: the example of the package is an API in full, and every function and option has one of its own.
//     [docs/quickstart.md] shows a page to try tokens on.
//   - A token is refused: [docs/reasons.md] has the usual cause and the cure of each [Reason]. The command
//     [github.com/entra-go/entra/cmd/entra] says them of a token at hand, and finds what is in the way to Entra.
//   - Who may do what: [docs/requirements.md] is about [Require] and functions of your own.
//   - Other tenants, clouds and authorities: [docs/clouds-and-authorities.md] says what each option gives up.
//   - Whole flows, with their app registrations: [docs/flows/daemon.md], [docs/flows/page.md],
//     [docs/flows/on-behalf-of.md], [docs/callers.md] for Microsoft's services that call you, [docs/mcp.md] for the
//     Model Context Protocol, and [docs/openapi.md].
//   - Tests and local development: package [github.com/entra-go/entra/entratest] is a fake tenant, which [docs/local.md]
//     serves to programs in any language.
//   - In production: [docs/operations.md] leads from an alert to its cure, [docs/replicas.md] says what many processes
//     fetch, [docs/performance.md] what a request costs.
//   - Another validator is in use: [docs/migrating.md]. Tokens do not come in the header: [docs/elsewhere.md].
//   - Threats, promises, and the tests that hold them: [SECURITY.md].
//
// # What it promises
//
// Signing keys are fetched when first needed and then refreshed about once an hour beside the requests: a token of a known
// key never waits. A key is held for 25 hours after Entra last named it, whatever Entra answers meanwhile. A key that is
// not known makes a request wait for one fetch, 10 seconds at most; key IDs that do not exist cost a fetch after 5 seconds
// at the soonest, then ever fewer, down to one a minute. Without any key requests get 503, and pass again within 10
// seconds of Entra's return.
//
// All exported functions and methods are safe for concurrent use, but for changing one [Claims] from several goroutines.
//
// # Streams
//
// A token is judged when its request begins. A handler that streams for longer must end by [Claims.ExpiresAt] itself.
//
// [SECURITY.md]: https://github.com/entra-go/entra/blob/main/SECURITY.md
// [docs/callers.md]: https://github.com/entra-go/entra/blob/main/docs/callers.md
// [docs/clouds-and-authorities.md]: https://github.com/entra-go/entra/blob/main/docs/clouds-and-authorities.md
// [docs/elsewhere.md]: https://github.com/entra-go/entra/blob/main/docs/elsewhere.md
// [docs/flows/daemon.md]: https://github.com/entra-go/entra/blob/main/docs/flows/daemon.md
// [docs/flows/on-behalf-of.md]: https://github.com/entra-go/entra/blob/main/docs/flows/on-behalf-of.md
// [docs/flows/page.md]: https://github.com/entra-go/entra/blob/main/docs/flows/page.md
// [docs/local.md]: https://github.com/entra-go/entra/blob/main/docs/local.md
// [docs/mcp.md]: https://github.com/entra-go/entra/blob/main/docs/mcp.md
// [docs/migrating.md]: https://github.com/entra-go/entra/blob/main/docs/migrating.md
// [docs/openapi.md]: https://github.com/entra-go/entra/blob/main/docs/openapi.md
// [docs/operations.md]: https://github.com/entra-go/entra/blob/main/docs/operations.md
// [docs/performance.md]: https://github.com/entra-go/entra/blob/main/docs/performance.md
// [docs/quickstart.md]: https://github.com/entra-go/entra/blob/main/docs/quickstart.md
// [docs/reasons.md]: https://github.com/entra-go/entra/blob/main/docs/reasons.md
// [docs/replicas.md]: https://github.com/entra-go/entra/blob/main/docs/replicas.md
// [docs/requirements.md]: https://github.com/entra-go/entra/blob/main/docs/requirements.md
package entra

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/entra-go/entra/internal/authserver"
	"github.com/entra-go/entra/internal/bearer"
	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/digest"
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
// Its methods are safe for concurrent use. Several Verifiers share nothing, but for those that [Combine] puts together. It
// needs no Close: nothing runs while no request does, but for a fetch under way. The zero Verifier refuses everything with
// status 500; make one with [NewVerifier].
type Verifier struct {
	authorities  []*authority // those that Combine put together; one otherwise; none in the zero Verifier
	maxTokenSize int          // the largest of theirs
}

// authority verifies the tokens of one authority and answers for them.
type authority struct {
	policy       *policy.Policy
	keys         keys
	memory       *memory.Memory[*remembered] // nil: tokens are not remembered
	counts       *counts
	respond      *responder
	resource     *resource            // nil without Options.Resource
	server       *authserver.Document // nil unless Options.AuthorizationServers names an issuer of this API's own
	maxTokenSize int
}

// NewVerifier returns a Verifier for options, or an error that names every mistake in them with its field, a line each.
// It makes no network request, reads no [KeyCache] and starts no goroutine: keys are fetched when a token needs them, or
// by [Verifier.Ready].
func NewVerifier(options Options) (*Verifier, error) {
	p, wrong := policy.New(options.policy())
	maxTokenSize, sizeErr := options.maxTokenSize()
	res, resErr := options.resource()
	if err := errors.Join(append(wrong, options.checkDistrustedKeys(), options.checkKeyCache(), sizeErr, resErr)...); err != nil {
		return nil, err
	}
	logger, handler := options.Logger, options.ErrorHandler
	if logger == nil {
		logger = slog.Default()
	}
	if handler == nil {
		handler = WriteProblem
	}
	// What is warned of is known of Entra's own endpoints and those of External ID.
	if !p.IsB2C() {
		res.warn(logger)
	}
	client, counts := fetch.New(options.HTTPClient), new(counts)
	return newVerifier(&authority{
		policy:       p,
		keys:         newKeys(p, client, logger, &options),
		memory:       memory.New[*remembered](options.cacheSize()),
		counts:       counts,
		respond:      &responder{challenge: newChallenge(p, res), handler: handler, logger: logger, counts: counts},
		resource:     res,
		server:       res.authorizationServer(p, client, logger),
		maxTokenSize: maxTokenSize,
	}), nil
}

func newVerifier(authorities ...*authority) *Verifier {
	v := &Verifier{authorities: authorities}
	for _, a := range authorities {
		v.maxTokenSize = max(v.maxTokenSize, a.maxTokenSize)
	}
	return v
}

// Authenticate returns a handler that passes a request on to next if it carries a valid token, with the token's claims
// in the context ([ClaimsFromContext]), and else answers it: 401, 400 for a malformed header, 503 while no keys can be
// had. A token is taken from one Authorization header of the scheme Bearer (RFC 6750 section 2.1), never from query, form
// or cookie. Request and writer reach next untouched. No method and no path is exempt: handlers for CORS stand outside it.
// It panics if next is nil.
func (v *Verifier) Authenticate(next http.Handler) http.Handler {
	return v.authenticate(next, false)
}

// AuthenticateOptional is [Verifier.Authenticate], but passes requests without an Authorization header on to next,
// without claims. A request with such a header is refused if it holds no valid token, or anything else than a bearer token.
func (v *Verifier) AuthenticateOptional(next http.Handler) http.Handler {
	return v.authenticate(next, true)
}

func (v *Verifier) authenticate(next http.Handler, optional bool) http.Handler {
	if next == nil {
		panic("entra: Authenticate needs a handler, got nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values := r.Header["Authorization"]
		id := &identity{verifier: v}
		// A header that is there is judged even where none is needed: a bad token is no anonymous caller.
		if !optional || len(values) > 0 || v.isZero() {
			if err := v.identify(r.Context(), id, values); err != nil {
				v.answerer(err).refuse(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(withIdentity(r.Context(), id)))
	})
}

// AuthenticateContext is [Verifier.Authenticate] for callers without an http.Handler, such as gRPC interceptors and
// readers of queues: it takes the values of an Authorization header, and returns a context for [ClaimsFromContext],
// [TokenFromContext] and [Permit]. Its errors are those of [Verifier.Verify], and wrap [ErrNoToken] without a bearer
// token, [ErrInvalidRequest] for a malformed or repeated header. They are counted and logged already;
// [Verifier.Challenge] and [StatusCode] say what to answer. The context that comes with an error carries no claims.
func (v *Verifier) AuthenticateContext(ctx context.Context, authorization ...string) (context.Context, error) {
	id := &identity{verifier: v}
	err := v.identify(ctx, id, authorization)
	if err != nil {
		v.answerer(err).recordOnce(ctx, err)
	}
	return withIdentity(ctx, id), err
}

// identify fills in id whose token is among the values of an Authorization header.
func (v *Verifier) identify(ctx context.Context, id *identity, values []string) error {
	if v.isZero() {
		return zeroVerifier()
	}
	token, err := bearer.Token(values)
	switch {
	case errors.Is(err, bearer.ErrNone):
		if err == bearer.ErrNone {
			return &refusal{Sentinel: ErrNoToken, Reason: string(ReasonNoToken), Text: "the request has no Authorization header; the client must send an access token of this API there", Expected: true}
		}
		return &refusal{Sentinel: ErrNoToken, Reason: string(ReasonNoToken), Text: err.Error()}
	case err != nil:
		return invalidRequest(err)
	}
	claims, chosen, err := v.verify(ctx, token)
	if err == nil {
		id.claims, id.authority, id.token = claims, chosen, token
		return nil
	}
	// A token that was verified keeps to the grammar, and so does one that was decoded; one that is too large is not read.
	if len(token) <= chosen.maxTokenSize && !isDecoded(err) {
		if err := bearer.Check(token); err != nil {
			return invalidRequest(err)
		}
	}
	chosen.count(err)
	return err
}

// isDecoded reports whether err refuses a token all of whose segments were decoded.
func isDecoded(err error) bool {
	refused, ok := err.(*refusal)
	if !ok {
		return false
	}
	switch refused.Reason {
	case refuse.Algorithm, refuse.MicrosoftAPIToken, refuse.UnknownKey, refuse.DistrustedKey, refuse.Signature:
		return true
	}
	return false
}

func invalidRequest(err error) error {
	return &refusal{Sentinel: ErrInvalidRequest, Reason: string(ReasonInvalidRequest), Text: err.Error()}
}

// Verify returns the claims of a valid access token: a JWS in compact form, without "Bearer". Its errors wrap
// [ErrInvalidToken] or [ErrKeysUnavailable], or are the error of ctx if that is cancelled while Verify waits for a key, or if
// its deadline ends while no key is held; a deadline that ends while keys are held makes the token one of an unknown key.
// Verify waits for one fetch at most, 10 seconds; with a key that is held it does not wait. Claims are never returned with
// an error. Each token is counted in [Stats] and none is logged. A zero Verifier returns an error of neither kind.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	if v.isZero() {
		return nil, zeroVerifier()
	}
	claims, chosen, err := v.verify(ctx, token)
	if err != nil {
		chosen.count(err)
		return nil, err
	}
	return claims, nil
}

// count counts a refused token, and notes in the error that it was: whoever answers with it must not count it again.
func (a *authority) count(err error) {
	if refused, ok := err.(*refusal); ok {
		a.counts.refuse(Reason(refused.Reason))
		refused.Counted, refused.By = true, a
	}
}

// Refuse answers a request as [Verifier.Authenticate] does: challenge and headers, log line, count, ErrorHandler. It
// is for adapters that call [Verifier.Verify] themselves, and for decisions inside handlers, whose errors wrap
// [ErrForbidden]. [StatusCode] says the status; a nil err is a mistake and answered with 500.
func (v *Verifier) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	v.answererFor(r.Context(), err).refuse(w, r, err)
}

// Challenge returns the WWW-Authenticate value that belongs to err, for gRPC and the like: one challenge of the scheme
// Bearer (RFC 6750 section 3) that holds fixed texts only. It returns "" where there is none: for nil, for
// [ErrKeysUnavailable], and for errors that are none of this package's.
func (v *Verifier) Challenge(err error) string {
	return v.answerer(err).challenge.forError(err)
}

// Ready returns nil once signing keys are held. If there are none it fetches them and waits, 10 seconds at most, unless a
// fetch failed a moment ago; its errors wrap [ErrKeysUnavailable], or are ctx's. It is for start-up and readiness probes, not
// for liveness probes: a restart drops the keys that are held.
func (v *Verifier) Ready(ctx context.Context) error {
	switch len(v.authorities) {
	case 0:
		return zeroVerifier()
	case 1:
		return v.authorities[0].keys.ready(ctx)
	}
	return readyAny(ctx, v.authorities)
}

// Stats returns what the Verifier has counted since it was made. The map in it is the caller's own.
func (v *Verifier) Stats() Stats {
	sum := Stats{Refused: make(map[Reason]uint64)}
	for _, a := range v.authorities {
		sum.add(a)
	}
	return sum
}

func (v *Verifier) isZero() bool { return len(v.authorities) == 0 }

// answerer returns who answers a request that is refused with err: the authority that refused its token or, if there is
// none, the first one.
func (v *Verifier) answerer(err error) *responder { return v.answererFor(context.Background(), err) }

// answererFor is answerer for a request whose token was accepted, perhaps: then its authority answers.
func (v *Verifier) answererFor(ctx context.Context, err error) *responder {
	if v.isZero() {
		return unconfigured
	}
	if refused, ok := asRefusal(err); ok {
		// An error of another Verifier's says nothing about who answers here.
		if a, ok := refused.By.(*authority); ok && slices.Contains(v.authorities, a) {
			return a.respond
		}
	}
	if id := identityFrom(ctx); id != nil && slices.Contains(v.authorities, id.authority) {
		return id.authority.respond
	}
	return v.authorities[0].respond
}

func zeroVerifier() error {
	return internalFault("this Verifier is not configured; make it with entra.NewVerifier", nil)
}

// verify returns the claims of a token, and the authority that judged it: with several, the one that its issuer belongs
// to, or the first one.
//
// It sets ErrInvalidToken on every error of a check, in this one place: a check that forgot its sentinel would be a
// fault of the server.
func (v *Verifier) verify(ctx context.Context, token string) (*Claims, *authority, error) {
	// Junk that names no issuer is the first authority's to refuse and to count.
	chosen := v.authorities[0]
	var t candidate
	err := t.Cut(token, v.maxTokenSize)
	var claims *Claims
	switch {
	case err != nil:
	case len(v.authorities) > 1:
		claims, chosen, err = v.verifyAmong(ctx, &t, len(token))
	default:
		claims, err = chosen.verify(ctx, &t)
	}
	if refused, ok := err.(*refusal); ok && refused.Sentinel == nil {
		refused.Sentinel = ErrInvalidToken
	}
	return claims, chosen, err
}

func (a *authority) verify(ctx context.Context, t *candidate) (*Claims, error) {
	now := time.Now()
	if claims, err := a.recall(t, now); claims != nil || err != nil {
		return claims, err
	}
	return a.verifyNew(ctx, t, now)
}

// verifyNew verifies a token that is not remembered.
func (a *authority) verifyNew(ctx context.Context, t *candidate, now time.Time) (*Claims, error) {
	k := a.keys.ByHeader(t.Header, now)
	if k == nil {
		var err error
		if k, err = a.keyOf(ctx, t); err != nil {
			return nil, err
		}
		// The search may have waited for a fetch, and the same token may have been verified meanwhile.
		now = time.Now()
		if claims, err := a.recall(t, now); claims != nil || err != nil {
			return claims, err
		}
	}
	claims, err := a.verifySigned(t, k, now)
	if err == nil {
		claims.raw = a.remember(t, k, claims)
	}
	return claims, err
}

// candidate is a token to be verified, with what is found out about it once.
type candidate struct {
	jws.Token

	start  string // all of the token but its end; "" if it is too short for one that is remembered
	end    memory.Key
	hashed bool
}

// memoryKey returns the hash of the token's end, reckoned once, and whether the token may be one that is remembered.
func (t *candidate) memoryKey() (memory.Key, bool) {
	if !t.hashed {
		var end string
		if t.start, end = t.CutEnd(); t.start != "" {
			t.end = digest.SHA256(end)
		}
		t.hashed = true
	}
	return t.end, t.start != ""
}

// keyOf finds the key of a token whose header is not known yet.
func (a *authority) keyOf(ctx context.Context, t *candidate) (*keyset.Key, error) {
	// Junk is refused before it can cause a fetch.
	if err := t.Check(); err != nil {
		return nil, err
	}
	kid, err := jws.KeyID(t.Header)
	if err != nil {
		return nil, a.withScopeCure(err)
	}
	k, err := a.keys.find(ctx, kid)
	if refused, ok := err.(*refusal); ok && refused.Reason == refuse.UnknownKey {
		body := t.Body
		refused.More = func() string { return a.unverified(body) }
	}
	return k, err
}

// unverified says what a token says that no key has verified. Nothing is decided by it.
func (a *authority) unverified(body string) string {
	payload, err := jws.Payload(body)
	if err != nil {
		return ""
	}
	issuer, audience := claimset.Unverified(payload)
	return "; " + a.policy.UnverifiedOfUnknownKey(issuer, audience)
}

// remember keeps a token that was accepted with k, and returns its payload for the claims.
func (a *authority) remember(t *candidate, k *keyset.Key, claims *Claims) *payload {
	if a.memory != nil {
		if end, ok := t.memoryKey(); ok {
			// The start holds the whole payload: no key is held whose signatures are shorter than the end.
			if kept := newRemembered(k, a.keys.Header(t.Header), t.start[len(t.Header)+1:], claims); kept != nil {
				a.memory.Put(end, kept)
				return &kept.raw
			}
		}
	}
	return &payload{text: t.Payload}
}

// recall returns the claims of a remembered token, nil if it is not remembered. All of its text is compared: the end by its
// hash, the rest as it stands. The token is re-checked at every use: its key must still be held unchanged, its issuer
// current, its lifetime running.
func (a *authority) recall(t *candidate, now time.Time) (*Claims, error) {
	if a.memory == nil {
		return nil, nil
	}
	end, ok := t.memoryKey()
	if !ok {
		return nil, nil
	}
	known, ok := a.memory.Get(end)
	if !ok || !known.startsAs(t.start) || !a.keys.Holds(known.key, now) || !a.isCurrent(known) {
		return nil, nil
	}
	if err := a.policy.CheckLifetime(known.expiresAt, known.notBefore, known.issuedAt, now); err != nil {
		a.memory.Forget(end)
		c := known.claims()
		return nil, about(err, refuse.About{Tenant: c.TenantID, Client: c.ClientID, Key: known.key.ID, Token: c.TokenID})
	}
	a.counts.remembered.Add()
	return known.claims(), nil
}

// isCurrent reports whether the authority still goes by the token's issuer. Where no metadata is read, issuers never change.
func (a *authority) isCurrent(known *remembered) bool {
	current := a.keys.Issuer()
	return current == "" || current == known.issuer.Value()
}

// verifySigned does what the memory saves: the signature first, before any claim is believed.
func (a *authority) verifySigned(t *candidate, k *keyset.Key, now time.Time) (*Claims, error) {
	signature, err := t.Decode(make([]byte, keyset.MaxSignature))
	if err != nil {
		return nil, err
	}
	if k.Verify(t.Signed, signature) != nil {
		refused := refuse.New(refuse.Signature, "the signature does not fit the key %s: the token was changed, cut or forged: the client must send it as Entra returned it", quote.Text(k.ID)).
			Because(jwt.ErrTokenSignatureInvalid)
		refused.About.Key = k.ID
		return nil, refused
	}
	// Not before the signature: else anybody could fill the memory of headers.
	a.keys.Learn(t.Header, k)
	claims := new(roomyClaims)
	set, err := claimset.Read(t.Payload, claims.room[:0])
	if err != nil {
		return nil, about(err, aboutSet(&set, k))
	}
	verdict, err := a.policy.Judge(&set, policy.KeyOwner{Issuer: k.Issuer, Cloud: k.Cloud}, a.keys.Issuer(), now)
	if err != nil {
		return nil, about(err, aboutSet(&set, k))
	}
	claims.fill(&set, verdict)
	a.counts.verified.Add()
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
func (a *authority) withScopeCure(err error) error {
	if refused, ok := err.(*refusal); ok && refused.Reason == refuse.MicrosoftAPIToken {
		refused.Text += a.policy.ScopeCure()
	}
	return err
}
