package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// options say whose tokens the API accepts.
var options = entra.Options{
	Tenants:  []string{entratest.TenantID}, // in production: your directory (tenant) ID
	ClientID: entratest.APIClientID,        // in production: the application (client) ID of your API
}

// newAPI returns the API, protected: Authenticate says who is calling, Require says who may do what.
func newAPI(verifier *entra.Verifier) http.Handler {
	read := entra.Require(entra.AnyOf(
		entra.Scope("Orders.Read"),             // an application acting for a user
		entra.AppPermission("Orders.Read.All"), // an application acting for itself
	))
	write := entra.Require(entra.Scope("Orders.Write"))

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

// caller holds the claims of the caller that the answer repeats.
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
