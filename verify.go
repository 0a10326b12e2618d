package entra

import (
	"context"
	"errors"
	"time"

	"github.com/entra-go/entra/internal/jws"
	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/memory"
	"github.com/entra-go/entra/internal/refuse"
)

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
	t, err := jws.Cut(token, v.settings.maxTokenSize)
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
		return v.verifySigned(&t, k, now)
	}
	return v.verifyOnce(&t, k, now)
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
	return v.findKey(ctx, kid)
}

// verifyOnce remembers tokens that were accepted. A memory is void once its key is no longer held or has changed, or
// the authority goes by another name, and the clock is asked anew each time.
func (v *Verifier) verifyOnce(t *jws.Token, k *keyset.Key, now time.Time) (*Claims, error) {
	id := memory.KeyOf(t.Body)
	if known, ok := v.memory.Get(id); ok && known.key == k && known.header == t.Header && v.sameIssuer(known.claims) {
		if err := known.claims.checkLifetime(now, v.settings.skew); err != nil {
			v.memory.Forget(id)
			return nil, withAbout(err, known.claims, k)
		}
		v.tally.remembered.Add()
		claims, _ := known.claims.clone(known.entries)
		return claims, nil
	}
	claims, err := v.verifySigned(t, k, now)
	if err != nil {
		return nil, err
	}
	kept, entries := claims.clone(claims.entries())
	v.memory.Put(id, remembered{kept, entries, k, v.keys.Header(t.Header)})
	return claims, nil
}

func (v *Verifier) sameIssuer(c *Claims) bool {
	return v.settings.authority == nil || c.Issuer == v.keys.Issuer()
}

// verifySigned does what the memory saves: the signature first, before any claim is read.
func (v *Verifier) verifySigned(t *jws.Token, k *keyset.Key, now time.Time) (*Claims, error) {
	defer t.Release()
	if err := t.Decode(); err != nil {
		return nil, err
	}
	if k.Verify(t.Signed, t.Signature) != nil {
		return nil, badSignature(k.ID)
	}
	v.keys.Learn(t.Header, k)
	own := new(ownClaims)
	claims := &own.Claims
	read := payload{claims: claims, room: own.room[:0]}
	if err := read.from(string(t.Payload)); err != nil {
		return nil, withAbout(err, claims, k)
	}
	if err := v.settings.judge(&read, k, v.keys.Issuer(), now); err != nil {
		return nil, withAbout(err, claims, k)
	}
	v.tally.verified.Add()
	return claims, nil
}

// withAbout says in a refusal whose token it is. The signature was good, so the claims are what Entra wrote.
func withAbout(err error, c *Claims, k *keyset.Key) error {
	var refused *refusal
	if errors.As(err, &refused) {
		refused.About = refuse.About{Tenant: c.TenantID, Client: c.ClientID, Key: k.ID, Token: c.TokenID}
	}
	return err
}

// withScopeCure says in the refusal of a token for another API what its client must ask for instead.
func (v *Verifier) withScopeCure(err error) error {
	var refused *refusal
	if errors.As(err, &refused) && refused.Reason == refuse.MicrosoftAPIToken {
		refused.Text += v.settings.scopeCure()
	}
	return err
}
