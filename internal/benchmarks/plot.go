package main

import (
	"bytes"
	"fmt"
	"image/color"
	"os"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Colours that stand out from a white page and from a dark one.
var (
	grey  = color.RGBA{R: 0x80, G: 0x80, B: 0x80, A: 0xff}
	blue  = color.RGBA{R: 0x2f, G: 0x81, B: 0xf7, A: 0xff}
	green = color.RGBA{R: 0x2d, G: 0xa0, B: 0x4e, A: 0xff}
)

// draw writes the costs on one core as bars, the cheapest at the top.
func draw(table costs, file string) error {
	rows := slices.Clone(table)
	slices.SortFunc(rows, func(a, b cost) int { return int(1e6 * (b.one - a.one)) })
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text = "What verifying a token costs, as multiples of its signature check"
	p.X.Min, p.X.Max = 0, 1.15*rows[0].one
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.name
		if err := addBar(p, i, row, colourOf(row, table)); err != nil {
			return err
		}
	}
	limit, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.5}, {X: 1, Y: float64(len(rows)) - 0.5}})
	if err != nil {
		return err
	}
	limit.Color, limit.Dashes = grey, []vg.Length{vg.Points(3), vg.Points(3)}
	p.Add(limit)
	p.NominalY(names...)
	paint(p)
	return save(p, file)
}

// save writes the picture, with families of letters that every machine has one of.
func save(p *plot.Plot, file string) error {
	picture, err := p.WriterTo(18*vg.Centimeter, 7*vg.Centimeter, "svg")
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if _, err := picture.WriteTo(&text); err != nil {
		return err
	}
	const family = "font-family:Liberation Sans"
	fallback := bytes.ReplaceAll(text.Bytes(), []byte(family), []byte(family+",Helvetica,Arial,sans-serif"))
	return os.WriteFile(file, fallback, 0o644)
}

func colourOf(row cost, table costs) color.Color {
	switch row.name {
	case table[bareRow].name:
		return green
	case table[warmRow].name, table[coldRow].name:
		return blue
	}
	return grey
}

func addBar(p *plot.Plot, i int, row cost, fill color.Color) error {
	bar, err := plotter.NewBarChart(plotter.Values{row.one}, 14)
	if err != nil {
		return err
	}
	bar.Horizontal, bar.Color, bar.LineStyle.Width, bar.XMin = true, fill, 0, float64(i)
	label, err := plotter.NewLabels(plotter.XYLabels{
		XYs:    plotter.XYs{{X: row.one, Y: float64(i)}},
		Labels: []string{fmt.Sprintf("%.2f", row.one)},
	})
	if err != nil {
		return err
	}
	label.TextStyle[0].Color, label.TextStyle[0].Font.Variant = grey, "Sans"
	label.TextStyle[0].YAlign = -0.4
	label.Offset.X = vg.Points(4)
	p.Add(bar, label)
	return nil
}

// paint makes text and axes legible on both kinds of page.
func paint(p *plot.Plot) {
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = grey, grey
		axis.Tick.Label.Color = grey
		axis.Tick.Label.Font.Variant = "Sans"
	}
	p.Title.TextStyle.Color = grey
	p.Title.TextStyle.Font.Variant = "Sans"
	p.Title.TextStyle.Font.Size = font.Length(11)
	p.Title.Padding = vg.Points(8)
}
