package entra_test

import (
	"context"
	"fmt"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// show prints what a Verifier says to a token.
func show(verifier *entra.Verifier, name, token string) {
	claims, err := verifier.Verify(context.Background(), token)
	if err != nil {
		fmt.Printf("%s: refused, %s\n", name, entra.ReasonOf(err))
		return
	}
	fmt.Printf("%s: %s of tenant %s\n", name, claims.Kind, claims.TenantID)
}

// Several tenants by name. It gives up nothing: each is listed.
func ExampleOptions_severalTenants() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID, entratest.OtherTenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	show(verifier, "one", tenant.Token())
	show(verifier, "another", tenant.Token(entratest.Tenant(entratest.OtherTenantID)))
	show(verifier, "a stranger", tenant.Token(entratest.Tenant("33333333-3333-4333-8333-333333333333")))
	// Output:
	// one: user token of tenant 11111111-1111-4111-8111-111111111111
	// another: user token of tenant 22222222-2222-4222-8222-222222222222
	// a stranger: refused, tenant
}

// Every work or school tenant. It gives up the tenant check: the program must decide what each tenant may do, as the
// example of Requirement does.
func ExampleOptions_anyTenant() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		AllowAnyTenant: true,
		ClientID:       entratest.APIClientID,
		HTTPClient:     tenant.Client(),
	})
	show(verifier, "a stranger", tenant.Token(entratest.Tenant("33333333-3333-4333-8333-333333333333")))
	show(verifier, "a personal account", tenant.Token(entratest.Personal()))
	// Output:
	// a stranger: user token of tenant 33333333-3333-4333-8333-333333333333
	// a personal account: refused, unknown_key
}

// Personal Microsoft accounts beside a tenant. It gives up that somebody vouches for the users: anyone can make himself
// such an account.
func ExampleOptions_personalAccounts() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID, entra.PersonalAccounts},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	show(verifier, "at work", tenant.Token())
	show(verifier, "at home", tenant.Token(entratest.Personal()))
	show(verifier, "at work, with a key of personal accounts", tenant.Token(entratest.SignedBy(tenant.PersonalKey())))
	// Output:
	// at work: user token of tenant 11111111-1111-4111-8111-111111111111
	// at home: user token of tenant 9188040d-6c67-4c5b-b112-36a304b66dad
	// at work, with a key of personal accounts: refused, key_issuer
}

// A national cloud. It gives up the tokens of every other cloud.
func ExampleOptions_cloud() {
	government := fakeEntra(entratest.Config{Cloud: entratest.USGovernment})
	defer government.Close()
	worldwide := fakeEntra(entratest.Config{})
	defer worldwide.Close()
	verifier := mustVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		Cloud:      entra.USGovernment,
		HTTPClient: government.Client(),
	})
	show(verifier, "version 2.0", government.Token())
	show(verifier, "version 1.0", government.Token(entratest.V1()))
	show(verifier, "of the worldwide cloud", worldwide.Token(entratest.SignedBy(government.Key())))
	// Output:
	// version 2.0: user token of tenant 11111111-1111-4111-8111-111111111111
	// version 1.0: user token of tenant 11111111-1111-4111-8111-111111111111
	// of the worldwide cloud: refused, issuer
}

// External ID (CIAM). It gives up what Entra always sends in a tenant's tokens, tid, oid and sub, and the binding of
// keys to issuers: whatever key the authority lists signs for it.
func ExampleOptions_externalID() {
	const authority = "https://contoso.ciamlogin.com/33333333-3333-4333-8333-333333333333/v2.0"
	tenant := fakeEntra(entratest.Config{Authority: authority})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Authority:  authority,
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	show(verifier, "a customer", tenant.Token())
	show(verifier, "an issuer on the authority's host", tenant.Token(entratest.Claim("iss", authority)))
	// Output:
	// a customer: user token of tenant 33333333-3333-4333-8333-333333333333
	// an issuer on the authority's host: refused, issuer
}

// Azure AD B2C: the authority names the policy, and tokens of another policy are refused. It gives up the same as
// External ID, and tokens that name no policy pass.
func ExampleOptions_b2c() {
	const authority = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0"
	tenant := fakeEntra(entratest.Config{Authority: authority})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Authority:  authority,
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	show(verifier, "signed in", tenant.Token())
	show(verifier, "came through another policy", tenant.Token(entratest.Claim("tfp", "B2C_1_editprofile")))
	// Output:
	// signed in: user token of tenant 11111111-1111-4111-8111-111111111111
	// came through another policy: refused, issuer
}

