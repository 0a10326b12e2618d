package rig_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/soak/rig"
)

func TestAShortSoakPasses(t *testing.T) {
	var out, errs bytes.Buffer
	status := rig.Main(t.Context(), []string{"-for", "3s", "-clients", "100", "-rate", "300", "-seed", "1"}, &out, &errs)
	if status != rig.ExitRight || !strings.HasSuffix(out.String(), "PASSED\n") {
		t.Errorf("got status %d, want %d; it said: %s%s", status, rig.ExitRight, &out, &errs)
	}
	for _, figure := range []string{"-seed 1\n", "valid, user", "junk key ID", "wrong acceptances ", "goroutines ", "heap after a collection "} {
		if !strings.Contains(out.String(), figure) {
			t.Errorf("got no %q in the figures: %s", figure, &out)
		}
	}
}

func TestASoakThatIsEndedPrintsItsFigures(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	status := rig.Main(ctx, []string{"-for", "1h", "-clients", "10"}, &out, &errs)
	// Nothing was shown, so it must not say that it passed.
	if got := out.String(); status != rig.ExitWrong || !strings.Contains(got, "wrong acceptances ") || !strings.Contains(got, "nothing was shown") {
		t.Errorf("got status %d, want %d; it said: %s%s", status, rig.ExitWrong, got, &errs)
	}
}

func TestMistakesInFlags(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"-for 500ms", "-for is 500ms; expected a value from 1s to 20h0m0s"},
		{"-for 30h", "-for is 30h0m0s; expected a value from 1s to 20h0m0s"},
		{"-for 5", `invalid value "5" for flag -for`},
		{"-clients 0", "-clients is 0; expected a value from 1 to 2000"},
		{"-rate -3", "-rate is -3; expected a value from 1 to 20000"},
		{"-seed x", `invalid value "x" for flag -seed`},
		{"-break", "flag provided but not defined: -break"},
		{"5m", `unexpected argument "5m"`},
		{"-clients 0 -rate 0", "-rate is 0"},
	} {
		t.Run(row.args, func(t *testing.T) {
			var out, errs bytes.Buffer
			status := rig.Main(t.Context(), strings.Fields(row.args), &out, &errs)
			if status != rig.ExitUsage || !strings.Contains(errs.String(), row.want) || out.Len() > 0 {
				t.Errorf("got status %d, %q; want %d, %q", status, errs.String(), rig.ExitUsage, row.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var out, errs bytes.Buffer
	if status := rig.Main(t.Context(), []string{"-h"}, &out, &errs); status != rig.ExitRight {
		t.Errorf("got status %d, want %d", status, rig.ExitRight)
	}
	for _, name := range []string{"-for", "-seed", "-clients", "-rate"} {
		if !strings.Contains(errs.String(), "  "+name+" ") {
			t.Errorf("got no %s in %q", name, &errs)
		}
	}
}

func TestASeedIsDrawnWhereNoneIsGiven(t *testing.T) {
	var out bytes.Buffer
	drawn, err := rig.ParseFlags(nil, &out)
	if err != nil || drawn.Seed == 0 {
		t.Errorf("got seed %d and error %v, want a seed", drawn.Seed, err)
	}
	given, err := rig.ParseFlags([]string{"-seed", "42"}, &out)
	if err != nil || given.Seed != 42 {
		t.Errorf("got seed %d and error %v, want 42", given.Seed, err)
	}
}
