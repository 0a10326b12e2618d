package entra

import (
	"context"
	"errors"
	"time"

	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/memory"
)

// remembered is a token that was verified: what it says, and with which key. It is remembered under the hash of all that
// follows the header.
type remembered struct {
	claims  *Claims
	entries []string // of the claims' lists
	key     *keyset.Key
	header  string
}

func (v *Verifier) verify(ctx context.Context, token string) (*Claims, error) {
	p, err := behead(token, v.settings.maxTokenSize)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	k := v.keys.ByHeader(p.header, now)
	p.familiar = k != nil
	if k == nil {
		if err := p.wellFormed(); err != nil {
			return nil, err
		}
		kid, err := v.settings.keyID(p.header)
		if err != nil {
			return nil, err
		}
		if k, err = v.findKey(ctx, kid); err != nil {
			return nil, err
		}
		// The search may have waited for a fetch.
		now = time.Now()
	}
	if v.memory == nil {
		return v.verifySigned(&p, k, now)
	}
	return v.verifyOnce(&p, k, now)
}

// verifyOnce remembers tokens that were accepted. A memory is void once its key is no longer held or has changed, or
// the authority goes by another name, and the clock is asked anew each time.
func (v *Verifier) verifyOnce(p *parts, k *keyset.Key, now time.Time) (*Claims, error) {
	id := memory.KeyOf(p.body)
	if known, ok := v.memory.Get(id); ok && known.key == k && known.header == p.header && v.sameIssuer(known.claims) {
		if err := known.claims.checkLifetime(now, v.settings.skew); err != nil {
			v.memory.Forget(id)
			return nil, withAbout(err, known.claims, k)
		}
		v.tally.remembered.Add()
		claims, _ := known.claims.clone(known.entries)
		return claims, nil
	}
	claims, err := v.verifySigned(p, k, now)
	if err != nil {
		return nil, err
	}
	kept, entries := claims.clone(claims.entries())
	v.memory.Put(id, remembered{kept, entries, k, v.keys.Header(p.header)})
	return claims, nil
}

func (v *Verifier) sameIssuer(c *Claims) bool {
	return v.settings.authority == nil || c.Issuer == v.keys.Issuer()
}

// verifySigned does what the memory saves: the signature first, before any claim is read.
func (v *Verifier) verifySigned(p *parts, k *keyset.Key, now time.Time) (*Claims, error) {
	defer p.release()
	if err := p.decode(); err != nil {
		return nil, err
	}
	if k.Verify(p.signed, p.signature) != nil {
		return nil, badSignature(k.ID)
	}
	if !p.familiar {
		v.keys.Learn(p.header, k)
	}
	own := new(ownClaims)
	claims := &own.Claims
	read := payload{claims: claims, room: own.room[:0]}
	if err := read.from(string(p.payload)); err != nil {
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
		refused.about = about{tenant: c.TenantID, client: c.ClientID, key: k.ID, token: c.TokenID}
	}
	return err
}
