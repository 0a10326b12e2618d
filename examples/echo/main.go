// Echo is an API on Echo (labstack/echo v5) that accepts Microsoft Entra ID tokens.
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
	"github.com/labstack/echo/v5"
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
	router := echo.New()
	router.GET("/healthz", func(c *echo.Context) error { return c.NoContent(http.StatusOK) }) // open to everybody
	api := router.Group("", echo.WrapMiddleware(verifier.Authenticate))
	api.GET("/orders", listOrders, echo.WrapMiddleware(entra.Require(entra.Scope("Orders.Read"))))
	api.POST("/orders", addOrder, echo.WrapMiddleware(entra.Require(entra.Scope("Orders.Write"))))
	return router, nil
}

func listOrders(c *echo.Context) error {
	claims, _ := entra.ClaimsFromContext(c.Request().Context()) // always there behind Authenticate
	return c.String(http.StatusOK, "orders of user "+claims.ObjectID)
}

func addOrder(c *echo.Context) error { return c.NoContent(http.StatusCreated) }
