package refuse_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/entra-go/entra/internal/refuse"
)

func TestNew(t *testing.T) {
	for name, test := range map[string]struct {
		err  *refuse.Error
		text string
	}{
		"arguments":                        {refuse.New(refuse.Claims, "the token has no %s (%d)", "exp", 1), "entra: the token has no exp (1)"},
		"no arguments":                     {refuse.New(refuse.Claims, "the token has no exp"), "entra: the token has no exp"},
		"no arguments and a per cent sign": {refuse.New(refuse.Claims, "100%d", []any(nil)...), "entra: 100%d"},
	} {
		if test.err.Error() != test.text || test.err.Reason != refuse.Claims {
			t.Errorf("%s: got %q with reason %q, want %q with reason claims", name, test.err, test.err.Reason, test.text)
		}
	}
}

// Only package entra sets the sentinel, so an error that it does not know is nobody's and answered as a fault of the server.
func TestAnErrorIsNobodysAtFirst(t *testing.T) {
	sentinel, cause := errors.New("sentinel"), fs.ErrNotExist
	err := refuse.New(refuse.Expired, "x")
	if len(err.Unwrap()) != 0 {
		t.Errorf("got %v wrapped, want nothing", err.Unwrap())
	}
	if got := err.Because(cause); got != err || !errors.Is(err, cause) || errors.Is(err, sentinel) {
		t.Errorf("got %v, want the same error, which wraps its cause alone", got)
	}
	err.Sentinel = sentinel
	if !errors.Is(err, cause) || !errors.Is(err, sentinel) {
		t.Errorf("got %v wrapped, want the sentinel and the cause", err.Unwrap())
	}
}
