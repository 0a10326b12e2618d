package tour

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/entra-go/entra/entratest"
)

const (
	defaultAPI   = "localhost:8080"
	defaultEntra = "localhost:8081"
	anyPort      = "localhost:0"
)

// startTenant serves the tenant at addr, or at the default port or any other free one if addr is empty.
func startTenant(tenant *entratest.Server, addr string) (url string, err error) {
	if addr != "" {
		url, err = tenant.StartOn(addr)
		return url, explain("-entra", addr, err)
	}
	if url, err = tenant.StartOn(defaultEntra); errors.Is(err, syscall.EADDRINUSE) {
		url, err = tenant.StartOn(anyPort)
	}
	return url, err
}

// listenAPI listens for the API at addr, or at its default port or any other free one if addr is empty.
func listenAPI(addr string) (net.Listener, error) {
	if addr != "" {
		if err := mustBeLoopback(addr); err != nil {
			return nil, explain("-addr", addr, err)
		}
		l, err := net.Listen("tcp", addr)
		return l, explain("-addr", addr, err)
	}
	l, err := net.Listen("tcp", defaultAPI)
	if errors.Is(err, syscall.EADDRINUSE) {
		return net.Listen("tcp", anyPort)
	}
	return l, err
}

func explain(flag, addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s %s: another program has this port; choose another, or leave %s out to get a free one", flag, addr, flag)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, addr, err)
	}
	return nil
}

// mustBeLoopback refuses every address that other machines reach: the sample tenant's secret is public.
func mustBeLoopback(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("not a loopback address; use localhost:%s", port)
	}
	return nil
}

func urlOf(l net.Listener) string {
	addr := l.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if host == "127.0.0.1" {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}
