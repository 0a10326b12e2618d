package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/httprc/v3"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/benchmarks/sample"
)

// contender is one way to verify a token of the tenant. Each checks signature, lifetime, issuer and audience, and
// decodes the claims; each is set up as its own README shows it.
type contender struct {
	name   string
	verify func(token string) error
}

// bare is what no verification can go below: the signature check alone, by the standard library, whose input was decoded
// beforehand.
func bare(tenant *entratest.Server, tokens []string) (contender, error) {
	type input struct{ signed, signature []byte }
	// Inputs are found by the ends of the tokens, which differ: hashing a whole token would take time of its own.
	const end = 16
	inputs := make(map[string]input, len(tokens))
	for _, token := range tokens {
		dot := strings.LastIndexByte(token, '.')
		signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
		if err != nil {
			return contender{}, err
		}
		inputs[token[len(token)-end:]] = input{[]byte(token[:dot]), signature}
	}
	public := tenant.Key().PublicKey()
	return contender{"signature alone", func(token string) error {
		in := inputs[token[len(token)-end:]]
		digest := sha256.Sum256(in.signed)
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], in.signature)
	}}, nil
}

// library is this library; cacheSize is its Options.CacheSize.
func library(ctx context.Context, tenant *entratest.Server, name string, cacheSize int) (contender, error) {
	verifier, err := sample.Verifier(ctx, tenant, cacheSize)
	return contender{name, func(token string) error {
		_, err := verifier.Verify(ctx, token)
		return err
	}}, err
}

// golangJWT adds to keyfunc's README the checks that jwt.Parse makes only if told to.
func golangJWT(ctx context.Context, client *http.Client) (contender, error) {
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{sample.KeysURL}, keyfunc.Override{Client: client})
	if err != nil {
		return contender{}, err
	}
	return contender{"golang-jwt + keyfunc", func(token string) error {
		_, err := jwt.Parse(token, keys.Keyfunc, jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(),
			jwt.WithIssuer(sample.Issuer), jwt.WithAudience(entratest.APIClientID))
		return err
	}}, nil
}

func goOIDC(ctx context.Context, client *http.Client) (contender, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, client), sample.Issuer)
	if err != nil {
		return contender{}, err
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: entratest.APIClientID})
	return contender{"go-oidc", func(token string) error {
		verified, err := verifier.Verify(ctx, token)
		if err != nil {
			return err
		}
		var claims struct {
			TenantID string   `json:"tid"`
			ObjectID string   `json:"oid"`
			Scopes   string   `json:"scp"`
			Roles    []string `json:"roles"`
			Groups   []string `json:"groups"`
		}
		return verified.Claims(&claims)
	}}, nil
}

// jwx needs an option for keys that name no alg, as its documentation says.
func jwx(ctx context.Context, client *http.Client) (contender, error) {
	cache, err := jwk.NewCache(ctx, httprc.NewClient())
	if err != nil {
		return contender{}, err
	}
	if err := cache.Register(ctx, sample.KeysURL, jwk.WithHTTPClient(client)); err != nil {
		return contender{}, err
	}
	keys, err := cache.CachedSet(sample.KeysURL)
	if err != nil {
		return contender{}, err
	}
	return contender{"jwx", func(token string) error {
		_, err := jwxjwt.ParseString(token, jwxjwt.WithKeySet(keys, jws.WithInferAlgorithmFromKey(true)),
			jwxjwt.WithIssuer(sample.Issuer), jwxjwt.WithAudience(entratest.APIClientID))
		return err
	}}, nil
}

func auth0(ctx context.Context, client *http.Client) (contender, error) {
	issuer, err := url.Parse(sample.Issuer)
	if err != nil {
		return contender{}, err
	}
	provider, err := jwks.NewCachingProvider(jwks.WithIssuerURL(issuer), jwks.WithCustomClient(client), jwks.WithCacheTTL(time.Hour))
	if err != nil {
		return contender{}, err
	}
	tokens, err := validator.New(validator.WithKeyFunc(provider.KeyFunc), validator.WithAlgorithm(validator.RS256),
		validator.WithIssuer(issuer.String()), validator.WithAudience(entratest.APIClientID))
	if err != nil {
		return contender{}, err
	}
	return contender{"go-jwt-middleware", func(token string) error {
		_, err := tokens.ValidateToken(ctx, token)
		return err
	}}, nil
}

// peers returns the other libraries, each with the tenant's keys.
func peers(ctx context.Context, client *http.Client) ([]contender, error) {
	var all []contender
	for _, newPeer := range []func(context.Context, *http.Client) (contender, error){golangJWT, goOIDC, auth0, jwx} {
		peer, err := newPeer(ctx, client)
		if err != nil {
			return nil, err
		}
		all = append(all, peer)
	}
	return all, nil
}
