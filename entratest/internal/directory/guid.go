package directory

import (
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

var guidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// IsGUID reports whether text is a GUID in lower case.
func IsGUID(text string) bool { return guidPattern.MatchString(text) }

// RandomBytes returns n random bytes.
func RandomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // It never fails: crypto/rand.
	return b
}

// RandomGUID returns a new version 4 GUID (RFC 9562).
func RandomGUID() string { return formatGUID(RandomBytes(16)) }

// DerivedGUID returns a GUID that depends on the parts alone.
func DerivedGUID(parts ...string) string {
	digest := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return formatGUID(digest[:16])
}

// Pairwise returns a user's subject at an application. It differs from application
// to application (OpenID Connect Core section 8.1).
func Pairwise(objectID, audience string) string {
	digest := sha256.Sum256([]byte(objectID + "\x00" + audience))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

func formatGUID(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Thumbprint returns the SHA-1 digest by which certificates are named (RFC 7517
// section 4.8). It protects nothing, so GODEBUG=fips140=only need not refuse it.
func Thumbprint(der []byte) []byte {
	var digest [sha1.Size]byte
	fips140.WithoutEnforcement(func() { digest = sha1.Sum(der) })
	return digest[:]
}
