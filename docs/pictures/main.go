// Pictures draws the pictures of the README: request.svg, the way of a request, and key.svg, the life of a key.
// The third, quickstart.png, is a picture of the page of examples/quickstart that its browser test takes.
package main

import (
	"log"
	"os"
)

//go:generate go run .

var pictures = map[string]func() string{
	"request.svg": request,
	"key.svg":     keyLife,
}

func main() {
	for name, draw := range pictures {
		if err := os.WriteFile(name, []byte(draw()), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
