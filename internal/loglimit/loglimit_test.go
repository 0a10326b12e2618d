package loglimit_test

import (
	"testing"
	"time"

	"github.com/entra-go/entra/internal/loglimit"
)

func TestAdmit(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rows := []struct {
		name    string
		kind    string
		after   time.Duration
		times   int
		admits  int
		leftOut int // that the first admitted line tells
	}{
		{"the first ten of a kind pass", "expired", 0, 15, 10, 0},
		{"another kind has ten lines of its own", "audience", 0, 10, 10, 0},
		{"within the window none passes", "expired", 10*time.Second - 1, 3, 0, 0},
		{"after the window the next line tells how many were left out", "expired", 10 * time.Second, 12, 10, 8},
		{"the count starts anew", "expired", 30 * time.Second, 1, 1, 2},
	}
	var limiter loglimit.Limiter
	for _, row := range rows {
		admitted, told := 0, -1
		for range row.times {
			if leftOut, ok := limiter.Admit(row.kind, start.Add(row.after)); ok {
				if admitted++; told < 0 {
					told = leftOut
				}
			}
		}
		if admitted != row.admits || admitted > 0 && told != row.leftOut {
			t.Errorf("%s: got %d lines of %d and %d left out, want %d and %d", row.name, admitted, row.times, told, row.admits, row.leftOut)
		}
	}
}

func TestAnyTenSecondsHoldTenLines(t *testing.T) {
	var limiter loglimit.Limiter
	var written []time.Time
	for now := (time.Time{}).Add(time.Hour); len(written) < 100; now = now.Add(300 * time.Millisecond) {
		if _, ok := limiter.Admit("scope", now); ok {
			written = append(written, now)
		}
	}
	for i := 10; i < len(written); i++ {
		if between := written[i].Sub(written[i-10]); between < 10*time.Second {
			t.Fatalf("got eleven lines within %v, want ten in 10s at most", between)
		}
	}
}
