package policy

import "github.com/entra-go/entra/internal/claimset"

// authority is whose tokens a Policy accepts. One of its fields is set. The rules that tell issuers, directories and
// callers apart differ from one kind of authority to another, and each kind has its own: nothing that holds for one
// reaches another.
//
// It is no interface, since a claim set that is passed to a method of an interface moves to the heap.
type authority struct {
	tenants  *tenants
	external *external
}

// checkIssuer compares iss, ver and tid with each other and with the configuration, and returns the directory of the
// token. issuer is what the authority's metadata names, "" where no metadata is read; trusted says that the token is one of
// TrustedClients'.
func (a authority) checkIssuer(set *claimset.Set, issuer string, trusted bool) (tenant string, err error) {
	if a.external != nil {
		return a.external.checkIssuer(set, issuer)
	}
	return a.tenants.checkIssuer(set, trusted)
}

// isB2C reports whether the authority is an Azure AD B2C tenant.
func (a authority) isB2C() bool { return a.external != nil && a.external.b2c != nil }

// checkKey refuses a key that signs for somebody else. Every key of an external authority is its own: they come from its
// host alone, and it has one issuer.
func (a authority) checkKey(set *claimset.Set, tenant string, owner KeyOwner) error {
	if a.external != nil {
		return nil
	}
	return a.tenants.checkKey(set, tenant, owner)
}

// checkIdentity refuses a token that does not say who acts. External ID may leave out oid or sub.
func (a authority) checkIdentity(set *claimset.Set) error {
	switch {
	case a.isB2C():
		return a.external.b2c.checkIdentity(set)
	case a.external != nil:
		return nil
	}
	return a.tenants.checkIdentity(set)
}

// subject returns the sub of a token that names one user or application.
func (a authority) subject(set *claimset.Set) string {
	if a.isB2C() {
		return a.external.b2c.subject(set)
	}
	return set.Sub
}

// accessKind returns the kind of an access token, or 0 if it permits nobody anything.
func (a authority) accessKind(set *claimset.Set) Kind {
	if a.isB2C() {
		return a.external.b2c.accessKind(set)
	}
	return accessKind(set)
}

// isGuest reports whether the user belongs to another directory than tenant.
func (a authority) isGuest(set *claimset.Set, tenant string) bool {
	if a.external != nil {
		return a.external.isGuest(set)
	}
	return a.tenants.isGuest(set, tenant)
}

// userFlow returns the B2C policy that the user came through, or "". In tokens of work and school tenants acr has another
// meaning.
func (a authority) userFlow(set *claimset.Set) string {
	if a.external != nil {
		return a.external.userFlow(set)
	}
	return ""
}

// audienceCure says, behind a text, what else could be configured for a version 1.0 token whose audience is not accepted.
// The version of an external authority's tokens is not the manifest's to choose.
func (a authority) audienceCure() string {
	if a.external != nil {
		return ""
	}
	return ", or set requestedAccessTokenVersion to 2 in its manifest: version 1.0 tokens name the Application ID URI, version 2.0 tokens the client ID"
}

// KeySource is where a key document is: at KeysURL, or where the metadata at MetadataURL says.
type KeySource struct{ KeysURL, MetadataURL string }

// keySource returns where the key document is; query is "" or asks for the keys of one application.
func (a authority) keySource(query string) KeySource {
	if a.external != nil {
		return KeySource{MetadataURL: a.metadataURL() + query}
	}
	return KeySource{KeysURL: a.tenants.url() + "/discovery/v2.0/keys" + query}
}

// metadataURL returns where the OpenID metadata is.
func (a authority) metadataURL() string {
	if a.external != nil {
		return a.external.url + metadataPath
	}
	return a.tenants.url() + "/v2.0" + metadataPath
}

// signInURL returns the page where users sign in, for challenges. External authorities follow the same pattern.
func (a authority) signInURL() string {
	const page = "/oauth2/v2.0/authorize"
	if a.external != nil {
		return a.external.base() + page
	}
	return a.tenants.url() + page
}

// servers returns the issuers whose metadata tells a client where to ask for a token; nil if issuer, the one that the
// authority's metadata names, must be known first.
func (a authority) servers(issuer string) []string {
	switch {
	case a.external == nil:
		return a.tenants.servers()
	case issuer == "":
		return nil
	}
	return []string{issuer}
}
