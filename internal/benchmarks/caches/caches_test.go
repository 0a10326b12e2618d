package main

import "testing"

func TestEveryCandidateKeepsWhatItGets(t *testing.T) {
	for _, c := range candidates() {
		t.Run(c.name, func(t *testing.T) {
			built, err := c.build(size)
			if err != nil {
				t.Fatal(err)
			}
			defer built.stop()
			if err := hits(built, 100)(42); err != nil {
				t.Error(err)
			}
			if _, ok := built.get(keyOf(1 << 40)); ok {
				t.Error("got a value for a key that was never put in")
			}
		})
	}
}
