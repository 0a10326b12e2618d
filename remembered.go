package entra

import (
	"time"

	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/memory"
	"github.com/entra-go/entra/internal/refuse"
)

// remembered is a token that was verified: with which key, and what it says. It is remembered under the hash of its
// signature, which is the only part of the token that it does not hold. It never changes.
//
// Its claims are packed, because thousands of them are kept: claims as a caller gets them have three times the size.
type remembered struct {
	key    *keyset.Key
	header string        // encoded; the tokens of a key share it
	raw    payload       // encoded
	packed memory.Packed // the claims' texts and lists, in the order of Claims.texts and Claims.lists
	issuer string

	issuedAt, notBefore, expiresAt time.Time

	kind                                                  Kind
	guest, agent, agentUser, groupsOverage, emailVerified bool
}

// remember keeps a token that was accepted with k, and returns its payload for the claims.
func (a *authority) remember(t *candidate, k *keyset.Key, claims *Claims) *payload {
	if a.memory != nil {
		if id, ok := t.memoryKey(); ok && t.signed == t.Signed {
			kept := newRemembered(k, a.keys.Header(t.Header), t.Signed[len(t.Header)+1:], claims)
			a.memory.Put(id, kept)
			return &kept.raw
		}
	}
	return &payload{text: t.text()}
}

// recall returns the claims of a remembered token, nil if it is not remembered. All of its text is compared: the
// signature by its hash, the rest as it stands. The token is re-checked at every use: its key must still be held
// unchanged, its issuer current, its lifetime running.
func (a *authority) recall(t *candidate, now time.Time) (*Claims, error) {
	if a.memory == nil {
		return nil, nil
	}
	id, ok := t.memoryKey()
	if !ok {
		return nil, nil
	}
	known, ok := a.memory.Get(id)
	if !ok || !known.isSigned(t.signed) || !a.keys.Holds(known.key, now) || !a.isCurrent(known.issuer) {
		return nil, nil
	}
	if err := a.policy.CheckLifetime(known.expiresAt, known.notBefore, known.issuedAt, now); err != nil {
		a.memory.Forget(id)
		c := known.claims()
		return nil, about(err, refuse.About{Tenant: c.TenantID, Client: c.ClientID, Key: known.key.ID, Token: c.TokenID})
	}
	a.counts.remembered.Add()
	return known.claims(), nil
}

// isCurrent reports whether the authority still goes by this issuer. Where no metadata is read, issuers never change.
func (a *authority) isCurrent(issuer string) bool {
	current := a.keys.Issuer()
	return current == "" || current == issuer
}

// newRemembered shares nothing with claims and keeps no piece of the token alive but header, which is the key set's.
func newRemembered(k *keyset.Key, header, segment string, c *Claims) *remembered {
	r := &remembered{
		key:           k,
		header:        header,
		issuedAt:      c.IssuedAt,
		notBefore:     c.NotBefore,
		expiresAt:     c.ExpiresAt,
		kind:          c.Kind,
		guest:         c.Guest,
		agent:         c.Agent,
		agentUser:     c.AgentUser,
		groupsOverage: c.GroupsOverage,
		emailVerified: c.EmailVerified,
	}
	both := c.pack(segment)
	r.raw, r.packed = payload{both[:len(segment)], true}, memory.Packed(both[len(segment):])
	rest := r.packed
	for _, text := range c.texts() {
		if said := rest.Text(); text == &c.Issuer {
			r.issuer = said
		}
	}
	return r
}

// isSigned reports whether signed is the header and the payload of the token, with the dot between them.
func (r *remembered) isSigned(signed string) bool {
	h := len(r.header)
	return len(signed) == h+1+len(r.raw.text) && signed[:h] == r.header && signed[h] == '.' && signed[h+1:] == r.raw.text
}

// claims returns the claims, which share nothing changeable with those of anybody else.
func (r *remembered) claims() *Claims {
	own := &roomyClaims{Claims: Claims{
		Kind:          r.kind,
		Guest:         r.guest,
		Agent:         r.agent,
		AgentUser:     r.agentUser,
		GroupsOverage: r.groupsOverage,
		EmailVerified: r.emailVerified,
		IssuedAt:      r.issuedAt,
		NotBefore:     r.notBefore,
		ExpiresAt:     r.expiresAt,
		raw:           &r.raw,
	}}
	rest, room := r.packed, own.room[:0]
	for _, text := range own.texts() {
		*text = rest.Text()
	}
	for _, list := range own.lists() {
		*list, room = rest.List(room)
	}
	return &own.Claims
}

// pack returns prefix and, behind it, the texts and lists of c, each with its length in front.
func (c *Claims) pack(prefix string) string {
	size, texts, lists := len(prefix), c.texts(), c.lists()
	for _, text := range texts {
		size += memory.TextSize(*text)
	}
	for _, list := range lists {
		size += memory.ListSize(*list)
	}
	var p memory.Packer
	p.Grow(size)
	p.WriteString(prefix)
	for _, text := range texts {
		p.Text(*text)
	}
	for _, list := range lists {
		p.List(*list)
	}
	return p.String()
}
