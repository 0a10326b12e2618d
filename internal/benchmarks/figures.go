package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
)

// figure is one row of the file from which docs/pictures draws the chart of costs.
type figure struct {
	Name     string  `json:"name"`
	Of       string  `json:"of"` // "library", "standard library" or "peer"
	Multiple float64 `json:"multiple"`
}

// figures returns the costs on one core, the cheapest first, with three digits behind the point.
func (table costs) figures() []figure {
	list := make([]figure, len(table))
	for i, row := range table {
		list[i] = figure{row.name, "peer", math.Round(1000*row.one) / 1000}
	}
	list[bareRow].Of, list[seenRow].Of, list[newRow].Of = "standard library", "library", "library"
	slices.SortFunc(list, func(a, b figure) int { return int(math.Copysign(1, a.Multiple-b.Multiple)) })
	return list
}

// writeFigures writes the costs as JSON, one row a line so that a change of them reads well.
func (table costs) writeFigures(file string) error {
	var rows []string
	for _, f := range table.figures() {
		row, err := json.Marshal(f)
		if err != nil {
			return err
		}
		rows = append(rows, "    "+string(row))
	}
	text := fmt.Sprintf("{\n  \"costs\": [\n%s\n  ]\n}\n", strings.Join(rows, ",\n"))
	return os.WriteFile(file, []byte(text), 0o644)
}
