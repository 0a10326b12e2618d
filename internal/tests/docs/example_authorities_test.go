package docs_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// fakeEntra and mustVerifier are for examples: programs look at the errors, and leave Options.HTTPClient out.
func fakeEntra(config entratest.Config) *entratest.Server {
	server, err := entratest.NewServer(config)
	if err != nil {
		panic(err)
	}
	return server
}

func mustVerifier(options entra.Options) *entra.Verifier {
	options.Logger = slog.New(slog.DiscardHandler)
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		panic(err)
	}
	return verifier
}

// show prints what a Verifier and a requirement say to a token.
func show(verifier *entra.Verifier, name, token string, requirements ...entra.Requirement) {
	ctx, err := verifier.AuthenticateContext(context.Background(), "Bearer "+token)
	if err == nil && len(requirements) > 0 {
		err = entra.Permit(ctx, requirements...)
	}
	if err != nil {
		fmt.Printf("%s: %d %s\n", name, entra.StatusCode(err), entra.ReasonOf(err))
		return
	}
	claims, _ := entra.ClaimsFromContext(ctx)
	fmt.Printf("%s: %s of %s\n", name, claims.Kind, claims.TenantID)
}

// A tenant of one of the new sovereign clouds, here Bleu, by its authority. Its version 1.0 issuer is published nowhere, so
// tokens of that version are refused.
func Example_sovereignCloud() {
	const authority = "https://login.sovcloud-identity.fr/33333333-3333-4333-8333-333333333333/v2.0"
	bleu := fakeEntra(entratest.Config{Authority: authority})
	defer bleu.Close()
	// What MSAL.js has of this cloud: the issuer is the authority, and the keys are on its host.
	bleu.AnswerMetadata(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": "https://login.sovcloud-identity.fr/33333333-3333-4333-8333-333333333333/discovery/v2.0/keys"}`, authority)
	})
	verifier := mustVerifier(entra.Options{
		Authority:  authority,
		Tenants:    []string{"33333333-3333-4333-8333-333333333333"},
		ClientID:   entratest.APIClientID,
		HTTPClient: bleu.Client(),
	})
	issuer := entratest.Claim("iss", authority)
	show(verifier, "a user", bleu.Token(issuer), entra.Scope("Orders.Read"))
	show(verifier, "a daemon", bleu.Token(issuer, entratest.App("Orders.Read.All")), entra.AppPermission("Orders.Read.All"))
	show(verifier, "version 1.0", bleu.Token(entratest.Claim("ver", "1.0"), entratest.Claim("iss", "https://sts.windows.net/33333333-3333-4333-8333-333333333333/")))
	// Output:
	// a user: user token of 33333333-3333-4333-8333-333333333333
	// a daemon: application token of 33333333-3333-4333-8333-333333333333
	// version 1.0: 401 issuer
}

const b2cAuthority = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0"

// Azure AD B2C writes a daemon's app roles into scp, where a user's scopes stand. A daemon that takes its token from Entra,
// for the same directory, is an application beyond doubt.
func Example_daemonsOfB2C() {
	customers, directory := fakeEntra(entratest.Config{Authority: b2cAuthority}), fakeEntra(entratest.Config{})
	defer customers.Close()
	defer directory.Close()

	users := mustVerifier(entra.Options{Authority: b2cAuthority, ClientID: entratest.APIClientID, HTTPClient: customers.Client()})
	daemons := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: directory.Client()})
	verifier, err := entra.Combine(users, daemons)
	if err != nil {
		fmt.Println(err)
		return
	}
	export := entra.AppPermission("Orders.Read.All")
	show(verifier, "a daemon's token of a user flow", customers.Token(entratest.App("Orders.Read.All")), export)
	show(verifier, "the same where a scope of that name is enough", customers.Token(entratest.App("Orders.Read.All")), entra.Scope("Orders.Read.All"))
	show(verifier, "a daemon's token of the directory", directory.Token(entratest.App("Orders.Read.All")), export)
	show(verifier, "a user", customers.Token(entratest.Scopes("Orders.Read")), export)
	// Output:
	// a daemon's token of a user flow: 403 app_permission
	// the same where a scope of that name is enough: user token of 11111111-1111-4111-8111-111111111111
	// a daemon's token of the directory: application token of 11111111-1111-4111-8111-111111111111
	// a user: 403 app_permission
}

// Customers move from Azure AD B2C to External ID. Both come in at one place, each judged by the rules of its own
// authority; one that is away costs the other nothing.
func Example_migrationFromB2C() {
	const authority = "https://contoso.ciamlogin.com/33333333-3333-4333-8333-333333333333/v2.0"
	before, after := fakeEntra(entratest.Config{Authority: b2cAuthority}), fakeEntra(entratest.Config{Authority: authority})
	defer before.Close()
	defer after.Close()

	b2c := mustVerifier(entra.Options{
		Authority:  b2cAuthority,
		UserFlows:  []string{"B2C_1_editprofile"},
		ClientID:   entratest.APIClientID,
		HTTPClient: before.Client(),
	})
	externalID := mustVerifier(entra.Options{
		Authority:  authority,
		ClientID:   entratest.APIClientID,
		HTTPClient: after.Client(),
	})
	verifier, err := entra.Combine(b2c, externalID)
	if err != nil {
		fmt.Println(err)
		return
	}
	read := entra.Scope("Orders.Read")
	show(verifier, "not yet moved", before.Token(), read)
	show(verifier, "moved", after.Token(), read)
	before.Down()
	show(verifier, "moved, while B2C is away", after.Token(), read)
	// Output:
	// not yet moved: user token of 11111111-1111-4111-8111-111111111111
	// moved: user token of 33333333-3333-4333-8333-333333333333
	// moved, while B2C is away: user token of 33333333-3333-4333-8333-333333333333
}

// What the tokens of agents meet, as Microsoft's pages describe them.
//
// Source: https://learn.microsoft.com/entra/agent-id/agent-token-claims
func Example_agents() {
	tenant := fakeEntra(entratest.Config{})
	defer tenant.Close()
	verifier := mustVerifier(entra.Options{Tenants: []string{entratest.TenantID}, ClientID: entratest.APIClientID, HTTPClient: tenant.Client()})

	alone := tenant.Token(entratest.App("Orders.Read.All"), entratest.Agent())
	onBehalf := tenant.Token(entratest.Agent())
	ownAccount := tenant.Token(entratest.AgentUser())
	for _, token := range []string{alone, onBehalf, ownAccount} {
		ctx, err := verifier.AuthenticateContext(context.Background(), "Bearer "+token)
		if err != nil {
			fmt.Println(err)
			return
		}
		claims, _ := entra.ClaimsFromContext(ctx)
		fmt.Printf("%s, Agent %t, AgentUser %t: meets Scope %t, AppPermission %t, Human %t\n", claims.Kind, claims.Agent, claims.AgentUser,
			entra.Permit(ctx, entra.Scope("Orders.Read")) == nil,
			entra.Permit(ctx, entra.AppPermission("Orders.Read.All")) == nil,
			entra.Permit(ctx, entra.Human()) == nil)
	}
	// Output:
	// application token, Agent true, AgentUser false: meets Scope false, AppPermission true, Human false
	// user token, Agent true, AgentUser false: meets Scope true, AppPermission false, Human true
	// user token, Agent true, AgentUser true: meets Scope true, AppPermission false, Human false
}
