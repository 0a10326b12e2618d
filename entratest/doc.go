// Package entratest is a fake Microsoft Entra tenant for tests and local
// development, as net/http/httptest is a fake web server. It publishes metadata
// and signing keys, answers the token endpoint, and mints any token that Entra
// could issue and many that it never would.
//
// In process, without a port or a certificate:
//
//	tenant := entratest.New(t)
//	verifier, err := entra.NewVerifier(entra.Options{
//		Tenants:    []string{entratest.TenantID},
//		ClientID:   entratest.APIClientID,
//		HTTPClient: tenant.Client(),
//	})
//	request.Header.Set("Authorization", "Bearer "+tenant.Token())
//
// The code under test keeps its production configuration: [Server.Client]
// answers Microsoft's own hosts, and returns an error for every other host, so
// that a test cannot leak traffic. A Server works inside a testing/synctest
// bubble: it reads the time from [Config].Clock, waits on timers and on the
// request's context, and leaves no goroutine behind.
//
// # What it answers
//
// OpenID Connect metadata and key documents of version 1.0 and 2.0; instance
// discovery; the token endpoint with client credentials (a secret in the body or
// by Basic, or an assertion signed with RS256 or PS256), authorization codes with
// PKCE, device codes, refresh tokens and on-behalf-of; the authorization endpoint
// with an account picker, sessions, silent sign-in and the response modes query,
// fragment and form_post; logout; and of Microsoft Graph /oidc/userinfo, /v1.0/me,
// its transitiveMemberOf, getMemberObjects and getMemberGroups, for tokens that it
// issued itself. Config.Cloud and Config.Authority choose another cloud, External
// ID or Azure AD B2C.
//
// A user signs in by a click on the account picker. A test needs no page: it sends
// login_hint with a name of Config.Users, or posts user_code and entratest_account
// to the page of a device code. Authentication contexts that the parameter claims
// asks for are granted at once, as acrs in the next token of a user; the capability
// cp1 declared there comes back as xms_cc. A token for Graph has the scopes openid,
// profile and User.Read whichever was asked for, as if consented to before; an ID
// token of version 2.0 has name, preferred_username and oid for the scope profile
// alone, as Entra's do. Scopes but for OpenID Connect's are found in any case, max_age
// counts from the last sign-in of the session, and a request without a redirect URI
// goes to a registered one.
//
// # On a port
//
// [Server.Start] and [Server.StartTLS] serve the same tenant on loopback ports,
// for browsers and for programs in other languages; [Server.AuthorityMetadata]
// is all that MSAL.js needs. Endpoints in metadata then lead to the listener,
// and Graph is below /graph, but issuers stay Microsoft's: they follow from the
// configuration and never from the Host header. [Sample] is the sample tenant with
// identifiers of your own, and the example of [Server.StartOn] shows the few lines
// with which a Verifier in another process reaches it.
//
// Some clients insist that metadata's issuer is the URL at which they found it.
// They work in two ways: [Server.StartHosts] serves Microsoft's own host names to
// programs whose environment leads there, and they keep their configuration; or
// Config.LocalIssuer makes the listener's URL the issuer, which a Verifier accepts
// as its Authority.
//
// Redirect URIs on loopback hosts need not be registered, unless Config.Strict
// says so.
//
// The command [github.com/entra-go/entra/cmd/entra] serves a tenant from the shell,
// and [docs/local.md] shows which clients need which way, with a program for each.
//
// # What it does not prove
//
// A fake can show that code handles what the fake does, not what Entra does.
// Error codes, HTTP statuses and claim sets follow Microsoft's documentation and
// recorded documents, never a live tenant. Consent, Conditional Access,
// federation, throttling, regional behaviour, the timing of key rotation, and
// limits such as the length of a request are not modelled. Passwords are not
// asked for. Opaque claims (aio, rh, uti) have the right shape and no meaning. The
// issuer member of External ID's keys and the issuer under a custom domain name are
// inferred.
//
// Every identifier, secret and name in the sample tenant is made up; the signing
// keys are made anew in each process and shared by its Servers. Nothing that this
// package signs is worth anything outside the program that runs it.
//
// [docs/local.md]: https://github.com/entra-go/entra/blob/main/docs/local.md
package entratest
