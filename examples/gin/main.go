// Gin is an API on Gin that accepts Microsoft Entra ID tokens.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the application (client) ID
// of the API, both from the API's page under App registrations, and expose the scopes Orders.Read and Orders.Write there.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/entra-go/entra"
	"github.com/gin-gonic/gin"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	handler, err := newHandler(entra.Options{
		Tenants:  []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
	})
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
	}
	server := &http.Server{
		Addr:              *addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	log.Fatal(server.ListenAndServe())
}

func newHandler(options entra.Options) (http.Handler, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	router := gin.New()
	router.GET("/healthz", func(c *gin.Context) { c.Status(http.StatusOK) }) // open to everybody
	api := router.Group("/", use(verifier.Authenticate))
	api.GET("/orders", use(entra.Require(entra.Scope("Orders.Read"))), listOrders)
	api.POST("/orders", use(entra.Require(entra.Scope("Orders.Write"))), addOrder)
	return router, nil
}

// use adapts net/http middleware to Gin.
func use(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		passed := false
		next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			passed = true
			c.Request = r // with the claims in its context
			c.Next()
		})
		middleware(next).ServeHTTP(c.Writer, c.Request)
		if !passed {
			c.Abort()
		}
	}
}

func listOrders(c *gin.Context) {
	claims, _ := entra.ClaimsFromContext(c.Request.Context()) // always there behind Authenticate
	c.String(http.StatusOK, "orders of user "+claims.ObjectID)
}

func addOrder(c *gin.Context) { c.Status(http.StatusCreated) }
