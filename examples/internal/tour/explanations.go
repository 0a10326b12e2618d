package tour

import "github.com/entra-go/entra"

// step is a check that every request has to pass, in this order.
type step int

const (
	stepHeader step = iota
	stepToken
	stepKey
	stepSignature
	stepClaims
	stepTime
	stepIssuer
	stepKeyOwner
	stepAudience
	stepKind
	stepPermissions
	stepRequire
)

var steps = []string{
	"Header", "Token", "Key", "Signature", "Claims", "Time", "Issuer and tenant", "Key’s owner", "Audience", "Kind", "Permissions", "Require",
}

// letIn are the claims that an accepted token is accepted for.
var letIn = []string{"exp", "iss", "tid", "aud", "scp?", "roles?"}

// explanations say for each reason at which step it arises, which members of the token show it, and what usually has to
// change. The error's text says what was found in the token at hand and what was expected.
var explanations = map[entra.Reason]struct {
	step    step
	decided []string
	cure    string
}{
	entra.ReasonNoToken:           {stepHeader, nil, "Get a token for this API, and send it as “Authorization: Bearer <token>”. Many clients send the first request without one and act on the challenge."},
	entra.ReasonInvalidRequest:    {stepHeader, nil, "Send one Authorization header: the word Bearer, one space, the token. A proxy that adds a header of its own, or a line break in the token, has this effect."},
	entra.ReasonMalformed:         {stepToken, []string{"alg?"}, "Send the access_token member of Entra’s answer as it is: no client secret, no quotes, no line breaks, nothing cut off."},
	entra.ReasonTooLarge:          {stepToken, nil, "Ask for fewer claims. Most often it is groups: assign app roles instead, or emit only groups that are assigned to the application."},
	entra.ReasonEncrypted:         {stepToken, nil, "Remove the token encryption key from the API’s app registration."},
	entra.ReasonAlgorithm:         {stepToken, []string{"alg"}, "Nothing to change in the API: Entra signs with RS256. Find out where this token was made."},
	entra.ReasonHeader:            {stepToken, []string{"typ?", "crit?", "b64?", "zip?", "cty?"}, "Send the access token. If it is one, find out who rewrote its header."},
	entra.ReasonMicrosoftAPIToken: {stepToken, []string{"nonce", "aud"}, "In the client, request a scope of this API, such as api://<client ID of the API>/Orders.Read, instead of User.Read. One token serves one API: a client that calls both asks for two."},
	entra.ReasonUnknownKey:        {stepKey, []string{"kid"}, "Check the cloud (Options.Cloud), the authority (Options.Authority), personal accounts (entra.PersonalAccounts in Options.Tenants) and whether the application has signing keys of its own (Options.AppKeys). If none of these: it is forged."},
	entra.ReasonKeysUnavailable:   {stepKey, []string{"kid"}, "Nothing: clients repeat after Retry-After, and it heals when Entra is back. If it lasts, look at proxy, firewall and DNS between the API and Entra."},
	entra.ReasonSignature:         {stepSignature, []string{"signature"}, "Send the token as Entra issued it. Whoever changed a claim broke the seal."},
	entra.ReasonClaims:            {stepClaims, []string{"ver?", "tid", "iss", "aud", "exp"}, "Entra issues no such claims. Find out where this token was made."},
	entra.ReasonExpired:           {stepTime, []string{"exp"}, "Let the client get a new token before this moment: MSAL and golang.org/x/oauth2 do so by themselves if asked for each request. If the token is new, a clock is wrong."},
	entra.ReasonNotYetValid:       {stepTime, []string{"nbf?", "iat?"}, "Set this machine’s clock (NTP)."},
	entra.ReasonIssuer:            {stepIssuer, []string{"iss", "tid"}, "Set Options.Cloud or Options.Authority to where the users sign in."},
	entra.ReasonTenant:            {stepIssuer, []string{"tid", "iss?"}, "If this tenant is a customer of yours, add it to Options.Tenants. If not, all is well."},
	entra.ReasonVersion:           {stepIssuer, []string{"ver", "iss"}, "Entra issues no such token. Find out where it was made."},
	entra.ReasonKeyIssuer:         {stepKeyOwner, []string{"iss", "kid"}, "Nothing to change: this key does not sign for this issuer."},
	entra.ReasonAudience:          {stepAudience, []string{"aud"}, "In the client, request a scope of this API: api://<client ID of the API>/.default. If the audience is this API under another name, add it to Options.Audiences."},
	entra.ReasonIDToken:           {stepKind, []string{"azp", "scp", "aud", "nonce?"}, "In the page, send the access token, not the ID token: acquireToken with a scope of this API, then accessToken. Options.AllowIDTokens accepts ID tokens where page and API share one app registration."},
	entra.ReasonBoundToken:        {stepKind, []string{"cnf"}, "Request a plain bearer token: switch off proof of possession or token binding in the client."},
	entra.ReasonNoPermissions:     {stepPermissions, []string{"roles", "scp?", "idtyp?"}, "Service: define an app role in the API’s registration, assign it to the client under “API permissions” and grant admin consent. Page: expose a scope under “Expose an API” and request it."},
	entra.ReasonScope:             {stepRequire, []string{"scp", "roles?", "idtyp?"}, "Let the client request the scope that the challenge names; a user or an administrator consents to it."},
	entra.ReasonRole:              {stepRequire, []string{"roles"}, "Assign the app role to the user or to a group, under “Enterprise applications”."},
	entra.ReasonAppPermission:     {stepRequire, []string{"roles", "idtyp?"}, "Assign the application permission to the client under “API permissions” and grant admin consent."},
}