// Several user flows of one B2C tenant, which share keys and issuer. It gives up the difference between them, unless the
// program looks at Claims.UserFlow.
func ExampleOptions_userFlows() {
	const authority = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0"
	tenant := fakeEntra(entratest.Config{Authority: authority})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Authority:  authority,
		UserFlows:  []string{"B2C_1_editprofile"},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	show(verifier, "signed in", tenant.Token())
	show(verifier, "edited the profile", tenant.Token(entratest.Claim("tfp", "B2C_1_editprofile")))
	show(verifier, "came through another policy", tenant.Token(entratest.Claim("tfp", "B2C_1_reset")))
	// Output:
	// signed in: user token of tenant 11111111-1111-4111-8111-111111111111
	// edited the profile: user token of tenant 11111111-1111-4111-8111-111111111111
	// came through another policy: refused, issuer
}

// A domain of one's own in front of External ID; Tenants names the directory that tokens must be of. It gives up the
// same as External ID, and trusts whoever controls the domain.
func ExampleOptions_customDomain() {
	const authority = "https://login.contoso.example/33333333-3333-4333-8333-333333333333/v2.0"
	tenant := fakeEntra(entratest.Config{Authority: authority})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Authority:  authority,
		Tenants:    []string{"33333333-3333-4333-8333-333333333333"},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	show(verifier, "a customer", tenant.Token())
	show(verifier, "of another directory", tenant.Token(entratest.Claim("tid", entratest.OtherTenantID)))
	// Output:
	// a customer: user token of tenant 33333333-3333-4333-8333-333333333333
	// of another directory: refused, tenant
}

// Signing keys of the application's own, as claims mapping makes them. It gives up that Microsoft alone can sign: whoever
// manages that application's keys in the tenant can issue any token for this API.
func ExampleOptions_appKeys() {
	tenant := fakeEntra(entratest.Config{Apps: []entratest.AppRegistration{{ClientID: entratest.APIClientID, OwnKey: true}}})
	defer tenant.Close()
	for _, appKeys := range []bool{false, true} {
		verifier := mustVerifier(entra.Options{
			Tenants:    []string{entratest.TenantID},
			ClientID:   entratest.APIClientID,
			AppKeys:    appKeys,
			HTTPClient: tenant.Client(),
		})
		show(verifier, fmt.Sprint("AppKeys ", appKeys), tenant.Token(entratest.Audience(entratest.APIClientID)))
	}
	// Output:
	// AppKeys false: refused, unknown_key
	// AppKeys true: user token of tenant 11111111-1111-4111-8111-111111111111
}

// The ID tokens of a page that shares the API's registration. It gives up the difference between "signed in at the page"
// and "permitted to call": Role still works, Scope and AppPermission never do.
func ExampleOptions_idTokens() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	for _, allowed := range []bool{false, true} {
		verifier := mustVerifier(entra.Options{
			Tenants:       []string{entratest.TenantID},
			ClientID:      entratest.APIClientID,
			AllowIDTokens: allowed,
			HTTPClient:    tenant.Client(),
		})
		show(verifier, fmt.Sprint("AllowIDTokens ", allowed), tenant.Token(entratest.IDToken()))
	}
	// Output:
	// AllowIDTokens false: refused, id_token
	// AllowIDTokens true: ID token of tenant 11111111-1111-4111-8111-111111111111
}

// Daemons without app roles, for an API that keeps a list of clients. It gives up Entra's own list, the app roles: every
// application of the tenant gets such a token, so ClientIn must stand in front of every route.
func ExampleOptions_withoutPermissions() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	for _, allowed := range []bool{false, true} {
		verifier := mustVerifier(entra.Options{
			Tenants:                 []string{entratest.TenantID},
			ClientID:                entratest.APIClientID,
			AllowWithoutPermissions: allowed,
			HTTPClient:              tenant.Client(),
		})
		show(verifier, fmt.Sprint("AllowWithoutPermissions ", allowed), tenant.Token(entratest.App()))
	}
	// Output:
	// AllowWithoutPermissions false: refused, no_permissions
	// AllowWithoutPermissions true: application token of tenant 11111111-1111-4111-8111-111111111111
}

// Services of Microsoft's that call an API have no roles in it: they are named one by one. It gives up Entra's list of
// who was granted something for these clients, and for no other.
func ExampleOptions_trustedClients() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{
		Tenants:        []string{entratest.TenantID},
		ClientID:       entratest.APIClientID,
		TrustedClients: []string{entratest.ClientID},
		HTTPClient:     tenant.Client(),
	})
	show(verifier, "the trusted client", tenant.Token(entratest.App(), entratest.CallingApp(entratest.ClientID)))
	show(verifier, "another one", tenant.Token(entratest.App(), entratest.CallingApp("99999999-9999-4999-8999-999999999999")))
	// Output:
	// the trusted client: application token of tenant 11111111-1111-4111-8111-111111111111
	// another one: refused, no_permissions
}
