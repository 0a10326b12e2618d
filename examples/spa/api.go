package main

import (
	"encoding/json"
	"net/http"

	"github.com/entra-go/entra"
)

// newAPI returns the API for the page of that origin. The client fetches Entra's keys; nil means the default one.
func newAPI(s settings, client *http.Client, origin string) (http.Handler, error) {
	verifier, err := entra.NewVerifier(entra.Options{Tenants: []string{s.TenantID}, ClientID: s.APIID, HTTPClient: client})
	if err != nil {
		return nil, err
	}
	// An ID token is issued to the page and says who signed in there. One route accepts it, by a Verifier of its own, and
	// no access token.
	signedIn, err := entra.NewVerifier(entra.Options{Tenants: []string{s.TenantID}, ClientID: s.PageID, AllowIDTokens: true, HTTPClient: client})
	if err != nil {
		return nil, err
	}
	routes := http.NewServeMux()
	route := func(pattern string, handler http.HandlerFunc, requirements ...entra.Requirement) {
		routes.Handle(pattern, entra.Require(requirements...)(handler))
	}
	route("GET /orders", listOrders, entra.Scope("Orders.Read"))
	route("DELETE /orders/{id}", deleteOrder, entra.Scope("Orders.Write"))
	route("POST /payments", pay, entra.Scope("Orders.Read"), entra.AuthContext("c1"))

	mux := http.NewServeMux()
	mux.Handle("/", verifier.Authenticate(routes))
	mux.Handle("GET /me", signedIn.Authenticate(http.HandlerFunc(showMe)))
	return allow(origin, mux), nil
}

// allow implements CORS for one page. It goes around Authenticate, because preflight requests carry no token and because
// the page can read a refusal and its challenge only if the answer has CORS headers.
func allow(origin string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Add("Vary", "Origin")
		if r.Header.Get("Origin") == origin {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", "WWW-Authenticate")
		}
		if r.Method == http.MethodOptions {
			header.Set("Access-Control-Allow-Headers", "Authorization")
			header.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
			header.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type order struct {
	ID   string `json:"id"`
	What string `json:"what"`
}

func listOrders(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, []order{{"1001", "Two chairs"}, {"1002", "A table"}})
}

func deleteOrder(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, map[string]string{"deleted": r.PathValue("id")})
}

func pay(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context()) // always there behind Authenticate
	answer(w, http.StatusCreated, map[string]any{"paid": "1002", "confirmed": claims.AuthContexts})
}

func showMe(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context())
	// Name is for display; data about the user belongs under UserKey.
	answer(w, http.StatusOK, map[string]string{"name": claims.Name, "key": claims.UserKey(), "sent": claims.Kind.String()})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
