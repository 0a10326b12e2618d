// Connect is a Connect server (connectrpc.com/connect) that accepts Microsoft Entra ID tokens, from clients of the Connect,
// gRPC and gRPC-Web protocols alike. Refusals reach them as errors of their protocol, with the challenge in the error's Meta.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the application (client) ID
// of the API, both from the API's page under App registrations, and expose the scope Orders.Read there. Put your service in
// place of orders.go. Tokens must not travel in the clear: let TLS end in front of this server.
package main

import (
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"
	"github.com/entra-go/entra"
)

// requirements says what each method requires. A method that is not listed is refused.
var requirements = map[string]entra.Requirement{
	listProcedure:  entra.Scope("Orders.Read"),
	watchProcedure: entra.Scope("Orders.Read"),
}

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
		Protocols:         new(http.Protocols),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute, // no WriteTimeout: it would end streams
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // for gRPC
	log.Fatal(server.ListenAndServe())
}

func newHandler(options entra.Options) (http.Handler, error) {
	options.ErrorHandler = writeError
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	path, orders := newOrdersHandler()
	mux := http.NewServeMux()
	mux.Handle(path, entra.Require()(orders)) // without a requirement it refuses everybody
	for procedure, requirement := range requirements {
		mux.Handle(procedure, entra.Require(requirement)(orders))
	}
	return verifier.Authenticate(mux), nil
}

var errorWriter = connect.NewErrorWriter()

// writeError is an entra.Options.ErrorHandler that answers in the caller's protocol. The challenge is a header of the
// response already, and clients find headers in the Meta of an error; as a trailer net/http would drop it.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	if !errorWriter.IsSupported(r) {
		entra.WriteProblem(w, r, err)
		return
	}
	// The error's text is for the log alone.
	refusal := connect.NewError(code(err), errors.New("refused: "+string(entra.ReasonOf(err))))
	_ = errorWriter.Write(w, r, refusal) // it fails if the client has gone
}

func code(err error) connect.Code {
	switch entra.StatusCode(err) {
	case http.StatusBadRequest, http.StatusUnauthorized:
		return connect.CodeUnauthenticated
	case http.StatusForbidden:
		return connect.CodePermissionDenied
	case http.StatusServiceUnavailable:
		return connect.CodeUnavailable
	}
	return connect.CodeInternal
}
