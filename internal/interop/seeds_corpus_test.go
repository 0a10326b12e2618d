package interop_test

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest"
)

// seedRow is one token of the comparison. The token is made when its turn comes: some rows change the tenant first.
type seedRow struct {
	name  string
	valid bool // Entra issues such tokens to this API, for it to accept
	token func(*entratest.Server) string
	why   string // wherever the library and one of the programs disagree
}

func minted(options ...entratest.TokenOption) func(*entratest.Server) string {
	return func(tenant *entratest.Server) string { return tenant.Token(options...) }
}

const (
	byProgramAudience = "the programs compare with one string; here `Audiences` lists more"
	byClocks          = "clocks differ: `ClockSkew` is a minute here, nothing there"
)

// guidAudience is how API owners configure version 1.0 tokens for programs that know the client ID alone.
var guidAudience = entratest.Audience(entratest.APIClientID)

func validRows() []seedRow {
	ago := func(d time.Duration) entratest.TokenOption { return entratest.IssuedAt(time.Now().Add(-d)) }
	return []seedRow{
		{"user, version 2.0", true, minted(), ""},
		{"user, version 1.0, client ID as audience", true, minted(entratest.V1(), guidAudience), ""},
		{"user, version 1.0, Application ID URI as audience", true, minted(entratest.V1()), byProgramAudience},
		{"user, two scopes and an app role", true, minted(entratest.Scopes("Orders.Read", "Orders.Write"), entratest.Roles(entratest.RoleAdmin)), ""},
		{"user with idtyp", true, minted(entratest.Claim("idtyp", "user")), ""},
		{"user in groups", true, minted(entratest.Groups("f1f1f1f1-f1f1-4f1f-8f1f-f1f1f1f1f1f1")), ""},
		{"user in more groups than fit", true, minted(entratest.Overage()), ""},
		{"user who stepped up", true, minted(entratest.AuthContext("c1"), entratest.Capabilities("cp1")), ""},
		{"user whose name is not ASCII", true, minted(entratest.Claim("name", "Žofie Müller 王")), ""},
		{"user with claims of one's own", true, minted(entratest.Claim("extension_costCentre", "4711"), entratest.Claim("ctry", "DE")), ""},
		{"guest", true, minted(entratest.Guest()), ""},
		{"application with a permission", true, minted(entratest.App(entratest.RoleDaemon)), ""},
		{"application with a permission, version 1.0", true, minted(entratest.V1(), guidAudience, entratest.App(entratest.RoleDaemon)), ""},
		{"application without any permission", true, minted(entratest.App()), ""},
		{"the API's own registration as the client", true, minted(entratest.App(), entratest.CallingApp(entratest.APIClientID)), ""},
		{"ID token", true, minted(entratest.IDToken(), entratest.Nonce("678910")), ""},
		{"ID token without nonce", true, minted(entratest.IDToken()), ""},
		{"typ at+jwt", true, minted(entratest.Header("typ", "at+jwt")), ""},
		{"no typ", true, minted(entratest.WithoutHeader("typ")), ""},
		{"exp with a fraction", true, minted(entratest.Claim("exp", float64(time.Now().Unix())+1800.5)), ""},
		{"expired 20 seconds ago", true, minted(ago(time.Hour + 20*time.Second)), byClocks},
		{"valid in 20 seconds", true, minted(ago(-20 * time.Second)), byClocks},
		{"signed with a key that came after the start", true, func(tenant *entratest.Server) string {
			key := entratest.NewKey()
			tenant.Publish(key)
			return tenant.Token(entratest.SignedBy(key))
		}, "Python keeps its first keys for ever"},
	}
}

func invalidRows(usGov, foreign *entratest.Key) []seedRow {
	rows := append(foreignRows(usGov, foreign), permissionRows()...)
	return append(append(rows, signatureRows()...), claimRows()...)
}

// foreignRows are tokens of somebody else.
func foreignRows(usGov, foreign *entratest.Key) []seedRow {
	return []seedRow{
		{"another tenant's", false, minted(entratest.Tenant(entratest.OtherTenantID)), "anybody can have a tenant: `Tenants`"},
		{"another issuer", false, minted(entratest.Claim("iss", "https://evil.example/")), "the issuer follows from tenant and cloud"},
		{"another tenant's issuer", false, minted(entratest.Claim("iss", "https://login.microsoftonline.com/"+entratest.OtherTenantID+"/v2.0")), "`iss` and `tid` must agree"},
		{"no issuer", false, minted(entratest.Without("iss")), "whoever issued it is not named"},
		{"no tenant", false, minted(entratest.Without("tid")), "Entra always names it"},
		{"a version that its issuer has not", false, minted(entratest.Claim("ver", "1.0")), "`ver` and `iss` must agree"},
		{"signed with a key of the US Government cloud", false, minted(entratest.SignedBy(usGov)), "the key document says whose each key is"},
		{"signed with a key of another tenant", false, minted(entratest.SignedBy(foreign)), "the key document says whose each key is"},
		{"another API's", false, minted(entratest.Audience("api://billing")), ""},
		{"Microsoft Graph's", false, minted(entratest.Graph()), ""},
		{"ID token of another application", false, minted(entratest.IDToken(), entratest.Audience(entratest.SPAClientID)), ""},
		{"no audience", false, minted(entratest.Without("aud")), ""},
		{"two audiences", false, minted(entratest.Claim("aud", []string{entratest.APIClientID, entratest.SPAClientID})), "Entra's tokens have one; one of several could be anybody's"},
	}
}

