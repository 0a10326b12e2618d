package entra

import (
	"context"
	"crypto/rsa"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/entra-go/entra/internal/keydoc"
	"github.com/golang-jwt/jwt/v5"
)

const (
	// keyLifetime is how long a key is held after the last good document that named it. Entra's key endpoint is
	// eventually consistent: keys vanish from it and come back, for three hours at the median, 48 hours at most.
	keyLifetime = 24 * time.Hour
	// refreshAfter is the age of the last good document from which on the use of a key starts a refresh.
	refreshAfter = time.Hour
	// fetchTimeout bounds a fetch, and so how long a request can wait for one.
	fetchTimeout = 10 * time.Second
	// maxKeys bounds the keys held for one document. Entra publishes about ten.
	maxKeys = keydoc.MaxKeys
	minBits = 2048
	maxBits = 4096
)

// key is a signing key of a document. It does not change: a newer document with other content for its kid makes a new
// key, so that what was verified with the old one can be told.
type key struct {
	id     string
	public *rsa.PublicKey
	issuer string // whose tokens it signs, perhaps with {tenantid} in it; "" if the document does not say
	cloud  string // cloud_instance_name; "" if the document does not say
}

func (k *key) same(other *key) bool {
	return k.issuer == other.issuer && k.cloud == other.cloud && k.public.Equal(other.public)
}

// newKey lets keyfunc turn one key of a document into verification. Each key has a keyfunc of its own: one that has
// all keys would refuse all of them for one that it does not like.
func newKey(doc keydoc.Key) (*key, error) {
	jwk, err := jwkset.NewJWKFromMarshal(
		jwkset.JWKMarshal{KTY: jwkset.KtyRSA, ALG: jwkset.AlgRS256, KID: doc.ID, N: doc.N, E: doc.E},
		jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil, err
	}
	storage := jwkset.NewMemoryStorage()
	if err := storage.KeyWrite(context.Background(), jwk); err != nil {
		return nil, err
	}
	lookup, err := keyfunc.New(keyfunc.Options{Storage: storage})
	if err != nil {
		return nil, err
	}
	found, err := lookup.Keyfunc(&jwt.Token{Header: map[string]any{"alg": "RS256", "kid": doc.ID}})
	if err != nil {
		return nil, err
	}
	public, ok := found.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil, errors.New("it is no RSA key")
	case public.N.BitLen() < minBits || public.N.BitLen() > maxBits:
		return nil, errors.New("its modulus does not have 2048 to 4096 bits")
	case public.E != 65537:
		return nil, errors.New("its exponent is not 65537")
	}
	return &key{id: doc.ID, public: public, issuer: doc.Issuer, cloud: doc.Cloud}, nil
}

// signsFor reports whether issuer is the key's, with tenant in place of {tenantid} if it is a template.
func (k *key) signsFor(issuer, tenant string) bool {
	before, after, template := strings.Cut(k.issuer, "{tenantid}")
	switch {
	case !template:
		return issuer == k.issuer
	// Personal accounts have keys of their own, listed under their issuer: {tenantid} stands for the other tenants.
	case tenant == PersonalAccounts:
		return false
	}
	rest, ok := strings.CutPrefix(issuer, before)
	return ok && strings.HasPrefix(rest, tenant) && rest[len(tenant):] == after
}

// verify checks a signature over text (RFC 7518 section 3.3).
func (k *key) verify(text string, signature []byte) error {
	if err := jwt.SigningMethodRS256.Verify(text, signature, k.public); err != nil {
		return badSignature(k.id)
	}
	return nil
}

// keySet is the keys of one authority: those of its general document and, with Options.AppKeys, those of the
// application's own. Each document has ages and troubles of its own.
type keySet struct {
	documents []*document
}

func newKeySet(s *settings, fetch *fetcher, log *slog.Logger) *keySet {
	set := new(keySet)
	set.documents = append(set.documents, newDocument(s.keySource(""), set, fetch, log))
	if s.appKeys {
		set.documents = append(set.documents, newDocument(s.keySource("?appid="+s.clientID), set, fetch, log))
	}
	return set
}

// keySource is where a document of the configured authority stands.
func (s *settings) keySource(query string) source {
	if s.authority != nil {
		return source{metadataURL: s.authority.metadataURL() + query, check: s.authority.check}
	}
	return source{keysURL: "https://" + s.cloud.loginHost + "/" + s.signInTenant() + "/discovery/v2.0/keys" + query}
}

// byHeader returns the held key whose tokens begin with this header segment, if one was verified before, or nil.
func (ks *keySet) byHeader(segment string, now time.Time) *key {
	for _, d := range ks.documents {
		if k := d.byHeader(segment, now); k != nil {
			return k
		}
	}
	return nil
}

