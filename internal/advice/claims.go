package advice

// Claim is what a claim or header member means.
type Claim struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning"`

	// Personal says that the value can name a person, or is free text that can.
	Personal bool `json:"personal"`

	// Telling says that an API decides by the claim, or that it explains a decision.
	Telling bool `json:"telling"`
}

// HeaderMembers returns what Entra's tokens have in their headers, in the order to show them in.
//
// Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference#header-claims
func HeaderMembers() []Claim {
	return []Claim{
		{"typ", "what it is", false, true},
		{"alg", "how it is signed; Entra uses RS256", false, true},
		{"kid", "the key that signed it", false, true},
		{"x5t", "the same key, in version 1.0 tokens", false, false},
		{"nonce", "for a Microsoft API, which alone can verify it", false, true},
	}
}

// PayloadClaims returns the claims of Entra's tokens, those that an API decides by first, in the order to show them in.
//
// Sources: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference,
// https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference,
// https://learn.microsoft.com/entra/identity-platform/optional-claims-reference and
// https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview.
func PayloadClaims() []Claim {
	return []Claim{
		{"aud", "the API that it is for", false, true},
		{"iss", "who issued it", false, true},
		{"tid", "the tenant of its user or application", false, true},
		{"ver", "version of the token", false, true},
		{"exp", "good until", false, true},
		{"nbf", "good from", false, true},
		{"iat", "issued", false, true},
		{"scp", "what the application may do for the user", false, true},
		{"roles", "application permissions, or app roles of the user", false, true},
		{"idtyp", "app: nobody is signed in", false, true},
		{"azp", "the application that asked for it", false, true},
		{"appid", "the application that asked for it, in version 1.0 tokens", false, true},
		{"oid", "the user or application, within its tenant", false, true},
		{"sub", "the user, as this application alone knows them", false, true},
		{"cnf", "bound to this key: worth nothing without it", false, true},
		{"nonce", "of an ID token: the page’s own, against replay", false, true},
		{"acrs", "authentication contexts that the sign-in satisfied", false, true},
		{"tfp", "the B2C user flow or custom policy that issued it", false, true},
		{"acr", "how the user authenticated, in version 1.0 tokens; in B2C’s the policy", false, true},
		{"azpacr", "how that application proved itself: 0 not at all, 1 secret, 2 certificate", false, false},
		{"appidacr", "how that application proved itself: 0 not at all, 1 secret, 2 certificate", false, false},
		{"xms_cc", "what the client can do; cp1: it answers claims challenges", false, false},
		{"amr", "how the user authenticated, in version 1.0 tokens", false, false},
		{"auth_time", "when the user authenticated", false, false},
		{"acct", "0: a member of this tenant, 1: a guest", false, false},
		{"idp", "where a guest signed in", false, false},
		{"groups", "groups of the user", false, false},
		{"hasgroups", "the user is in more groups than the token lists", false, false},
		{"_claim_names", "claims that are too long for the token, such as groups", false, false},
		{"_claim_sources", "where Graph lists those claims", false, false},
		{"wids", "directory roles of the user", false, false},
		{"sid", "the session of the sign-in", false, false},
		{"uti", "ID of the token", false, false},
		{"rh", "for Entra only", false, false},
		{"aio", "for Entra only", false, false},
		{"at_hash", "of an ID token: binds the access token that came with it", false, false},
		{"c_hash", "of an ID token: binds the code that came with it", false, false},
		{"xms_act_fct", "facets of the acting client; 11: an agent identity", false, false},
		{"xms_sub_fct", "facets of the subject; 13: an agent’s own user account", false, false},
		{"xms_par_app_azp", "the blueprint of the agent identity that acts", false, false},
		{"xms_ftd", "for Entra only", false, false},
		{"xms_idrel", "how the user or application belongs to the tenant; 1: a member, 5: a guest, 7: an application", false, false},
		{"name", "for display only", true, false},
		{"preferred_username", "can change hands: never decide by it", true, false},
		{"upn", "can change hands: never decide by it", true, false},
		{"unique_name", "can change hands: never decide by it", true, false},
		{"email", "unverified: never decide by it", true, false},
		{"emails", "of a B2C account: never decide by them", true, false},
		{"given_name", "for display only", true, false},
		{"family_name", "for display only", true, false},
		{"login_hint", "for signing in again", true, false},
		{"ipaddr", "where the user authenticated from", true, false},
	}
}

// PayloadClaim returns what the claim of this name means. A name that it does not know may hold anything, so that claim
// counts as personal.
func PayloadClaim(name string) (claim Claim, known bool) { return find(PayloadClaims(), name) }

// HeaderMember is [PayloadClaim] for members of the header.
func HeaderMember(name string) (claim Claim, known bool) { return find(HeaderMembers(), name) }

func find(list []Claim, name string) (Claim, bool) {
	for _, claim := range list {
		if claim.Name == name {
			return claim, true
		}
	}
	return Claim{Name: name, Personal: true}, false
}
