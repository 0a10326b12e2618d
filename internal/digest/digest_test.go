package digest_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/digest"
)

// The digest is that of the whole text, and computing it leaves the text alone.
func TestSHA256(t *testing.T) {
	for _, text := range []string{"", "a", strings.Repeat("a", 1<<16), "a\x00", "é"} {
		kept := strings.Clone(text)
		if got, want := digest.SHA256(text), sha256.Sum256([]byte(kept)); got != want || text != kept {
			t.Errorf("got %x, want %x", got, want)
		}
	}
}
