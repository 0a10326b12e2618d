package main

import (
	"fmt"
	"html"
	"strings"
)

// canvas is an SVG document in the making. Its classes are those of style, which has colours for light and for dark. It
// paints a background of its own, because the page around it may use another colour scheme than the reader's system.
type canvas struct {
	strings.Builder
	width, height int
}

// width is that of every picture, in pixels of the page: no more than a phone shows without shrinking the text much.
const (
	width  = 440
	margin = 20
	inner  = width - 2*margin
)

const style = `
  svg { color-scheme: light dark; --paper: #fbfaf7; --edge: #dedbd2; --ink: #1d1d1b; --soft: #605e57; --good: #14713f; --bad: #b3291f; --accent: #2851c4; --wash: #efede6; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #1b1c19; --edge: #373832; --ink: #ecebe5; --soft: #a9a79e; --good: #6fd59c; --bad: #ff9a8f; --accent: #93b1ff; --wash: #262722; }
  }
  text { font: 14px -apple-system, "Segoe UI", Inter, Roboto, "Liberation Sans", sans-serif; fill: var(--ink); }
  .title { font-weight: 700; font-size: 17px; }
  .name { font-weight: 650; font-size: 15px; }
  .soft { fill: var(--soft); }
  .small { font-size: 12.5px; }
  .code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 12.5px; fill: var(--soft); }
  .good { fill: var(--good); }
  .bad { fill: var(--bad); }
  .accent { fill: var(--accent); }
  .status { fill: var(--bad); font-weight: 700; }
  .ground { fill: var(--paper); stroke: var(--edge); }
  .wash { fill: var(--wash); }
  .fade { opacity: .4; }
  .way { stroke: var(--good); stroke-width: 3; }
  .out { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 1 4; stroke-linecap: round; }
  .line { stroke: var(--edge); }
  .mark { stroke: var(--soft); stroke-dasharray: 2 3; }
  .cross { stroke: var(--bad); stroke-width: 2.25; stroke-linecap: round; fill: none; }
  .step { fill: var(--paper); stroke: var(--good); stroke-width: 3; }
`

func newCanvas(height int, title, description string) *canvas {
	c := &canvas{width: width, height: height}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title description">`+"\n", width, height)
	fmt.Fprintf(c, "<title id=\"title\">%s</title>\n<desc id=\"description\">%s</desc>\n", html.EscapeString(title), html.EscapeString(description))
	fmt.Fprintf(c, "<style>%s</style>\n", style)
	fmt.Fprintf(c, `<rect class="ground" x=".5" y=".5" width="%d" height="%d" rx="12"/>`+"\n", width-1, height-1)
	c.text(margin, 36, "title", title)
	return c
}

func (c *canvas) done() string {
	c.WriteString("</svg>\n")
	return c.String()
}

func (c *canvas) text(x, y int, class, text string) {
	fmt.Fprintf(c, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, x, y, html.EscapeString(text))
}

// paragraph writes lines below each other, the first one at y.
func (c *canvas) paragraph(y int, lines ...string) {
	for i, line := range lines {
		c.text(margin, y+20*i, "soft", line)
	}
}

// anchored writes text that ends at x (anchor "end") or is centred on it (anchor "middle").
func (c *canvas) anchored(x, y int, class, anchor, text string) {
	fmt.Fprintf(c, `<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(text))
}

func (c *canvas) line(x1, y1, x2, y2 int, class string) {
	fmt.Fprintf(c, `<line class="%s" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", class, x1, y1, x2, y2)
}

func (c *canvas) bar(x1, x2, y, height int, class string) {
	fmt.Fprintf(c, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4"/>`+"\n", class, x1, y, x2-x1, height)
}

func (c *canvas) dot(x, y, radius int, class string) {
	fmt.Fprintf(c, `<circle class="%s" cx="%d" cy="%d" r="%d"/>`+"\n", class, x, y, radius)
}

func (c *canvas) cross(x, y int) {
	fmt.Fprintf(c, `<path class="cross" d="M%d %dl8 8m0 -8l-8 8"/>`+"\n", x-4, y-4)
}
