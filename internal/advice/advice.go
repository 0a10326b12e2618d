// Package advice says where to look and how to change it when a token is refused, reason by reason, and what each claim of
// a token means. The page of the quickstart and the command entra explain show it beside the error's own text, which says
// what to change in the case at hand: what stands here holds in every case and repeats none of it.
package advice

import "github.com/entra-go/entra"

// Step is one of the checks that a request has to pass, in their order.
type Step int

// The checks.
const (
	Header Step = iota
	Token
	Key
	Signature
	Claims
	Time
	Issuer
	KeyOwner
	Audience
	Kind
	Permissions
	Require
	Passed // no check: every one was passed
)

var steps = []string{
	"Header", "Token", "Key", "Signature", "Claims", "Time", "Issuer and tenant", "Key’s owner", "Audience", "Kind", "Permissions", "Require",
}

// Steps returns the names of the checks, in their order. The slice is the caller's own.
func Steps() []string { return append([]string(nil), steps...) }

// String returns the name of the check, "" for [Passed].
func (s Step) String() string {
	if s < 0 || int(s) >= len(steps) {
		return ""
	}
	return steps[s]
}

// Advice is about one reason.
type Advice struct {
	Step Step // at which the reason arises

	// Look names the claims and header members that show the reason. One with a question mark at its end is worth
	// pointing at only if the token has it.
	Look []string

	// Change says how to make the change that the text of the error names: where in the portal, how in a client library,
	// and when nothing is to be done.
	Change string
}

// Accepted is about a token that is accepted.
var Accepted = Advice{Step: Passed, Look: []string{"exp", "iss", "tid", "aud", "scp?", "roles?"}}

// On returns the advice on an error of package entra. The claims are those of the caller if the token itself was valid
// and a requirement refused it, else nil.
func On(err error, claims *entra.Claims) Advice {
	if err == nil {
		return Accepted
	}
	reason := entra.ReasonOf(err)
	advice := ForReason(reason)
	if reason == entra.ReasonTenant && entra.StatusCode(err) == 403 {
		return Advice{Require, []string{"tid"}, "If the tenant is not meant to use the route, all is well."}
	}
	if claims != nil {
		if change, ok := crossed[crossing{reason, claims.Kind}]; ok {
			advice.Change = change
		}
	}
	return advice
}

// ForReason is [On] where nothing but the reason is known.
func ForReason(reason entra.Reason) Advice {
	if advice, ok := reasons[reason]; ok {
		return advice
	}
	return Advice{Step: Require}
}

// crossing is a requirement for tokens of one kind that met a token of another kind.
type crossing struct {
	reason entra.Reason
	kind   entra.Kind
}

// crossed has the advice where a token of this kind can never meet the requirement, so that requesting or granting what is
// missing would not help.
var crossed = map[crossing]string{
	{entra.ReasonScope, entra.AppToken}:          "An application that acts for itself cannot request a scope. " + grantToApplication,
	{entra.ReasonScope, entra.IDToken}:           sendAccessToken,
	{entra.ReasonRole, entra.AppToken}:           "An application's roles are permissions of its own, which entra.AppPermission asks for. " + grantToApplication,
	{entra.ReasonAppPermission, entra.UserToken}: "If only applications are meant to use the route, all is well. " + exposeScope,
	{entra.ReasonAppPermission, entra.IDToken}:   "If only applications are meant to use the route, all is well. " + sendAccessToken,
}

const (
	grantToApplication = "In the portal: at the API, App roles, one for applications; at the client, API permissions, Application permissions, then Grant admin consent. The client’s next token has it; a managed identity’s tokens are cached for up to 24 hours."
	exposeScope        = "In the portal: at the API, Expose an API. In the client: request api://<client ID of the API>/<name of the scope>."
	sendAccessToken    = "In MSAL.js: acquireTokenSilent with scopes: [\"api://<client ID of the API>/<name of the scope>\"], then accessToken of its answer, not idToken."
	whoIssuedIt        = "The claim iss says who issued the token. A token that claims to be Entra’s and is not is forged."
)

