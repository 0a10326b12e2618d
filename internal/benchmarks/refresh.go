package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/internal/benchmarks/paired"
	"github.com/entra-go/entra/internal/benchmarks/sample"
)

// fetchTime is how long the tenant takes to answer with its keys.
const fetchTime = 25 * time.Millisecond

// refresh measures how long single remembered tokens take while keys are fetched and while they are not. A Verifier
// fetches Entra's keys about once an hour; here one fetch follows the other, each for a new key.
func (lab *laboratory) refresh(ctx context.Context) error {
	verifier, err := sample.Verifier(ctx, lab.tenant, 0)
	if err != nil {
		return err
	}
	key := lab.tenant.Key()
	lab.tenant.DelayKeys(fetchTime)
	defer lab.tenant.Restore()
	defer lab.tenant.SetKeys(key)
	plan := lab.plan(20, 200*time.Millisecond)
	var quiet, busy [2][]float64 // p50 and p99 of each round
	before := verifier.Stats().Fetches
	for range plan.Rounds {
		if err := lab.latency(ctx, verifier, plan.Slice, &quiet); err != nil {
			return err
		}
		fetching, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			lab.keepFetching(fetching, verifier)
		}()
		err := lab.latency(ctx, verifier, plan.Slice, &busy)
		stop()
		<-done
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(lab.out, "\n| one token seen before | p50 | p99 |\n|---|--:|--:|\n")
	fmt.Fprintf(lab.out, "| keys at rest | %.2f µs | %.2f µs |\n", paired.Median(quiet[0]), paired.Median(quiet[1]))
	fmt.Fprintf(lab.out, "| keys being fetched, %d times | %.2f µs | %.2f µs |\n",
		verifier.Stats().Fetches-before, paired.Median(busy[0]), paired.Median(busy[1]))
	return nil
}

// latency verifies one token after another until the time is over and appends p50 and p99, in microseconds.
func (lab *laboratory) latency(ctx context.Context, verifier *entra.Verifier, d time.Duration, into *[2][]float64) error {
	var taken []float64
	for start, i := time.Now(), 0; time.Since(start) < d; i++ {
		began := time.Now()
		_, err := verifier.Verify(ctx, lab.tokens[i%len(lab.tokens)])
		if err != nil {
			return err
		}
		taken = append(taken, float64(time.Since(began))/float64(time.Microsecond))
	}
	into[0] = append(into[0], paired.Quantile(taken, 0.5))
	into[1] = append(into[1], paired.Quantile(taken, 0.99))
	return nil
}

// keepFetching makes the Verifier fetch keys until ctx ends. A token that names a key published a moment ago needs a fetch;
// that fetch brings the key, so the next unknown key may start another one at once.
func (lab *laboratory) keepFetching(ctx context.Context, verifier *entra.Verifier) {
	_, rest, _ := strings.Cut(lab.tokens[0], ".")
	for ctx.Err() == nil {
		kid := fmt.Sprintf("fetched-at-%d", time.Now().UnixNano())
		lab.tenant.SetKeys(lab.tenant.Key(), lab.tenant.Key().With("kid", kid))
		header := fmt.Sprintf(`{"typ":"JWT","alg":"RS256","kid":%q}`, kid)
		// The token is refused, because its signature was made for another header.
		_, _ = verifier.Verify(ctx, base64.RawURLEncoding.EncodeToString([]byte(header))+"."+rest)
	}
}
