package rig

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/entra-go/entra/entratest"
)

const (
	// keysInAll is how many signing keys there are: making one takes a tenth of a second, and the Verifiers hold them all.
	keysInAll = 32
	// generationsUsed is how many of the latest keys clients have tokens of.
	generationsUsed = 6
	// generationsListed is how many of the latest keys Entra's document names while none is withdrawn for a moment.
	generationsListed = 4
	// newFor is how long after a key is new some clients do not wait for the answer to its tokens.
	newFor = 20 * time.Second
)

// generation is a signing key with the tokens made when it came into use.
type generation struct {
	key    *entratest.Key
	tokens []*credential
	listed atomic.Bool
}

// keyring holds the signing keys, decides which of them Entra's document names, and mints the tokens that clients send.
// Only the schedule changes it.
type keyring struct {
	entra *fakeEntra
	other *entratest.Key // the attacker's, in no document
	pool  []*entratest.Key
	next  int
	odd   []*credential

	generations []*generation                 // latest last
	shown       atomic.Pointer[[]*generation] // to clients
	briefs      atomic.Pointer[[]*credential] // latest last
}

func newKeyring(e *fakeEntra) *keyring {
	k := &keyring{entra: e, other: entratest.NewKey()}
	k.publishOddKeys()
	k.rotate(false)
	k.mintBrief(rand.New(rand.NewPCG(0, 0)))
	return k
}

// publishOddKeys puts keys into the document that stay there: keys of another issuer or cloud, and keys that verify nothing.
func (k *keyring) publishOddKeys() {
	base, twin := entratest.NewKey(), entratest.NewKey()
	personal := base.With("kid", "personal").With("issuer", "https://login.microsoftonline.com/"+entratest.OtherTenantID+"/v2.0")
	government := base.With("kid", "government").With("cloud_instance_name", "microsoftonline.us")
	unusable := []*entratest.Key{
		base.With("kid", "encrypts").With("use", "enc"), base.With("kid", "elliptic").With("kty", "EC"),
		base.With("kid", "twins"), twin.With("kid", "twins"),
	}
	k.entra.trust(personal, government)
	k.entra.tenant.SetKeys(slices.Concat([]*entratest.Key{personal, government}, unusable)...)
	k.entra.ledger.Listed(time.Now(), personal.ID(), government.ID())
	for _, key := range []*entratest.Key{personal, government} {
		k.addOdd("key of another issuer or cloud", "key_issuer", key)
	}
	for _, key := range unusable {
		k.addOdd("key that is not to be used", "unknown_key", key)
	}
	k.addOdd("key that was never listed", "unknown_key", k.other)
}

func (k *keyring) addOdd(class, reason string, key *entratest.Key) {
	r := recipe{class: class, merit: unauthorized(reason), make: func(f *forge) string { return f.token(entratest.Lifetime(24 * time.Hour)) }}
	k.odd = append(k.odd, r.credential(&forge{tenant: k.entra.tenant, key: key}))
}

// rotate lets Entra sign with a key that is not in use. It lists the key at once, unless early: then its tokens are in use
// before the document names it.
func (k *keyring) rotate(early bool) *generation {
	g := &generation{key: k.take()}
	k.entra.trust(g.key)
	g.tokens = mint(k.forge(g.key), recipes())
	for _, c := range g.tokens {
		c.hasty = time.Now().Add(newFor)
	}
	k.generations = append(k.generations, g)
	if len(k.generations) > generationsUsed {
		k.withdraw(k.generations[0])
		k.generations = slices.Delete(k.generations, 0, 1)
	}
	if old := len(k.generations) - generationsListed; old > 0 {
		k.withdraw(k.generations[old-1])
	}
	if !early {
		k.publish(g)
	}
	k.show()
	return g
}

// take returns a new key or, once there are enough, the one that has been out of use for longest.
func (k *keyring) take() *entratest.Key {
	if len(k.pool) < keysInAll {
		k.pool = append(k.pool, entratest.NewKey())
		return k.pool[len(k.pool)-1]
	}
	k.next++
	return k.pool[(k.next-1)%keysInAll]
}

func (k *keyring) forge(key *entratest.Key) *forge {
	return &forge{tenant: k.entra.tenant, key: key, other: k.other}
}

func (k *keyring) publish(g *generation) {
	k.entra.tenant.Publish(g.key)
	k.entra.ledger.Listed(time.Now(), g.key.ID())
	g.listed.Store(true)
}

func (k *keyring) withdraw(g *generation) {
	k.entra.ledger.Unlisted(g.key.ID())
	k.entra.tenant.Withdraw(g.key)
	g.listed.Store(false)
}

func (k *keyring) show() {
	shown := slices.Clone(k.generations)
	k.shown.Store(&shown)
}

// mintBrief makes one more token that is valid for seconds, with a key that has been in use.
func (k *keyring) mintBrief(r *rand.Rand) {
	g := k.generations[r.IntN(len(k.generations))]
	c := brief(k.forge(g.key), time.Now(), time.Duration(r.IntN(3))*time.Second, time.Duration(1+r.IntN(6))*time.Second)
	var briefs []*credential
	if old := k.briefs.Load(); old != nil {
		briefs = slices.Clone(*old)
	}
	briefs = append(briefs, c)
	if len(briefs) > 12 {
		briefs = briefs[1:]
	}
	k.briefs.Store(&briefs)
}

func (k *keyring) listed() (n int) {
	for _, g := range *k.shown.Load() {
		if g.listed.Load() {
			n++
		}
	}
	return n
}