// permissionRows are tokens that permit nothing, or not to whoever sends them.
func permissionRows() []seedRow {
	return []seedRow{
		{"user without scope", false, minted(entratest.Scopes()), "it permits nobody anything"},
		{"application that claims a scope", false, minted(entratest.Claim("idtyp", "app")), "it contradicts itself"},
		{"bound to a client certificate", false, minted(entratest.Bound()), "whoever sends it must prove that he holds the key"},
		{"no object ID", false, minted(entratest.Without("oid")), "nobody to store data about; an ID token has it with the scope `profile`"},
		{"no subject", false, minted(entratest.Without("sub")), "Entra always names it"},
	}
}

// signatureRows are tokens whose header or signature is not what Entra sends.
func signatureRows() []seedRow {
	alg := func(name string) func(*entratest.Server) string { return minted(entratest.Header("alg", name)) }
	const allowed = "Entra signs with RS256; the token must not choose"
	return []seedRow{
		{"alg none", false, alg("none"), ""},
		{"alg HS256 with the public key as secret", false, alg("HS256"), ""},
		{"alg PS256", false, alg("PS256"), allowed},
		{"alg RS384", false, alg("RS384"), allowed},
		{"alg RS512", false, alg("RS512"), allowed},
		{"an extension that nobody knows (crit)", false, minted(entratest.Header("crit", []string{"exp"})), "RFC 7515 section 4.1.11"},
		{"typ of another kind of token", false, minted(entratest.Header("typ", "dpop+jwt")), "RFC 8725 section 3.11"},
		{"no key ID", false, minted(entratest.WithoutHeader("kid")), ""},
		{"a signature changed", false, changed(2), ""},
		{"claims changed", false, changed(1), ""},
		{"signed with a key that nobody published", false, func(tenant *entratest.Server) string {
			return tenant.Token(entratest.SignedBy(tenant.UnknownKey()))
		}, ""},
		{"encrypted", false, func(tenant *entratest.Server) string { return tenant.Token() + ".AAAA.AAAA" }, ""},
		{"a segment too few", false, func(tenant *entratest.Server) string {
			return tenant.Token()[:strings.LastIndexByte(tenant.Token(), '.')]
		}, ""},
		{"no JWT at all", false, func(*entratest.Server) string { return "opaque" }, ""},
	}
}

// changed flips a bit in one segment.
func changed(segment int) func(*entratest.Server) string {
	return func(tenant *entratest.Server) string {
		parts := strings.Split(tenant.Token(), ".")
		text, _ := base64.RawURLEncoding.DecodeString(parts[segment])
		text[len(text)/2] ^= 1
		parts[segment] = base64.RawURLEncoding.EncodeToString(text)
		return strings.Join(parts, ".")
	}
}

// claimRows are well signed, but their times or texts are not.
func claimRows() []seedRow {
	inAnHour := time.Now().Add(time.Hour).Unix()
	return []seedRow{
		{"expired an hour ago", false, minted(entratest.Expired()), ""},
		{"not yet valid", false, minted(entratest.NotYetValid()), ""},
		{"issued in an hour", false, minted(entratest.Claim("iat", inAnHour)), "Node does not look at `iat`"},
		{"no exp", false, minted(entratest.Without("exp")), "it would never end"},
		{"exp as text", false, minted(entratest.Claim("exp", "4102444800")), "RFC 7519 section 2: a number"},
		{"exp after the year 9999", false, minted(entratest.Claim("exp", 253402300800)), "no date, and so no end"},
		{"nbf after exp", false, minted(entratest.Claim("exp", time.Now().Unix()+20), entratest.Claim("nbf", time.Now().Unix()+40)), ""},
		{"a claim twice", false, func(tenant *entratest.Server) string { return twice(tenant, `"tid":"x",`) }, "two readers could read it differently"},
		{"a claim twice, deep inside", false, func(tenant *entratest.Server) string {
			return twice(tenant, `"x":{"a":1,"a":2},`)
		}, "two readers could read it differently"},
		{"20 KiB", false, minted(entratest.Claim("extension_notes", strings.Repeat("x", 20<<10))), "`MaxTokenSize`; Entra's own limits keep tokens below"},
	}
}

// twice puts text in front of a valid token's claims and signs again.
func twice(tenant *entratest.Server, text string) string {
	parts := strings.Split(tenant.Token(), ".")
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	return tenant.Key().Sign(header, []byte("{"+text+string(payload[1:])))
}
