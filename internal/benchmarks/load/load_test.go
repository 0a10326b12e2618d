package main

import (
	"testing"
	"time"

	"github.com/entra-go/entra/internal/benchmarks/sample"
)

func TestTheClientLoadsEveryTarget(t *testing.T) {
	tenant, err := sample.Tenant()
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	address, stop, err := serve(tenant)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, path := range []string{"/open", "/seen", "/new"} {
		got, err := client{address, sample.Token(tenant), 2}.load(target{path: path}, 20*time.Millisecond)
		if err != nil || got.perSecond == 0 || got.p50 == 0 || got.p99 < got.p50 {
			t.Errorf("%s: got %+v and error %v, want a rate and times", path, got, err)
		}
	}
	if got, err := (client{address, "no-token", 2}).load(target{path: "/seen"}, time.Millisecond); err == nil {
		t.Errorf("without a valid token: got %+v, want an error", got)
	}
}
