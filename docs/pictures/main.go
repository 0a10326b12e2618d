// Pictures draws the pictures of the documents: request.svg, the way of a request; key.svg, the life of a key; and
// performance.svg, what verifying a token costs, from the figures that internal/benchmarks wrote to costs.json.
// quickstart-*.png are screenshots of the page of examples/quickstart that its browser test takes.
package main

import (
	"log"
	"os"
)

//go:generate go run .

var pictures = map[string]func() string{
	"request.svg":     request,
	"key.svg":         keyLife,
	"performance.svg": performance,
}

func main() {
	for name, draw := range pictures {
		if err := os.WriteFile(name, []byte(draw()), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
