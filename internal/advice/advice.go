// Package advice says what to look at and what to change when a token is refused, reason by reason, and what each claim
// of a token means. The page of the quickstart and the command entra explain show it beside the error's own text.
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

	// Change says what usually has to change. The text of the error says what was found in the token at hand.
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
		return Advice{Require, []string{"tid"}, "If this tenant may use the route, add it to entra.TenantIn."}
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
	{entra.ReasonScope, entra.AppToken}:          "An application that acts for itself has no scopes. If it may use the route, let the route accept entra.AnyOf(entra.Scope(…), entra.AppPermission(…)), and grant the application that permission.",
	{entra.ReasonScope, entra.IDToken}:           "An ID token has no scopes. Let the page request a scope of this API and send the access token.",
	{entra.ReasonRole, entra.AppToken}:           "entra.Role is for users. If an application may use the route, let the route accept entra.AnyOf(entra.Role(…), entra.AppPermission(…)).",
	{entra.ReasonAppPermission, entra.UserToken}: "A user's token has no application permissions. If users may use the route, let the route accept entra.AnyOf(entra.Scope(…), entra.AppPermission(…)); if not, all is well.",
	{entra.ReasonAppPermission, entra.IDToken}:   "An ID token has no application permissions. If users may use the route, let it accept entra.AnyOf(entra.Scope(…), entra.AppPermission(…)), and let the page send its access token.",
}

var reasons = map[entra.Reason]Advice{
	entra.ReasonNoToken:           {Header, nil, "Get a token for this API, and send it as “Authorization: Bearer <token>”. Many clients send the first request without one and act on the challenge."},
	entra.ReasonInvalidRequest:    {Header, nil, "Send one Authorization header: the word Bearer, one space, the token. A proxy that adds a header of its own, or a line break in the token, has this effect."},
	entra.ReasonMalformed:         {Token, []string{"alg?"}, "Send the access_token member of Entra’s answer as it is: no client secret, no quotes, no line breaks, nothing cut off."},
	entra.ReasonTooLarge:          {Token, nil, "Ask for fewer claims. Most often it is groups: assign app roles instead, or emit only groups that are assigned to the application."},
	entra.ReasonEncrypted:         {Token, nil, "Remove the token encryption key from the API’s app registration."},
	entra.ReasonAlgorithm:         {Token, []string{"alg"}, "Nothing to change in the API: Entra signs with RS256. Find out where this token was made."},
	entra.ReasonHeader:            {Token, []string{"typ?", "crit?", "b64?", "zip?", "cty?"}, "Send the access token. If it is one, find out who rewrote its header."},
	entra.ReasonMicrosoftAPIToken: {Token, []string{"nonce", "aud"}, "In the client, request a scope of this API, such as api://<client ID of the API>/Orders.Read, instead of User.Read. One token serves one API: a client that calls both asks for two."},
	entra.ReasonUnknownKey:        {Key, []string{"kid"}, "Check the cloud (Options.Cloud), the authority (Options.Authority), personal accounts (entra.PersonalAccounts in Options.Tenants) and whether the application has signing keys of its own (Options.AppKeys). If none of these: it is forged."},
	entra.ReasonDistrustedKey:     {Key, []string{"kid"}, "Nothing, while the key is reported as compromised. Else take its ID out of Options.DistrustedKeys."},
	entra.ReasonKeysUnavailable:   {Key, []string{"kid"}, "Nothing: clients repeat after Retry-After, and it heals when Entra is back. If it lasts, look at proxy, firewall and DNS between the API and Entra: “entra doctor” says which of them it is."},
	entra.ReasonSignature:         {Signature, []string{"signature"}, "Send the token as Entra issued it. It was changed or cut after it was signed, or it is forged."},
	entra.ReasonClaims:            {Claims, []string{"ver?", "tid", "iss", "aud", "exp"}, "Entra issues no such claims. Find out where this token was made."},
	entra.ReasonExpired:           {Time, []string{"exp"}, "Let the client get a new token before this moment: MSAL and golang.org/x/oauth2 do so by themselves if asked for each request. If the token is new, a clock is wrong."},
	entra.ReasonNotYetValid:       {Time, []string{"nbf?", "iat?"}, "Set this machine’s clock (NTP)."},
	entra.ReasonIssuer:            {Issuer, []string{"iss", "tid"}, "Set Options.Cloud or Options.Authority to where the users sign in."},
	entra.ReasonTenant:            {Issuer, []string{"tid", "iss?"}, "If this tenant is a customer of yours, add it to Options.Tenants. If not, all is well."},
	entra.ReasonVersion:           {Issuer, []string{"ver", "iss"}, "Entra issues no such token. Find out where it was made."},
	entra.ReasonKeyIssuer:         {KeyOwner, []string{"iss", "kid"}, "Set Options.Cloud if the tenant lives in the cloud that the text names. If not, there is nothing to change: this key does not sign for this issuer."},
	entra.ReasonAudience:          {Audience, []string{"aud"}, "In the client, request a scope of this API: api://<client ID of the API>/.default. If the audience is this API under another name, add it to Options.Audiences."},
	entra.ReasonIDToken:           {Kind, []string{"azp", "scp", "aud", "nonce?"}, "In the page, send the access token, not the ID token: acquireToken with a scope of this API, then accessToken. Options.AllowIDTokens accepts ID tokens where page and API share one app registration."},
	entra.ReasonBoundToken:        {Kind, []string{"cnf"}, "Request a plain bearer token: switch off proof of possession or token binding in the client."},
	entra.ReasonNoPermissions:     {Permissions, []string{"roles", "scp?", "idtyp?"}, "Service: define an app role in the API’s registration, assign it to the client under “API permissions” and grant admin consent. Page: expose a scope under “Expose an API” and request it."},
	entra.ReasonScope:             {Require, []string{"scp", "roles?", "idtyp?"}, "Let the client request the scope that the challenge names; a user or an administrator consents to it."},
	entra.ReasonRole:              {Require, []string{"roles"}, "Assign the app role to the user or to a group, under “Enterprise applications”."},
	entra.ReasonAppPermission:     {Require, []string{"roles", "idtyp?"}, "Assign the application permission to the client under “API permissions” and grant admin consent."},
	entra.ReasonClient:            {Require, []string{"azp?", "appid?"}, "If this client may use the route, add its client ID to entra.ClientIn."},
	entra.ReasonAuthContext:       {Require, []string{"acrs", "xms_cc?"}, "Let the client act on the claims challenge: sign the user in again with its claims parameter. The client declares the capability cp1, and the API asks for the optional claim xms_cc in access tokens."},
	entra.ReasonHuman:             {Require, []string{"idtyp?", "xms_sub_fct?"}, "The route is for people: the token is of an application or of an agent’s own account. If those may use the route, do not require entra.Human."},
	entra.ReasonForbidden:         {Require, nil, "A requirement of the program’s own refused the caller, or a Require or AnyOf without requirements did. Look at the route’s Require."},
	entra.ReasonInvalidToken:      {Require, nil, "The program itself gave entra.ErrInvalidToken to Refuse. Look at the handler."},
	entra.ReasonInternal:          {Require, nil, "Nothing in the token: look at the program. Require stands outside of Authenticate, or a requirement failed to decide."},
}
