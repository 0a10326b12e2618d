package entratest

import (
	"crypto/rsa"
	"slices"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
	"github.com/entra-go/entra/entratest/internal/login"
)

// The places of a Server's keys in the process's pool.
const (
	poolUnknown = iota
	poolStandby
	poolGovernment
	poolFirst
	poolPersonal
	poolNext // keys of rotations and applications
)

// keySet is what a Server publishes and signs with. Server.mu guards it.
type keySet struct {
	published []*Key
	signing   *Key
	personal  *Key
	unknown   *Key
	apps      map[string]*Key // by client ID
	known     map[string]*Key // all that were ever published, by key ID
	next      int             // in the pool
}

// issuer is what the login endpoints need of a Server.
type issuer struct{ *Server }

// Name returns the iss of tokens of a version for a tenant, which is "{tenantid}"
// in the documents of common and organizations.
func (i issuer) Name(version int, tenant string) string {
	switch base := i.localBase(); {
	case base == "":
		return i.tenant.Issuer(version, tenant)
	case version == 1:
		return base + "/" + tenant + "/"
	default:
		return base + "/" + tenant + "/v2.0"
	}
}

// Issue mints the token of a grant.
func (i issuer) Issue(t login.Token) (string, error) {
	spec := i.newSpec()
	spec.Token = t
	return i.mint(spec)
}

// Keys lists a key document.
func (i issuer) Keys(segment, appID string) []jsonobject.Object {
	keys := i.documentKeys(segment)
	if own := i.AppKey(appID); own != nil {
		keys = []*Key{own}
	}
	list := make([]jsonobject.Object, len(keys))
	for n, key := range keys {
		list[n] = slices.Clone(key.jwk)
	}
	return list
}

// PublicKey returns the key that verifies a token of this Server's.
func (i issuer) PublicKey(keyID string) *rsa.PublicKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	if key := i.keys.known[keyID]; key != nil {
		return key.PublicKey()
	}
	return nil
}

const personalIssuer = "https://login.microsoftonline.com/" + PersonalTenantID + "/v2.0"

// makeKeys fills the key set as Entra's documents are filled: several keys, the
// signing one not first, and in the worldwide cloud a key of the government cloud
// and one for personal accounts.
func (s *Server) makeKeys() {
	k := &s.keys
	k.next, k.apps, k.known = poolNext, map[string]*Key{}, map[string]*Key{}
	k.unknown = newKey(signingKeys.key(poolUnknown), s.tenant.Cloud.Certificate)
	k.signing = s.adopt(newKey(signingKeys.key(poolFirst), s.tenant.Cloud.Certificate))
	k.published = []*Key{s.adopt(newKey(signingKeys.key(poolStandby), s.tenant.Cloud.Certificate))}
	k.personal = s.adopt(newKey(signingKeys.key(poolPersonal), "Live ID STS Signing Public Key").With("issuer", personalIssuer))
	worldwide := s.config.Cloud == Worldwide && s.tenant.Authority.Kind == directory.EntraID
	if worldwide {
		government := directory.Clouds()[USGovernment]
		key := newKey(signingKeys.key(poolGovernment), government.Certificate)
		k.published = append(k.published, s.adopt(key.With("cloud_instance_name", government.InstanceName)))
	}
	k.published = append(k.published, k.signing)
	if worldwide {
		k.published = append(k.published, k.personal)
	}
	for _, app := range s.config.Apps {
		if app.OwnKey {
			k.apps[app.ClientID] = s.nextKey()
		}
	}
}

// adopt fills in the members that the Server's version 2.0 documents give a key,
// unless With set or removed them. B2C's documents have neither, and a local issuer
// is not known yet.
func (s *Server) adopt(k *Key) *Key {
	switch {
	case s.config.LocalIssuer:
	case s.tenant.Authority.Kind == directory.EntraID:
		k = k.withDefault("cloud_instance_name", s.tenant.Cloud.InstanceName).withDefault("issuer", s.tenant.Issuer(2, "{tenantid}"))
	case s.tenant.Authority.Kind == directory.ExternalID:
		k = k.withDefault("issuer", s.tenant.Issuer(2, s.tenant.ID))
	}
	s.keys.known[k.ID()] = k
	return k
}

func (s *Server) nextKey() *Key {
	key := s.adopt(newKey(signingKeys.key(s.keys.next), s.tenant.Cloud.Certificate))
	s.keys.next++
	return key
}

// Key returns the key that signs now.
func (s *Server) Key() *Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.signing
}

// PersonalKey returns the key that signs tokens of personal accounts. Only the
// documents of common and consumers list it.
func (s *Server) PersonalKey() *Key { return s.keys.personal }

// UnknownKey returns a key that the Server never publishes.
func (s *Server) UnknownKey() *Key { return s.keys.unknown }

// AppKey returns the key of an application registered with OwnKey, or nil.
func (s *Server) AppKey(clientID string) *Key { return s.keys.apps[clientID] }

// RotateKeys publishes a new key, signs with it from now on, and returns it. The
// keys published before stay published; Withdraw takes them away.
func (s *Server) RotateKeys() *Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.signing = s.nextKey()
	s.keys.published = append(s.keys.published, s.keys.signing)
	return s.keys.signing
}

// Publish adds keys to the documents, or replaces those with the same key ID. A
// key gets the Server's issuer and cloud unless With set or removed them.
func (s *Server) Publish(keys ...*Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.published = append(withoutKeys(s.keys.published, keys), s.adoptAll(keys)...)
}

// Withdraw removes the keys with the same key IDs from the documents. Tokens may
// still be signed with them.
func (s *Server) Withdraw(keys ...*Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.published = withoutKeys(s.keys.published, keys)
}

// SetKeys makes keys, in this order, all that the documents list. A key whose
// issuer is that of personal accounts appears under common and consumers only;
// two keys may share a key ID.
func (s *Server) SetKeys(keys ...*Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.published = s.adoptAll(keys)
}

func (s *Server) adoptAll(keys []*Key) []*Key {
	adopted := make([]*Key, len(keys))
	for i, k := range keys {
		adopted[i] = s.adopt(k)
	}
	return adopted
}

func withoutKeys(published, keys []*Key) []*Key {
	return slices.DeleteFunc(slices.Clone(published), func(p *Key) bool {
		return slices.ContainsFunc(keys, func(k *Key) bool { return k.ID() == p.ID() })
	})
}

// documentKeys returns what the document of a tenant segment lists: personal keys
// under common and consumers, the others everywhere but under consumers.
func (s *Server) documentKeys(segment string) []*Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	personalOnly := segment == "consumers" || segment == PersonalTenantID
	return slices.DeleteFunc(slices.Clone(s.keys.published), func(k *Key) bool {
		if strings.EqualFold(k.jwk.Text("issuer"), personalIssuer) {
			return !personalOnly && segment != "common"
		}
		return personalOnly
	})
}
