package main

import (
	"encoding/xml"
	"io"
	"os"
	"strings"
	"testing"
)

func TestThePicturesAreWhatTheProgramDraws(t *testing.T) {
	for name, draw := range pictures {
		kept, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(kept) != draw() {
			t.Errorf("%s: got another picture than the program draws; run go generate ./docs/pictures", name)
		}
		decoder := xml.NewDecoder(strings.NewReader(string(kept)))
		for {
			if _, err := decoder.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}
