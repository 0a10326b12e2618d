package entra

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/entra-go/entra/internal/dircache"
	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/golang-jwt/jwt/v5"
)

// KeyCache keeps the last good key documents across restarts, for [Options.KeyCache]: whoever can write there can forge
// tokens. What it holds is believed like an answer of Entra's, so it must be as hard to write to as the program itself.
//
// Its methods are called beside requests, with a context that ends after 10 seconds, and must be safe for concurrent use, by
// several processes too where they share it. A Verifier puts one entry (two with [Options.AppKeys]) about every hour, of
// about 20 KB for Entra's documents and of 3 MiB at most; it gets them while it holds no keys. What it cannot use it passes
// over and logs: an error, an entry that is damaged, of another Verifier or from the future. The name of an entry follows
// from the URL of its document and from [Options.ClientID], so that APIs, tenants and clouds can share a KeyCache; it
// consists of letters, digits and hyphens. Neither names nor entries are secret.
//
// [DirCache] is one. autocert.Cache of golang.org/x/crypto has the same methods, but another error for a miss.
type KeyCache interface {
	// Get returns what was put under name last, or an error that wraps fs.ErrNotExist if nothing
	// was.
	Get(ctx context.Context, name string) ([]byte, error)
	// Put keeps data under name, in place of what was there. Whoever gets it meanwhile must get
	// the one or the other, whole.
	Put(ctx context.Context, name string, data []byte) error
}

// DirCache returns a [KeyCache] in the folder dir: whoever can write there can forge tokens. The folder is made with mode
// 0700 when it is first needed, its files with mode 0600, and they are replaced atomically, so that processes can share it.
// An empty dir is a mistake, which [NewVerifier] reports.
func DirCache(dir string) KeyCache { return dircache.Dir(dir) }

// keys is the cached Entra JWKS keyfunc: it answers with the key that a token names, and says what it means to the caller
// when there is none. How keys are fetched and kept is package keyset's.
type keys struct{ *keyset.Set }

// newKeys returns the keys at the documents of the policy's authority: its general one and, with Options.AppKeys, that
// of the application's own keys. Nothing is fetched yet.
func newKeys(p *policy.Policy, client *fetch.Client, log *slog.Logger, o *Options) keys {
	c := keyset.Config{Client: client, Log: log, Distrusted: o.DistrustedKeys, Cache: o.KeyCache, Owner: strings.ToLower(o.ClientID)}
	for _, at := range p.KeySources() {
		c.Sources = append(c.Sources, keyset.Source{KeysURL: at.KeysURL, MetadataURL: at.MetadataURL, Check: p.CheckMetadata})
	}
	return keys{keyset.New(c)}
}

// find returns the key kid: at once if it is held, else after one fetch at most.
func (k keys) find(ctx context.Context, kid string) (*keyset.Key, error) {
	key, err := k.Find(ctx, kid)
	var distrusted *keyset.DistrustedError
	if errors.As(err, &distrusted) {
		refused := refuse.New(refuse.DistrustedKey, "the token names the key %s, one of Options.DistrustedKeys, and no token of it is accepted, forged or not; the client must get a new one, which Entra signs with another key", quote.Text(kid)).
			Because(jwt.ErrTokenUnverifiable)
		refused.About.Key = kid
		return nil, refused
	}
	var unknown *keyset.UnknownError
	if errors.As(err, &unknown) {
		refused := refuse.New(refuse.UnknownKey, "no signing key %s among the %d held", quote.Text(kid), unknown.Held).
			Because(jwt.ErrTokenUnverifiable)
		if unknown.Why != "" {
			refused.Text += "; no fetch that might bring it was waited for: " + unknown.Why
		}
		// Else a new key of Entra's would look like somebody else's.
		if unknown.Failed != "" {
			refused.Text += "; the last fetch of keys failed, so that a new one cannot be known: " + unknown.Failed
		}
		refused.About.Key = kid
		return nil, refused
	}
	return key, orUnavailable(err)
}

// ready returns nil once a key is held.
func (k keys) ready(ctx context.Context) error { return orUnavailable(k.Ready(ctx)) }

// orUnavailable makes ErrKeysUnavailable of a key set's error that says so, and returns any other as it is.
func orUnavailable(err error) error {
	var none *keyset.UnavailableError
	if !errors.As(err, &none) {
		return err
	}
	text := "no signing key is held and none could be fetched"
	if len(none.Causes) > 0 {
		text += ": " + strings.Join(none.Causes, "; ")
	}
	return &refusal{Sentinel: ErrKeysUnavailable, Reason: string(ReasonKeysUnavailable), Text: text, RetryAfter: none.RetryAfter}
}
