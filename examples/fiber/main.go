// Fiber is an API on Fiber (gofiber/fiber v3) that accepts Microsoft Entra ID tokens, through Fiber's adaptor for
// middleware of net/http.
//
// The adaptor keeps what a middleware put into the request's context, so that handlers find the claims with
// entra.ClaimsFromContext(c). They are not in c.Context(), and not in c.Locals under a name. Claims may be kept after the
// handler has returned; the text of entra.TokenFromContext(c) may not, since Fiber uses its memory again.
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
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
)

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	app, err := newApp(entra.Options{
		Tenants:  []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
	})
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
	}
	log.Fatal(app.Listen(*addr))
}

func newApp(options entra.Options) (*fiber.App, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	app := fiber.New(fiber.Config{
		ReadBufferSize: 32 << 10, // of all headers; a token alone may have 16 KiB
		ReadTimeout:    10 * time.Second,
		WriteTimeout:   10 * time.Second,
		IdleTimeout:    2 * time.Minute,
	})
	app.Get("/healthz", func(c fiber.Ctx) error { return c.SendStatus(fiber.StatusOK) }) // open to everybody
	app.Use(oneAuthorization(verifier), adaptor.HTTPMiddleware(verifier.Authenticate))
	app.Get("/orders", require(entra.Scope("Orders.Read")), listOrders)
	app.Post("/orders", require(entra.Scope("Orders.Write")), addOrder)
	return app, nil
}

func require(requirements ...entra.Requirement) fiber.Handler {
	return adaptor.HTTPMiddleware(entra.Require(requirements...))
}

// oneAuthorization refuses requests with several Authorization headers, as Authenticate does: of these the adaptor would
// show it the last one only.
func oneAuthorization(verifier *entra.Verifier) fiber.Handler {
	refuse := adaptor.HTTPHandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verifier.Refuse(w, r, entra.ErrInvalidRequest)
	})
	return func(c fiber.Ctx) error {
		if len(c.Request().Header.PeekAll(fiber.HeaderAuthorization)) > 1 {
			return refuse(c)
		}
		return c.Next()
	}
}

func listOrders(c fiber.Ctx) error {
	claims, _ := entra.ClaimsFromContext(c) // always there behind Authenticate
	return c.SendString("orders of user " + claims.ObjectID)
}

func addOrder(c fiber.Ctx) error { return c.SendStatus(fiber.StatusCreated) }
