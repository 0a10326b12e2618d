// Package faults_test lets Entra fail, hang, lie and be late, and floods a Verifier with keys that do not exist, in virtual
// time. Its tests of recorded documents need ENTRA_RECORDED_DATA.
package faults_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// accepted is the outcome of a good token.
const accepted = "accepted"

// bubble runs f in virtual time with a fake tenant and a Verifier for it, whose options change, unless nil, changes
// first. A goroutine that outlives f by more than a fetch may take fails the test.
func bubble(t *testing.T, change func(*entra.Options), f func(*testing.T, *entratest.Server, *entra.Verifier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		f(t, tenant, testbed.NewVerifier(t, tenant, change))
		time.Sleep(11 * time.Second)
	})
}

// outcome returns what err says of a token: accepted, the reason, or the text of an error without one.
func outcome(err error) string {
	switch reason := entra.ReasonOf(err); {
	case err == nil:
		return accepted
	case reason != "":
		return string(reason)
	}
	return err.Error()
}

// expect checks the outcome of token, which must be there at once, and waits for a fetch beside the request to end.
func expect(t *testing.T, v *entra.Verifier, token, want string) {
	t.Helper()
	expectAfter(t, v, token, want, 0)
	synctest.Wait()
}

// expectAfter checks the outcome of token, which must be there after exactly this wait.
func expectAfter(t *testing.T, v *entra.Verifier, token, want string, wait time.Duration) {
	t.Helper()
	start := time.Now()
	_, err := v.Verify(t.Context(), token)
	if got := outcome(err); got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
	if waited := time.Since(start); waited != wait {
		t.Errorf("the call took %v, want %v", waited, wait)
	}
}

// fetches returns when the key document was asked for, counted from start, without the first of them.
func fetches(tenant *entratest.Server, first int, start time.Time) (at []time.Duration) {
	for _, r := range tenant.Requests() {
		if strings.HasSuffix(r.Path, "/keys") {
			at = append(at, r.Time.Sub(start))
		}
	}
	return at[first:]
}

// every calls f now and after each step, until total has passed.
func every(step, total time.Duration, f func()) {
	for start := time.Now(); time.Since(start) < total; time.Sleep(step) {
		f()
		synctest.Wait()
	}
}

// seconds returns these numbers of seconds as durations.
func seconds(seconds ...int) (list []time.Duration) {
	for _, s := range seconds {
		list = append(list, time.Duration(s)*time.Second)
	}
	return list
}

var junkNumber atomic.Int64

// junkToken returns a token that names a key ID which no token has named before.
func junkToken() string { return testbed.JunkToken(fmt.Sprint("junk-", junkNumber.Add(1))) }
