package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestABuildMeasuresItself(t *testing.T) {
	lab := newTestLaboratory(t)
	var out bytes.Buffer
	lab.out = &out
	if err := lab.measureSignature(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got times
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Boring != boringEnabled() || len(got.Rows) != 3 || got.Rows[0] != "signature alone" || len(got.Nanoseconds) != 3 || got.Nanoseconds[0] <= 0 {
		t.Errorf("got %s, want three rows, the signature alone first", &out)
	}
}

func TestBuildsAreComparedByTheMedianOfTheirTurns(t *testing.T) {
	turn := func(nanoseconds float64) times {
		return times{Rows: []string{"signature alone"}, Nanoseconds: []float64{nanoseconds}}
	}
	var out strings.Builder
	printBuilds(&out, [][]times{
		{turn(40_000), turn(90_000), turn(39_000)},
		{turn(44_000), turn(44_000), turn(9_000)},
		{turn(10_000), turn(20_000), turn(21_000)},
	})
	const want = "| signature alone | 40.0 µs (1.00) | 44.0 µs (1.10) | 20.0 µs (0.50) |\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %s, want %s at the end", &out, want)
	}
}
