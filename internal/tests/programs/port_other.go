//go:build !linux

package programs

import (
	"net"
	"testing"
)

// Port returns a port of 127.0.0.1 for a program to listen on. Nobody listens on it before.
func Port(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
