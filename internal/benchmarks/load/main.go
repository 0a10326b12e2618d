// Command load measures whole requests: a server on loopback, the same handler with the middleware and without, loaded in
// turn by wrk if it is installed (Debian: apt install wrk), else by a client of its own.
//
//	go -C internal/benchmarks run ./load [-rounds 10] [-time 2s] [-connections 32]
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/benchmarks/paired"
	"github.com/entra-go/entra/internal/benchmarks/sample"
)

// target is a way to reach the handler.
type target struct{ name, path string }

// measurement is what a generator found out in one slice.
type measurement struct {
	perSecond float64
	p50, p99  time.Duration
}

// generator loads a URL for some time.
type generator func(t target, d time.Duration) (measurement, error)

func main() {
	rounds := flag.Int("rounds", 10, "how often each target is loaded")
	slice := flag.Duration("time", 2*time.Second, "how long each time, whole seconds for wrk")
	connections := flag.Int("connections", 32, "connections at once")
	flag.Parse()
	if err := run(*rounds, *slice, *connections); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rounds int, slice time.Duration, connections int) error {
	tenant, err := sample.Tenant()
	if err != nil {
		return err
	}
	address, stop, err := serve(tenant)
	if err != nil {
		return err
	}
	defer stop()
	name, load := choose(address, sample.Token(tenant), connections)
	targets := []target{
		{"without the middleware", "/open"},
		{"with it, token seen before", "/seen"},
		{"with it, token new each time", "/new"},
	}
	fmt.Printf("%s, %d cores, %d connections, load by %s on the same machine\n\n", runtime.Version(), runtime.NumCPU(), connections, name)
	results := make([][]measurement, len(targets))
	for range rounds {
		for i, t := range targets {
			m, err := load(t, slice)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			results[i] = append(results[i], m)
		}
	}
	report(targets, results)
	return nil
}

// serve starts a server whose handler does what a small API does: it writes some JSON.
func serve(tenant *entratest.Server) (address string, stop func(), err error) {
	ctx := context.Background()
	remembering, err := sample.Verifier(ctx, tenant, 0)
	if err != nil {
		return "", nil, err
	}
	// It remembers nothing, so that every token is as good as new.
	forgetting, err := sample.Verifier(ctx, tenant, -1)
	if err != nil {
		return "", nil, err
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
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), func() { _ = server.Close() }, nil
}

// choose returns wrk, which takes the least from the server, or the client of this program.
func choose(address, token string, connections int) (string, generator) {
	if path, err := exec.LookPath("wrk"); err == nil {
		return "wrk", wrk{path, address, token, connections}.load
	}
	return "a Go client in the server's process", client{address, token, connections}.load
}

func report(targets []target, results [][]measurement) {
	fmt.Print("| | requests a second | p50 | p99 | of those without |\n|---|--:|--:|--:|--:|\n")
	for i, t := range targets {
		var rate, share, p50, p99 []float64
		for round, m := range results[i] {
			rate = append(rate, m.perSecond)
			share = append(share, m.perSecond/results[0][round].perSecond)
			p50 = append(p50, float64(m.p50))
			p99 = append(p99, float64(m.p99))
		}
		fmt.Printf("| %s | %.0f | %v | %v | %.1f %% |\n", t.name, paired.Median(rate),
			time.Duration(paired.Median(p50)).Round(time.Microsecond),
			time.Duration(paired.Median(p99)).Round(time.Microsecond), 100*paired.Median(share))
	}
}
