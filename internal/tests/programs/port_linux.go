package programs

import (
	"strconv"
	"syscall"
	"testing"
)

// Port returns a port of 127.0.0.1 for a program to listen on. Nobody listens on it before, and until the test ends the
// system gives it to nobody who asks for any port.
func Port(t testing.TB) string {
	t.Helper()
	// A socket that is bound and does not listen keeps the port from those who ask for any. Whoever names the port can bind to
	// it with SO_REUSEADDR, which servers set; see socket(7).
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	address, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(address.(*syscall.SockaddrInet4).Port)
}
