package paired

import (
	"slices"
	"testing"
)

func TestRoundsThatMetFreshPagesAreLeftOut(t *testing.T) {
	const some = 2 * faultShare
	for _, row := range []struct {
		name   string
		faults []float64 // of the rounds measured
		wanted int
		want   []float64 // of the rounds that count
	}{
		{"no faults", []float64{0, 0, 0, 0}, 4, []float64{0, 0, 0, 0}},
		{"few enough", []float64{faultShare, 0}, 2, []float64{0, faultShare}},
		{"some rounds", []float64{some, 0, some, 0, 0, 0}, 4, []float64{0, 0, 0, 0}},
		{"nearly all rounds", []float64{4 * some, 3 * some, 0, 2 * some, some, 5 * some}, 8, []float64{0, some}},
		{"all rounds", []float64{3 * some, some, 2 * some}, 1, []float64{some}},
	} {
		var all []Round
		for _, share := range row.faults {
			all = append(all, Round{Faults: share})
		}
		result := choose(all, row.wanted)
		var got []float64
		for _, round := range result.Rounds {
			got = append(got, round.Faults)
		}
		if !slices.Equal(got, row.want) || result.LeftOut != len(row.faults)-len(row.want) {
			t.Errorf("%s: got %v and %d left out, want %v", row.name, got, result.LeftOut, row.want)
		}
	}
}

func TestFreshPagesAreCounted(t *testing.T) {
	before := freshPages()
	const size = 32 << 20
	pages := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		pages[i] = 1
	}
	if got := freshPages() - before; got == 0 {
		t.Errorf("got %d fresh pages for %d MB, want some", got, size>>20)
	}
}
