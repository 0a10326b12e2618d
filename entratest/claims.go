package entratest

import (
	"crypto/sha256"
	"slices"
	"strings"
)

// claims builds the claim set of the token's version and kind, in Entra's order:
// five registered claims, then the others by name. Source: the claims references
// at https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
func (s *Server) claims(t *tokenSpec) (object, error) {
	start := t.issued(s.config.Clock()).Unix()
	claims := object{
		{"aud", t.audience},
		{"iss", s.issuer(t.version, t.tenant)},
		{"iat", start},
		{"nbf", start},
		{"exp", start + int64(t.lifetime.Seconds())},
		{"aio", base64url(randomBytes(36))},
		{"rh", "1." + base64url(randomBytes(30)) + "."},
		{"tid", t.tenant},
		{"uti", base64url(randomBytes(16))},
		{"ver", versionText(t.version)},
	}
	if t.kind != idToken {
		t.addClient(&claims)
	}
	if t.kind == appOnly {
		s.addApp(t, &claims)
	} else if err := s.addUser(t, &claims); err != nil {
		return nil, err
	}
	t.addPermissions(&claims)
	if s.authority.kind == b2c && t.kind != appOnly {
		claims = claims.without("aio", "azpacr", "idtyp", "oid", "preferred_username", "rh", "sid", "tid", "uti")
		claims.set("tfp", s.authority.policy)
		claims.set("ver", "1.0") // Although everything else looks like version 2.0 (R35).
	}
	return claims.sorted(5), nil
}

func versionText(version int) string {
	if version == 1 {
		return "1.0"
	}
	return "2.0"
}

// addClient says who asked, and how it proved itself: "0" not at all, "1" by a
// secret, "2" by a certificate.
func (t *tokenSpec) addClient(claims *object) {
	proof := t.clientAuth
	if proof == "" && t.kind == appOnly {
		proof = "1"
	}
	if proof == "" {
		proof = "0"
	}
	if t.version == 1 {
		claims.set("appid", t.client)
		claims.set("appidacr", proof)
		return
	}
	claims.set("azp", t.client)
	claims.set("azpacr", proof)
}

func (s *Server) addApp(t *tokenSpec, claims *object) {
	id := derivedGUID("service principal", t.tenant, t.client)
	claims.set("idtyp", "app")
	claims.set("oid", id)
	claims.set("sub", id)
	if t.version == 1 {
		claims.set("idp", s.issuer(1, t.tenant))
	}
}

func (s *Server) addUser(t *tokenSpec, claims *object) error {
	user, err := s.config.account(t.user, t.tenant)
	if err != nil {
		return err
	}
	id := user.objectIDIn(t.tenant)
	claims.set("oid", id)
	claims.set("sub", pairwise(id, t.audience))
	claims.set("sid", derivedGUID("session", t.tenant, id))
	claims.set("name", user.name())
	if t.version == 2 {
		claims.set("preferred_username", user.Username)
	} else {
		addVersion1Profile(claims, user, t.kind)
	}
	if t.kind != idToken && len(t.scopes) > 0 {
		claims.set("scp", strings.Join(t.scopes, " "))
	}
	if t.kind == idToken && t.nonce != "" {
		claims.set("nonce", t.nonce)
	}
	if t.guest {
		claims.set("acct", 1)
		claims.set("email", user.Username)
		claims.set("idp", s.issuer(1, derivedGUID("home tenant", user.ObjectID)))
	}
	return nil
}

func addVersion1Profile(claims *object, user Account, kind tokenKind) {
	claims.set("amr", []string{"pwd", "mfa"})
	claims.set("family_name", user.FamilyName)
	claims.set("given_name", user.GivenName)
	claims.set("ipaddr", "192.0.2.10")
	claims.set("unique_name", user.Username)
	claims.set("upn", user.Username)
	if kind != idToken {
		claims.set("acr", "1")
	}
}

func (t *tokenSpec) addPermissions(claims *object) {
	for name, values := range map[string][]string{
		"acrs": t.authContexts, "groups": t.groups, "roles": t.roles, "xms_cc": t.capabs,
	} {
		if len(values) > 0 {
			claims.set(name, slices.Clone(values))
		}
	}
	if t.overage {
		*claims = claims.without("groups")
		claims.set("_claim_names", object{{"groups", "src1"}})
		claims.set("_claim_sources", object{{"src1", object{{"endpoint",
			"https://graph.windows.net/" + t.tenant + "/users/" + claims.text("oid") + "/getMemberObjects"}}}})
	}
	if t.bound {
		digest := sha256.Sum256([]byte("client certificate"))
		claims.set("cnf", object{{"x5t#S256", base64url(digest[:])}})
	}
}

// pairwise is a subject that differs from application to application (OpenID
// Connect Core section 8.1).
func pairwise(objectID, audience string) string {
	digest := sha256.Sum256([]byte(objectID + "\x00" + audience))
	return base64url(digest[:])
}

func derivedGUID(parts ...string) string {
	digest := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return formatGUID(digest[:16])
}

func splitToken(token string) []string { return strings.Split(token, ".") }
