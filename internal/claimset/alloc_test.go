//go:build !race

// The race detector makes pools lose what they keep.

package claimset_test

import (
	"testing"
	"time"

	"github.com/entra-go/entra/internal/claimset"
)

// A new token costs no memory for its claims but for lists beyond the room.
func TestReadingAllocatesNothing(t *testing.T) {
	const text = `{"aud":"a","iss":"i","exp":4102444800,"nbf":1,"iat":1,"ver":"2.0","tid":"t","oid":"o","sub":"s","azp":"c","azpacr":"1",
		"scp":"s1 s2","roles":["r1"],"groups":["g1"],"name":"n","preferred_username":"p","uti":"u","x":[1,"y"]}`
	var room [4]string
	ended := time.Time{}
	allocations := testing.AllocsPerRun(100, func() {
		set, err := claimset.Read(text, room[:0])
		if err != nil {
			t.Fatal(err)
		}
		ended = set.Exp
	})
	if allocations > 0 || ended.IsZero() {
		t.Errorf("got %v allocations, want none", allocations)
	}
}
