package programs_test

import (
	"net"
	"testing"

	"github.com/entra-go/entra/internal/tests/programs"
)

func TestAPortIsForWhoeverNamesIt(t *testing.T) {
	address := "127.0.0.1:" + programs.Port(t)
	if connection, err := net.Dial("tcp", address); err == nil {
		connection.Close()
		t.Error("got a connection before anybody listens, want it refused")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("by its number: got %v, want a listener", err)
	}
	defer listener.Close()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("got %v, want a connection", err)
	}
	connection.Close()
}
