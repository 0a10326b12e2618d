package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/benchmarks/paired"
	"github.com/entra-go/entra/internal/benchmarks/sample"
)

// request measures whole requests over loopback: a handler that writes some JSON, with the middleware around it and
// without, beside other live objects. Client and server share the cores and one process.
func (lab *laboratory) request(ctx context.Context) error {
	head := liveHeap()
	defer runtime.KeepAlive(head)
	server, err := lab.serveOrders(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	cores := runtime.NumCPU()
	const callers = 32 // enough to keep all cores busy
	var works []paired.Work
	targets := []struct{ name, path string }{
		{"without the middleware", "/open"}, {"with it, token seen before", "/seen"}, {"with it, token new each time", "/new"},
	}
	for _, t := range targets {
		connections, err := lab.connect(server.Listener.Addr().String(), t.path, callers)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		works = append(works, paired.Work{Name: t.name, Cores: cores, Callers: callers, Do: connections.exchange})
	}
	result, err := lab.run(24, 250*time.Millisecond, works)
	if err != nil {
		return err
	}
	fmt.Fprintf(lab.out, "\n| whole requests, %d connections, %d cores | requests a second | of those without |\n|---|--:|--:|\n", callers, cores)
	for i, t := range targets {
		fmt.Fprintf(lab.out, "| %s | %.0f | %.2f |\n", t.name, 1e9/result.Median(i), result.Ratio(0, i))
	}
	return nil
}

// serveOrders starts a server whose handler does what a small API does.
func (lab *laboratory) serveOrders(ctx context.Context) (*httptest.Server, error) {
	remembering, err := sample.Verifier(ctx, lab.tenant, 0)
	if err != nil {
		return nil, err
	}
	// A Verifier without a memory verifies every token as if it were new.
	forgetting, err := sample.Verifier(ctx, lab.tenant, -1)
	if err != nil {
		return nil, err
	}
	orders := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"orders":[{"id":1,"item":"tea","count":2},{"id":2,"item":"salt","count":1}]}`))
	})
	readers := entra.Require(entra.Scope(entratest.ScopeRead))(orders)
	mux := http.NewServeMux()
	mux.Handle("GET /open", orders)
	mux.Handle("GET /seen", remembering.Authenticate(readers))
	mux.Handle("GET /new", forgetting.Authenticate(readers))
	return httptest.NewServer(mux), nil
}

// connection is kept open for one request after the other.
type connection struct {
	net.Conn
	answers *bufio.Reader
	request []byte
}

// connections are idle ones; whoever takes one out puts it back.
type connections chan connection

// connect opens count connections. They end with the server.
func (lab *laboratory) connect(address, path string, count int) (connections, error) {
	idle := make(connections, count)
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, address, lab.tokens[0])
	for range count {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return nil, err
		}
		idle <- connection{conn, bufio.NewReader(conn), request}
	}
	return idle, nil
}

// exchange sends one request and reads its answer.
func (idle connections) exchange(int) error {
	c := <-idle
	defer func() { idle <- c }()
	if _, err := c.Write(c.request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("got status %d, want %d", answer.StatusCode, http.StatusOK)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
