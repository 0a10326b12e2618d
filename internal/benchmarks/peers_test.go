package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/benchmarks/sample"
)

// The names of the libraries in README.md's comparison.
const (
	own            = "entra"
	goOIDCName     = "go-oidc"
	keyfuncName    = "golang-jwt + keyfunc"
	jwxName        = "jwx"
	middlewareName = "go-jwt-middleware"
)

var libraries = map[string]func(context.Context, *entratest.Server) (contender, error){
	own: func(ctx context.Context, tenant *entratest.Server) (contender, error) {
		return library(ctx, tenant, own, 0)
	},
	goOIDCName:     withClient(goOIDC),
	keyfuncName:    withClient(golangJWT),
	jwxName:        withClient(jwx),
	middlewareName: withClient(auth0),
}

func withClient(newPeer func(context.Context, *http.Client) (contender, error)) func(context.Context, *entratest.Server) (contender, error) {
	return func(ctx context.Context, tenant *entratest.Server) (contender, error) {
		return newPeer(ctx, tenant.Client())
	}
}

// inRig runs f in virtual time with a tenant and the library of that name, which has verified a token of its already.
func inRig(t *testing.T, name string, f func(*testing.T, *entratest.Server, contender)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		tenant, made := newRig(t, ctx, name)
		f(t, tenant, made)
	})
}

func newRig(t *testing.T, ctx context.Context, name string) (*entratest.Server, contender) {
	t.Helper()
	tenant, err := sample.Tenant()
	if err != nil {
		t.Fatal(err)
	}
	made, err := libraries[name](ctx, tenant)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := made.verify(sample.Token(tenant)); err != nil {
		t.Fatalf("%s: got %v for a valid token, want no error", name, err)
	}
	synctest.Wait() // go-oidc gives its keys before its fetch has ended, and takes no other document meanwhile.
	return tenant, made
}

// What README.md's comparison says of tokens and keys: where a peer has changed, this fails and the row is due.
func TestTheComparisonOfTheReadmeIsTrue(t *testing.T) {
	everyone := slices.Sorted(maps.Keys(libraries))
	for _, row := range []struct {
		name     string
		change   func(*entratest.Server)
		token    []entratest.TokenOption
		accepted []string
	}{
		{name: "version 1.0", token: []entratest.TokenOption{entratest.V1(), entratest.Audience(entratest.APIClientID)}, accepted: []string{own}},
		// golang-jwt is told to require it.
		{name: "no exp", token: []entratest.TokenOption{entratest.Without("exp")}, accepted: []string{jwxName, middlewareName}},
		{
			name:     "an extension that must be understood and is not",
			token:    []entratest.TokenOption{entratest.Header("crit", []string{"odd"}), entratest.Header("odd", 1)},
			accepted: []string{keyfuncName, jwxName, middlewareName},
		},
		{
			name:     "ISS in place of iss",
			token:    []entratest.TokenOption{entratest.Without("iss"), entratest.Claim("ISS", sample.Issuer)},
			accepted: []string{goOIDCName, middlewareName},
		},
		{
			name:     "an ID token whose audience is the API",
			token:    []entratest.TokenOption{entratest.IDToken(), entratest.Audience(entratest.APIClientID)},
			accepted: []string{goOIDCName, keyfuncName, jwxName, middlewareName},
		},
		{name: "the first token of a new key", change: func(tenant *entratest.Server) { tenant.RotateKeys() }, accepted: []string{own, goOIDCName, keyfuncName}},
		{name: "a known key while Entra is away", change: func(tenant *entratest.Server) { tenant.Down() }, accepted: everyone},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, name := range everyone {
				inRig(t, name, func(t *testing.T, tenant *entratest.Server, made contender) {
					if row.change != nil {
						row.change(tenant)
					}
					err := made.verify(sample.Token(tenant, row.token...))
					if got, want := err == nil, slices.Contains(row.accepted, name); got != want {
						t.Errorf("%s: got accepted %t (%v), want %t", name, got, err, want)
					}
				})
			}
		})
	}
}

func TestThePeersDoNotReadWhoseAKeyIs(t *testing.T) {
	for name, newLibrary := range libraries {
		tenant, err := sample.Tenant()
		if err != nil {
			t.Fatal(err)
		}
		foreign := entratest.NewKey().With("issuer", "https://login.microsoftonline.com/"+entratest.OtherTenantID+"/v2.0")
		tenant.SetKeys(foreign)
		made, err := newLibrary(t.Context(), tenant)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := made.verify(sample.Token(tenant, entratest.SignedBy(foreign))); (err == nil) != (name != own) {
			t.Errorf("%s: got %v for a token that another tenant's key signed, want it accepted: %t", name, err, name != own)
		}
	}
}

// A key without its modulus stands before the one that signs.
func TestOneOddKeyCostsThePeersTheWholeDocument(t *testing.T) {
	for name, newLibrary := range libraries {
		tenant, err := sample.Tenant()
		if err != nil {
			t.Fatal(err)
		}
		good, err := json.Marshal(tenant.Key().JWK())
		if err != nil {
			t.Fatal(err)
		}
		document := fmt.Sprintf(`{"keys": [{"kty": "RSA", "kid": "odd", "e": "AQAB"}, %s]}`, good)
		if name == jwxName { // Its cache would wait for a good document for ever.
			_, err = jwk.ParseString(document)
		} else {
			tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, document) })
			var made contender
			if made, err = newLibrary(t.Context(), tenant); err == nil {
				err = made.verify(sample.Token(tenant))
			}
		}
		if got, want := err == nil, name == own; got != want {
			t.Errorf("%s: got verified %t (%v), want %t", name, got, err, want)
		}
	}
}

// Fifty invented key IDs, ten a second, and then a rotation.
func TestInventedKeyIDs(t *testing.T) {
	for name, want := range map[string]struct {
		fetches  int
		rotation bool
	}{
		own: {1, true}, goOIDCName: {50, true}, keyfuncName: {1, false}, jwxName: {0, false}, middlewareName: {0, false},
	} {
		inRig(t, name, func(t *testing.T, tenant *entratest.Server, made contender) {
			before := tenant.KeyRequests()
			var all sync.WaitGroup
			for i := range 50 {
				token := tenant.Token(entratest.SignedBy(tenant.UnknownKey().With("kid", fmt.Sprint(i))))
				all.Go(func() { _ = made.verify(token) })
				time.Sleep(100 * time.Millisecond)
			}
			all.Wait()
			synctest.Wait()
			if got := tenant.KeyRequests() - before; got != want.fetches {
				t.Errorf("%s: got %d fetches, want %d", name, got, want.fetches)
			}
			tenant.RotateKeys()
			if err := made.verify(sample.Token(tenant)); (err == nil) != want.rotation {
				t.Errorf("%s: got %v for the first token of a new key, want it accepted: %t", name, err, want.rotation)
			}
		})
	}
}
