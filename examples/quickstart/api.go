package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// newVerifier says whose tokens the API accepts.
func newVerifier(tenant *entratest.Server, logger *slog.Logger, refuse func(http.ResponseWriter, *http.Request, error)) (*entra.Verifier, error) {
	return entra.NewVerifier(entra.Options{
		Tenants:      []string{entratest.TenantID}, // in production: your directory (tenant) ID
		ClientID:     entratest.APIClientID,        // in production: the application (client) ID of your API
		HTTPClient:   tenant.Client(),              // in production: leave it out
		Logger:       logger,
		ErrorHandler: refuse, // in production: leave it out
	})
}

// newAPI returns the API, protected: Authenticate says who is calling, Require says who may do what.
func newAPI(verifier *entra.Verifier) http.Handler {
	read := entra.Require(entra.AnyOf(
		entra.Scope(entratest.ScopeRead),          // an application acting for a user
		entra.AppPermission(entratest.RoleDaemon), // an application acting for itself
	))
	write := entra.Require(entra.Scope(entratest.ScopeWrite))

	mux := http.NewServeMux()
	mux.Handle("GET /orders", read(http.HandlerFunc(listOrders)))
	mux.Handle("POST /orders", write(http.HandlerFunc(addOrder)))
	return verifier.Authenticate(mux)
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer{
		Orders: []string{"1001: two chairs", "1002: a table"},
		Caller: caller{
			Kind:      claims.Kind.String(),
			TenantID:  claims.TenantID,
			ObjectID:  claims.ObjectID,
			ClientID:  claims.ClientID,
			Scopes:    claims.Scopes,
			Roles:     claims.Roles,
			Version:   claims.Version,
			ExpiresAt: claims.ExpiresAt,
		},
	})
}

func addOrder(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }

type answer struct {
	Orders []string `json:"orders"`
	Caller caller   `json:"caller"`
}

// caller is what the API saw of entra.Claims.
type caller struct {
	Kind      string    `json:"kind"`
	TenantID  string    `json:"tenantID"`
	ObjectID  string    `json:"objectID"`
	ClientID  string    `json:"clientID"`
	Scopes    []string  `json:"scopes,omitempty"`
	Roles     []string  `json:"roles,omitempty"`
	Version   string    `json:"version"`
	ExpiresAt time.Time `json:"expiresAt"`
}