// held returns the key kid, or nil if it is not held.
func (ks *keySet) held(kid string, now time.Time) *key {
	for _, d := range ks.documents {
		if k := d.held(kid, now); k != nil {
			return k
		}
	}
	return nil
}

// header returns segment in a copy that does not keep the whole token alive: the one that is remembered anyway, if
// tokens with it were verified before.
func (ks *keySet) header(segment string) string {
	for _, d := range ks.documents {
		if known, ok := d.header(segment); ok {
			return known
		}
	}
	return strings.Clone(segment)
}

// learn remembers the header segment of a token that k verified.
func (ks *keySet) learn(segment string, k *key) {
	for _, d := range ks.documents {
		d.learn(segment, k)
	}
}

// find returns the key kid. A held key is returned at once; for another it waits for one fetch of each document, if
// their allowances permit one.
func (ks *keySet) find(ctx context.Context, kid string) (*key, error) {
	now := time.Now()
	if k := ks.held(kid, now); k != nil {
		return k, nil
	}
	found := false
	err := ks.await(ctx, kid, now, func() bool {
		found = ks.held(kid, time.Now()) != nil
		return found
	})
	if err != nil {
		return nil, err
	}
	if found {
		ks.brought()
	}
	now = time.Now()
	if k := ks.held(kid, now); k != nil {
		return k, nil
	}
	if count := ks.count(now); count > 0 {
		return nil, unknownKey(kid, count)
	}
	return nil, ks.unavailable(now)
}

// await starts or joins a fetch of each document, for the unknown key kid ("": any key), and waits until one of them
// brought what satisfies enough, or all have ended. It returns ctx's error if that comes first.
func (ks *keySet) await(ctx context.Context, kid string, now time.Time, enough func() bool) error {
	// There are two documents at most. A nil channel is one that nobody waits for.
	var ended [2]<-chan struct{}
	for i, d := range ks.documents {
		if f := d.fetchFor(kid, now); f != nil {
			ended[i] = f.done
		}
	}
	if ended[0] == nil && ended[1] == nil {
		return nil
	}
	// A transport that ignores its context must not hold requests longer than promised.
	limit := time.NewTimer(fetchTimeout)
	defer limit.Stop()
	for ended[0] != nil || ended[1] != nil {
		select {
		case <-ended[0]:
			ended[0] = nil
		case <-ended[1]:
			ended[1] = nil
		case <-limit.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		if enough() {
			return nil
		}
	}
	return nil
}

// brought resets the allowances for unknown keys: the last fetch was worth it.
func (ks *keySet) brought() {
	for _, d := range ks.documents {
		d.brought()
	}
}

// has is held without its refresh, for callers that hold a document's lock.
func (ks *keySet) has(kid string, now time.Time) bool {
	return slices.ContainsFunc(ks.documents, func(d *document) bool { return d.snapshot.Load().keys[kid].alive(now) })
}

// holdsAny reports whether a key is held.
func (ks *keySet) holdsAny(now time.Time) bool {
	for _, d := range ks.documents {
		for _, h := range d.snapshot.Load().keys {
			if h.alive(now) {
				return true
			}
		}
	}
	return false
}

// count returns how many keys are held. One that both documents name counts once.
func (ks *keySet) count(now time.Time) (n int) {
	first := ks.documents[0].snapshot.Load().keys
	for i, d := range ks.documents {
		for kid, h := range d.snapshot.Load().keys {
			if h.alive(now) && (i == 0 || !first[kid].alive(now)) {
				n++
			}
		}
	}
	return n
}

func (ks *keySet) unavailable(now time.Time) error {
	var after time.Duration
	var causes []string
	for _, d := range ks.documents {
		wait, cause := d.trouble(now)
		after = max(after, wait)
		if cause != nil {
			causes = append(causes, cause.Error())
		}
	}
	return keysUnavailable(after, causes)
}

// ready returns nil once a key is held. It fetches if none is, unless a fetch failed a moment ago.
func (ks *keySet) ready(ctx context.Context) error {
	now := time.Now()
	if ks.holdsAny(now) {
		return nil
	}
	if err := ks.await(ctx, "", now, func() bool { return ks.holdsAny(time.Now()) }); err != nil {
		return err
	}
	now = time.Now()
	if ks.holdsAny(now) {
		return nil
	}
	return ks.unavailable(now)
}

// issuer is what the metadata of Options.Authority names, "" without one. With Options.AppKeys either document's will do:
// one failing does not spoil the other.
func (ks *keySet) issuer() string {
	for _, d := range ks.documents {
		if name := d.issuer(); name != "" {
			return name
		}
	}
	return ""
}
