package entratest

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
	"github.com/entra-go/entra/entratest/internal/login"
)

// claims builds the claim set of the token's version and kind, in Entra's order:
// five registered claims, then the others by name. Source: the claims references
// at https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
func (s *Server) claims(t *tokenSpec) (jsonobject.Object, error) {
	start := t.issued(s.config.Clock()).Unix()
	claims := jsonobject.Object{
		{"aud", t.Audience},
		{"iss", issuer{s}.Name(t.Version, t.Tenant)},
		{"iat", start},
		{"nbf", start},
		{"exp", start + int64(t.lifetime.Seconds())},
		{"aio", base64url(directory.RandomBytes(36))},
		{"rh", "1." + base64url(directory.RandomBytes(30)) + "."},
		{"tid", t.Tenant},
		{"uti", base64url(directory.RandomBytes(16))},
		{"ver", versionText(t.Version)},
	}
	if t.Kind != login.IDToken {
		t.addClient(&claims)
	}
	if t.Kind == login.AppOnly {
		s.addApp(t, &claims)
	} else if err := s.addUser(t, &claims); err != nil {
		return nil, err
	}
	t.addPermissions(&claims)
	t.addAgent(&claims)
	switch {
	case s.tenant.Authority.Kind == directory.B2C:
		claims = s.b2cClaims(t, claims)
	case t.Unnamed: // https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
		claims = claims.Without("name", "oid", "preferred_username")
	case t.notification:
		claims = claims.Without("idtyp", "oid", "rh", "roles", "sub")
	}
	return claims.Sorted(5), nil
}

// b2cClaims turns Entra's claim set into B2C's. Sources: for users,
// https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview; for
// applications, whose app roles stand in scp,
// https://learn.microsoft.com/azure/active-directory-b2c/client-credentials-grant-flow.
func (s *Server) b2cClaims(t *tokenSpec, claims jsonobject.Object) jsonobject.Object {
	objectID := claims.Text("oid")
	claims = claims.Without("aio", "idtyp", "preferred_username", "rh", "sid", "uti")
	if t.Kind == login.AppOnly {
		if len(t.Roles) > 0 {
			claims.Set("scp", strings.Join(t.Roles, " "))
		}
		return claims.Without("roles")
	}
	claims = claims.Without("azpacr", "oid", "tid")
	claims.Set("sub", objectID)
	if t.noSubject {
		claims.Set("sub", "Not supported currently. Use oid claim.")
		claims.Set("oid", objectID)
	}
	claims.Set("tfp", s.tenant.Authority.Policy)
	claims.Set("ver", "1.0") // Although everything else looks like version 2.0 (tokens-overview, above).
	return claims
}

// addAgent says which parts an agent plays. The values are lists of numbers: 11 is
// an agent identity and 13 an agent's user account. The other numbers are there
// because Entra sends some, and a reader must ignore those that it does not know.
func (t *tokenSpec) addAgent(claims *jsonobject.Object) {
	if t.blueprint != "" {
		claims.Set("xms_par_app_azp", t.blueprint)
	}
	if t.agent == noAgent {
		return
	}
	subject, relation := "3", "1"
	switch {
	case t.Kind == login.AppOnly:
		subject, relation = "9 3 11", "7 10"
	case t.agent == agentAccount:
		subject = "3 13"
	}
	if t.Kind == login.Delegated {
		claims.Set("idtyp", "user")
	}
	claims.Set("xms_act_fct", "3 9 11")
	claims.Set("xms_sub_fct", subject)
	claims.Set("xms_idrel", relation)
	claims.Set("xms_tnt_fct", "3 9")
}

func versionText(version int) string {
	if version == 1 {
		return "1.0"
	}
	return "2.0"
}

