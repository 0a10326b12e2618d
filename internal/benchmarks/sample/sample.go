// Package sample holds what all measurements share: a fake tenant, its tokens, and a Verifier for them.
package sample

import (
	"context"
	"log/slog"
	"sync"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// Issuer is the issuer of the tenant's tokens, KeysURL the address of its key document.
const (
	Issuer  = "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0"
	KeysURL = "https://login.microsoftonline.com/" + entratest.TenantID + "/discovery/v2.0/keys"
)

// Tenant returns a tenant that lists three keys, the second of which signs. Like Entra's, they name no alg.
func Tenant() (*entratest.Server, error) {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		return nil, err
	}
	tenant.SetKeys(entratest.NewKey(), tenant.Key(), entratest.NewKey())
	return tenant, nil
}

// Token mints a user's token with two scopes, one app role and one group: about 1.4 KB. No two are alike, because each
// carries random identifiers, as Entra's do.
func Token(tenant *entratest.Server, options ...entratest.TokenOption) string {
	return tenant.Token(append([]entratest.TokenOption{
		entratest.Scopes(entratest.ScopeRead, entratest.ScopeWrite),
		entratest.Roles(entratest.RoleAdmin),
		entratest.Groups("f1f1f1f1-f1f1-4f1f-8f1f-f1f1f1f1f1f1"),
	}, options...)...)
}

// Each mints count tokens and calls use with each of them, from several goroutines at once.
func Each(tenant *entratest.Server, count int, use func(i int, token string)) {
	const workers = 8
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for i := worker; i < count; i += workers {
				use(i, Token(tenant))
			}
		})
	}
	wait.Wait()
}

// Tokens mints count tokens.
func Tokens(tenant *entratest.Server, count int) []string {
	tokens := make([]string, count)
	Each(tenant, count, func(i int, token string) { tokens[i] = token })
	return tokens
}

// Verifier returns a Verifier that holds the tenant's keys; cacheSize is its Options.CacheSize.
func Verifier(ctx context.Context, tenant *entratest.Server, cacheSize int) (*entra.Verifier, error) {
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		CacheSize:  cacheSize,
		HTTPClient: tenant.Client(),
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return verifier, verifier.Ready(ctx)
}
