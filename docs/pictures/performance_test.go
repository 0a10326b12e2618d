package main

import (
	"strings"
	"testing"
)

func TestTheChartShowsEveryCost(t *testing.T) {
	picture := costChart([]cost{
		{"entra & co.", "library", 0.04}, {"the limit", "standard library", 1}, {"a peer", "peer", 2.5},
	})
	for _, want := range []string{
		">entra &amp; co.</text>", ">0.04</text>", ">the limit</text>", ">1.00</text>", ">a peer</text>", ">2.50</text>",
		"entra &amp; co. 0.04, the limit 1.00, a peer 2.50.</desc>",
		`<rect class="soft fade" x="166" y="152" width="210"`, // the longest bar fills the chart
		`<rect class="good" x="166" y="116" width="84"`,       // 1 of 2.5
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
}