// addClient says who asked, and how it proved itself: "0" not at all, "1" by a
// secret, "2" by a certificate.
func (t *tokenSpec) addClient(claims *jsonobject.Object) {
	proof := t.Proof
	switch {
	case proof != "":
	case t.agent != noAgent: // Agent identities have no secrets.
		proof = "2"
	case t.Kind == login.AppOnly:
		proof = "1"
	default:
		proof = "0"
	}
	if t.Version == 1 {
		claims.Set("appid", t.Client)
		claims.Set("appidacr", proof)
		return
	}
	claims.Set("azp", t.Client)
	claims.Set("azpacr", proof)
}

func (s *Server) addApp(t *tokenSpec, claims *jsonobject.Object) {
	id := directory.DerivedGUID("service principal", t.Tenant, t.Client)
	claims.Set("idtyp", "app")
	claims.Set("oid", id)
	claims.Set("sub", id)
	if t.Version == 1 {
		claims.Set("idp", issuer{s}.Name(1, t.Tenant))
	}
}

func (s *Server) addUser(t *tokenSpec, claims *jsonobject.Object) error {
	user, err := s.user(t.User, t.Tenant)
	if err != nil {
		return err
	}
	id := user.ObjectIDIn(t.Tenant)
	claims.Set("oid", id)
	claims.Set("sub", directory.Pairwise(id, t.Audience))
	claims.Set("sid", directory.DerivedGUID("session", t.Tenant, id))
	claims.Set("name", user.FullName())
	if t.Version == 2 {
		claims.Set("preferred_username", user.Username)
	} else {
		addVersion1Profile(claims, user, t.Kind)
	}
	if t.Kind != login.IDToken && len(t.Scopes) > 0 {
		claims.Set("scp", strings.Join(t.Scopes, " "))
	}
	if t.Kind == login.IDToken && t.Nonce != "" {
		claims.Set("nonce", t.Nonce)
	}
	if !t.AuthTime.IsZero() {
		claims.Set("auth_time", t.AuthTime.Unix())
	}
	if t.Email {
		claims.Set("email", user.Username)
	}
	for name, hash := range t.Hashes {
		claims.Set(name, hash)
	}
	if t.guest {
		claims.Set("acct", 1)
		claims.Set("email", user.Username)
		claims.Set("idp", issuer{s}.Name(1, directory.DerivedGUID("home tenant", user.ObjectID)))
	}
	return nil
}

// user returns the user called name, or the sample's first where Config.Users is
// empty and no name was given.
func (s *Server) user(name, tenant string) (directory.User, error) {
	if name == "" && len(s.tenant.Users) == 0 {
		return directory.User(sampleUsers(tenant, s.tenant.Domain)[0]), nil
	}
	return s.tenant.User(name, tenant)
}

func addVersion1Profile(claims *jsonobject.Object, user directory.User, kind login.Kind) {
	claims.Set("amr", []string{"pwd", "mfa"})
	claims.Set("family_name", user.FamilyName)
	claims.Set("given_name", user.GivenName)
	claims.Set("ipaddr", "192.0.2.10")
	claims.Set("unique_name", user.Username)
	claims.Set("upn", user.Username)
	if kind != login.IDToken {
		claims.Set("acr", "1")
	}
}

func (t *tokenSpec) addPermissions(claims *jsonobject.Object) {
	for name, values := range map[string][]string{
		"acrs": t.AuthContexts, "groups": t.Groups, "roles": t.Roles, "xms_cc": t.Capabilities,
	} {
		if len(values) > 0 {
			claims.Set(name, slices.Clone(values))
		}
	}
	if t.Overage {
		*claims = claims.Without("groups")
		claims.Set("_claim_names", jsonobject.Object{{"groups", "src1"}})
		claims.Set("_claim_sources", jsonobject.Object{{"src1", jsonobject.Object{{"endpoint",
			"https://graph.windows.net/" + t.Tenant + "/users/" + claims.Text("oid") + "/getMemberObjects"}}}})
	}
	if t.HasGroups {
		claims.Set("hasgroups", true)
	}
	if t.bound {
		digest := sha256.Sum256([]byte("client certificate"))
		claims.Set("cnf", jsonobject.Object{{"x5t#S256", base64url(digest[:])}})
	}
}
