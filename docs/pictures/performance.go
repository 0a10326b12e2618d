package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

// costsFile holds what internal/benchmarks measured: go -C internal/benchmarks run . -costs ../../docs/pictures/costs.json
//
//go:embed costs.json
var costsFile []byte

// cost is what one way to verify a token costs on one core, as a multiple of the bare signature check.
type cost struct {
	Name     string
	Of       string // "library", "standard library" or "peer"
	Multiple float64
}

// performance draws the measured costs as bars, in the order of the file.
func performance() string {
	var measured struct{ Costs []cost }
	if err := json.Unmarshal(costsFile, &measured); err != nil {
		panic("costs.json: " + err.Error())
	}
	return costChart(measured.Costs)
}

// Geometry of the chart.
const (
	barsX     = 166
	barsRight = width - margin - 44 // leaves room for the number behind the longest bar
	firstBar  = 80
	barPitch  = 36
	barHeight = 20
)

func costChart(costs []cost) string {
	bottom := firstBar + len(costs)*barPitch
	c := newCanvas(bottom+40, "What verifying a token costs", describe(costs))
	c.text(margin, 58, "soft small", "as a multiple of its RSA signature check, on one core")
	longest := 1.0
	for _, row := range costs {
		longest = max(longest, row.Multiple)
	}
	x := func(multiple float64) int { return barsX + int(multiple/longest*(barsRight-barsX)) }
	for multiple := 0; float64(multiple) <= longest; multiple++ {
		c.line(x(float64(multiple)), 68, x(float64(multiple)), bottom, "line")
		c.anchored(x(float64(multiple)), bottom+20, "soft small", "middle", fmt.Sprint(multiple))
	}
	for i, row := range costs {
		y := firstBar + i*barPitch
		c.text(margin, y+15, classOfName(row), row.Name)
		c.bar(barsX, x(row.Multiple), y, barHeight, classOfBar(row))
		c.text(x(row.Multiple)+10, y+15, "soft", fmt.Sprintf("%.2f", row.Multiple))
	}
	c.line(x(1), 68, x(1), bottom, "mark")
	return c.done()
}

// classOfName sets this library's rows apart.
func classOfName(row cost) string {
	if row.Of == "library" {
		return "name"
	}
	return "soft"
}

func classOfBar(row cost) string {
	switch row.Of {
	case "library":
		return "accent"
	case "standard library":
		return "good"
	}
	return "soft fade"
}

// describe says the chart in words, for readers who do not see it.
func describe(costs []cost) string {
	rows := make([]string, len(costs))
	for i, row := range costs {
		rows[i] = fmt.Sprintf("%s %.2f", row.Name, row.Multiple)
	}
	return "Multiples of the bare signature check: " + strings.Join(rows, ", ") + "."
}