var reasons = map[entra.Reason]Advice{
	entra.ReasonNoToken:           {Header, nil, "The whole header reads “Authorization: Bearer <access token>”. A first request without it is usual where clients act on the challenge; CORS preflight requests never carry one: handle them outside of Authenticate."},
	entra.ReasonInvalidRequest:    {Header, nil, "The whole header reads “Authorization: Bearer <access token>”, once. Where the client sends it so, compare it with what arrives: proxies add headers of their own."},
	entra.ReasonMalformed:         {Token, []string{"alg?"}, "Entra’s answer has the token as access_token; MSAL calls it accessToken (JavaScript), AccessToken (Go, .NET, Java), access_token (Python)."},
	entra.ReasonTooLarge:          {Token, nil, "In the portal, at the API: Token configuration, Edit groups claim, Groups assigned to the application; or App roles, assigned to groups, in place of groups."},
	entra.ReasonEncrypted:         {Token, nil, "In the portal, at the API: Manifest, tokenEncryptionKeyId, null."},
	entra.ReasonAlgorithm:         {Token, []string{"alg"}, whoIssuedIt},
	entra.ReasonHeader:            {Token, []string{"typ?", "crit?", "b64?", "zip?", "cty?"}, "A client that asks for proof of possession gets tokens with headers of other kinds: switch it off there. " + whoIssuedIt},
	entra.ReasonMicrosoftAPIToken: {Token, []string{"nonce", "aud"}, "One token serves one API: a client that calls Graph too makes two requests, one with User.Read and one with a scope of this API."},
	entra.ReasonUnknownKey:        {Key, []string{"kid"}, "“entra doctor” says in which cloud a tenant lives and whether an application has signing keys of its own. A token of this tenant, cloud and application whose key Entra does not publish is forged."},
	entra.ReasonDistrustedKey:     {Key, []string{"kid"}, "Once the key is known to be safe, take its ID out of Options.DistrustedKeys."},
	entra.ReasonKeysUnavailable:   {Key, []string{"kid"}, "Clients repeat after Retry-After, and it heals when Entra is back. If it lasts, something is in the way to Entra: “entra doctor” says whether it is the name resolution, a proxy, TLS or a firewall."},
	entra.ReasonSignature:         {Signature, []string{"signature"}, "Compare the token that the client got with the one that arrived: a proxy that cuts long headers changes it, and so does whoever edits a claim."},
	entra.ReasonClaims:            {Claims, []string{"ver?", "tid", "iss", "aud", "exp"}, whoIssuedIt},
	entra.ReasonExpired:           {Time, []string{"exp"}, "MSAL and golang.org/x/oauth2 renew a token in time if they are asked before each request. “entra doctor” compares this machine’s clock with Entra’s."},
	entra.ReasonNotYetValid:       {Time, []string{"nbf?", "iat?"}, "“entra doctor” compares this machine’s clock with Entra’s. Let NTP keep it."},
	entra.ReasonIssuer:            {Issuer, []string{"iss", "tid"}, "“entra doctor -tenant <domain name>” says in which cloud a tenant lives, and “entra doctor -authority <URL>” what issuer an authority has."},
	entra.ReasonTenant:            {Issuer, []string{"tid", "iss?"}, "If nobody of that tenant is meant to use the API, all is well. “entra doctor -tenant <domain name>” finds the ID of a tenant."},
	entra.ReasonVersion:           {Issuer, []string{"ver", "iss"}, whoIssuedIt},
	entra.ReasonKeyIssuer:         {KeyOwner, []string{"iss", "kid"}, "“entra doctor -tenant <domain name>” says in which cloud the tenant lives. If this API serves that cloud already, the token is forged."},
	entra.ReasonAudience:          {Audience, []string{"aud"}, "In MSAL: scopes: [\"api://<client ID of the API>/<name of the scope>\"]; in a daemon “/.default” in place of the name. The portal shows the API’s Application ID URI under Expose an API."},
	entra.ReasonIDToken:           {Kind, []string{"azp", "scp", "aud", "nonce?"}, sendAccessToken},
	entra.ReasonBoundToken:        {Kind, []string{"cnf"}, "Switch off proof of possession or token binding where the client requests the token."},
	entra.ReasonNoPermissions:     {Permissions, []string{"roles", "scp?", "idtyp?"}, "For a service: " + grantToApplication + " For users: " + exposeScope},
	entra.ReasonScope:             {Require, []string{"scp", "roles?", "idtyp?"}, "The challenge names the scope as a client requests it. A user or an administrator consents to it; the token after that has it."},
	entra.ReasonRole:              {Require, []string{"roles"}, "In the portal: Enterprise applications, the API, Users and groups. The user’s next token has the role."},
	entra.ReasonAppPermission:     {Require, []string{"roles", "idtyp?"}, grantToApplication},
	entra.ReasonClient:            {Require, []string{"azp?", "appid?"}, "The portal finds a client by its ID under App registrations, another tenant’s under Enterprise applications. If it is not meant to use the route, all is well."},
	entra.ReasonAuthContext:       {Require, []string{"acrs", "xms_cc?"}, "In MSAL: clientCapabilities: [\"CP1\"], and the challenge’s claims, decoded from base64, as claims of the next request. In the portal, at the API: Token configuration, optional claim xms_cc."},
	entra.ReasonHuman:             {Require, []string{"idtyp?", "xms_sub_fct?"}, "If only people are meant to use the route, all is well."},
	entra.ReasonForbidden:         {Require, nil, "The program’s own requirement refused the caller, or a Require or AnyOf without requirements did: look at the route’s Require."},
	entra.ReasonInvalidToken:      {Require, nil, "The program itself gave entra.ErrInvalidToken to Refuse: look at the handler."},
	entra.ReasonInternal:          {Require, nil, "Nothing in the token is wrong: Require stands outside of Authenticate, or a requirement failed to decide."},
}
