package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		verifier := testbed.NewVerifier(t, tenant, nil)
		if got := verifier.Stats(); got.Refused == nil || len(got.Refused) != 0 || got.Fetches != 0 || !got.LastFetch.IsZero() {
			t.Errorf("a new Verifier: got %+v, want nothing counted, and no fetch", got)
		}
		token, expired := tenant.Token(), tenant.Token(entratest.Expired())
		for range 3 {
			testbed.MustVerify(t, verifier, token)
		}
		handler := verifier.Authenticate(entra.Require(entra.Scope("none"))(new(testbed.Spy)))
		testbed.Serve(handler, "Bearer "+token)
		testbed.Serve(handler, "Bearer "+expired)
		testbed.Serve(handler)
		// An adapter verifies, then answers with the error: that is one refusal.
		_, err := verifier.Verify(t.Context(), expired)
		testbed.Refuse(verifier, err)
		testbed.Refuse(verifier, errors.New("own fault"))
		got := verifier.Stats()
		want := map[entra.Reason]uint64{entra.ReasonScope: 1, entra.ReasonExpired: 2, entra.ReasonNoToken: 1, entra.ReasonInternal: 1}
		for reason, count := range want {
			if got.Refused[reason] != count {
				t.Errorf("got %d refusals %s, want %d", got.Refused[reason], reason, count)
			}
		}
		if got.Verified != 4 || got.Remembered != 3 || len(got.Refused) != len(want) {
			t.Errorf("got %+v, want 4 verified, 3 of them remembered, and refusals %v", got, want)
		}
		// The document of a tenant lists a standby key, one of the government's and the signing one.
		if got.Fetches != 1 || got.FetchFailures != 0 || got.Keys != 3 || !got.LastFetch.Equal(testbed.BubbleStart) {
			t.Errorf("got %+v, want one fetch of 3 keys at %v", got, testbed.BubbleStart)
		}
		got.Refused[entra.ReasonScope] = 99
		if again := verifier.Stats(); again.Refused[entra.ReasonScope] != 1 {
			t.Errorf("got %d refusals after a caller changed his snapshot, want 1", again.Refused[entra.ReasonScope])
		}
		tenant.Down()
		time.Sleep(2 * time.Hour)
		testbed.MustVerify(t, verifier, tenant.Token())
		synctest.Wait()
		if got := verifier.Stats(); got.Fetches != 2 || got.FetchFailures != 1 || !got.LastFetch.Equal(testbed.BubbleStart) {
			t.Errorf("after a failed refresh: got %+v, want 2 fetches, one failed, the last good one at %v", got, testbed.BubbleStart)
		}
	})
}

// TestACallerWhoLeftIsNeitherLoggedNorCounted lets contexts be cancelled and reach their deadlines.
func TestACallerWhoLeftIsNeitherLoggedNorCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		tenant.HangKeys()
		verifier, written := testbed.Logging(t, tenant, slog.LevelDebug)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := verifier.Verify(ctx, tenant.Token()); !errors.Is(err, context.DeadlineExceeded) || entra.ReasonOf(err) != "" {
			t.Errorf("Verify: got %v (%s), want the context's error without reason", err, entra.ReasonOf(err))
		}
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx)
		r.Header.Set("Authorization", "Bearer "+tenant.Token())
		w := httptest.NewRecorder()
		verifier.Authenticate(new(testbed.Spy)).ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("Authenticate: got status %d, want 503", w.Code)
		}
		if got := verifier.Stats().Refused; len(got) != 0 || len(written.Lines()) != 0 {
			t.Errorf("got counts %v and lines %v, want none", got, written.Lines())
		}
		tenant.Restore()
		synctest.Wait()
	})
}

// A handler's own deadline is no caller who left.
func TestADeadlineOfTheHandlersIsLoggedAndCounted(t *testing.T) {
	verifier, written := testbed.Logging(t, entratest.New(t), slog.LevelWarn)
	w := testbed.Refuse(verifier, fmt.Errorf("asking the list of customers: %w", context.DeadlineExceeded))
	lines := written.Lines()
	if w.Code != http.StatusServiceUnavailable || verifier.Stats().Refused[entra.ReasonInternal] != 1 || len(lines) != 1 || lines[0]["reason"] != string(entra.ReasonInternal) {
		t.Errorf("got %d, %v and %v, want 503, counted and logged as internal", w.Code, verifier.Stats().Refused, lines)
	}
}
