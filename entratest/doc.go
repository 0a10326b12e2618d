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
// that a test cannot leak traffic. [Server.Start] serves the same tenant on a
// loopback port for programs that need a URL. A Server works inside a
// testing/synctest bubble: it reads the time from [Config].Clock, waits on
// timers and on the request's context, and leaves no goroutine behind.
//
// # What it does not prove
//
// A fake can show that code handles what the fake does, not what Entra does.
// Error codes, HTTP statuses and claim sets follow Microsoft's documentation and
// recorded documents, never a live tenant. Consent, Conditional Access,
// throttling, regional behaviour, the timing of key rotation, and limits such as
// the length of a request are not modelled. Passwords are not asked for. Opaque
// claims (aio, rh, uti) have the right shape and no meaning.
//
// Every identifier, secret and name in the sample tenant is made up; the signing
// keys are made anew in each process and shared by its Servers. Nothing that this
// package signs is worth anything outside the program that runs it.
package entratest
