// Grpc is a gRPC server that accepts Microsoft Entra ID tokens. Its one service is the standard health service, whose
// methods stand here for yours: register your own, and name in requirements what each of its methods requires.
//
// Before you run it, set ENTRA_TENANT_ID to your directory (tenant) ID and ENTRA_CLIENT_ID to the application (client) ID
// of the API, both from the API's page under App registrations, and expose the scope Health.Read there. Tokens must not
// travel in the clear: let TLS end in front of this server, or give it grpc.Creds.
package main

import (
	"flag"
	"log"
	"net"
	"os"

	"github.com/entra-go/entra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// requirements says what each method requires. A method that is not listed is refused.
var requirements = map[string][]entra.Requirement{
	healthpb.Health_Check_FullMethodName: {entra.Scope("Health.Read")},
	healthpb.Health_Watch_FullMethodName: {entra.Scope("Health.Read")},
}

func main() {
	addr := flag.String("addr", ":8080", "`address` to listen on")
	flag.Parse()
	server, err := newServer(entra.Options{
		Tenants:  []string{os.Getenv("ENTRA_TENANT_ID")},
		ClientID: os.Getenv("ENTRA_CLIENT_ID"),
	})
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID and ENTRA_CLIENT_ID: %v", err)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.Serve(listener))
}

func newServer(options entra.Options) (*grpc.Server, error) {
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}
	g := guard{verifier, requirements}
	server := grpc.NewServer(grpc.UnaryInterceptor(g.unary), grpc.StreamInterceptor(g.stream))
	healthpb.RegisterHealthServer(server, health.NewServer())
	return server, nil
}
