// Package jws takes apart a JWS in compact form (RFC 7515 section 7.1) and reads what the JOSE header of an Entra token
// may say. It verifies nothing.
package jws

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"unsafe"

	"github.com/entra-go/entra/internal/refuse"
	"github.com/golang-jwt/jwt/v5"
)

// Token is a text that should be a JWS. Its fields share memory with the text.
type Token struct {
	Header string // the first segment, still encoded
	Body   string // what stands behind the dot after it

	// Decode sets these.
	Signed  string // header and payload, still encoded, with the dot between them
	Payload string // decoded, in memory of its own

	text string
}

// Cut makes of the zero Token the one of text, of at most maxSize bytes, and tells apart the header and the rest. The rest
// may yet turn out to be anything.
func (t *Token) Cut(text string, maxSize int) error {
	if len(text) > maxSize {
		return TooLarge(len(text), maxSize)
	}
	t.text = text
	t.Header, t.Body, _ = strings.Cut(text, ".")
	return nil
}

// endSize is how many characters [Token.CutEnd] cuts off: as many as three blocks of SHA-256 hold, since to hash is what
// costs most when a token is seen again.
const endSize = 3*sha256.BlockSize - 9

// CutEnd tells apart the last 183 characters of a token and all before them. Whoever compares the start with a token's text
// and the end with its hash has compared all of the token, and need not hold the end: more than half of a signature with a
// key of 2048 bits, the shortest that is held, and over 1,000 bits of any, which nobody can guess or reckon from the rest
// without the private key. Of a text that is not longer both are "".
func (t *Token) CutEnd() (start, end string) {
	if len(t.text) <= endSize {
		return "", ""
	}
	cut := len(t.text) - endSize
	return t.text[:cut], t.text[cut:]
}

// TooLarge refuses a token of size bytes where maxSize are accepted.
func TooLarge(size, maxSize int) error {
	return refuse.New(refuse.TooLarge, "the token has %d bytes, more than the %d of Options.MaxTokenSize; tokens grow with the groups that they list: let the app registration emit only groups assigned to the application, or app roles in their place, or raise Options.MaxTokenSize", size, maxSize)
}

// Decode takes the body apart, decodes it, and returns the signature, which lies in room as long as that has capacity.
func (t *Token) Decode(room []byte) (signature []byte, err error) {
	payload, encoded, err := t.split()
	if err != nil {
		return nil, err
	}
	if signature, err = decodeSegment(room[:0], "signature", encoded); err != nil {
		return nil, err
	}
	// A token for one of several authorities is decoded to choose one, and again to be verified.
	if t.Payload == "" {
		if t.Payload, err = decodeText("payload", payload); err != nil {
			return nil, err
		}
	}
	return signature, nil
}

// Payload decodes the payload segment of a token's body, for a text about a token that was not verified.
func Payload(body string) (string, error) {
	segment, _, _ := strings.Cut(body, ".")
	return decodeText("payload", segment)
}

// Check returns the error of [Token.Decode] and keeps nothing. It is for a token whose key is not known yet: junk is no
// reason for a fetch, and many requests may wait for one, each with what it would have kept.
func (t *Token) Check() error {
	payload, signature, err := t.split()
	var room [2048]byte // on the stack, for most tokens
	if err == nil {
		_, err = decodeSegment(room[:0], "signature", signature)
	}
	if err == nil {
		_, err = decodeSegment(room[:0], "payload", payload)
	}
	return err
}

func (t *Token) split() (payload, signature string, err error) {
	if len(t.text) >= 7 && strings.EqualFold(t.text[:7], "bearer ") {
		return "", "", malformed("the text begins with Bearer: pass the token alone, or let Authenticate read the header")
	}
	payload, signature, found := strings.Cut(t.Body, ".")
	if !found || strings.IndexByte(signature, '.') >= 0 {
		return "", "", notThreeSegments(t.text)
	}
	if t.Header == "" || payload == "" || signature == "" {
		return "", "", malformed("a segment of the token is empty; an unsigned or cut token is never accepted: the client must send it as Entra returned it")
	}
	t.Signed = t.text[:len(t.Header)+1+len(payload)]
	return payload, signature, nil
}

func malformed(format string, args ...any) *refuse.Error {
	return refuse.New(refuse.Malformed, format, args...).Because(jwt.ErrTokenMalformed)
}

func notThreeSegments(text string) *refuse.Error {
	dots := strings.Count(text, ".")
	switch {
	case text == "":
		return malformed("the token is empty; pass the text that stands behind Bearer")
	case strings.TrimSpace(text) != text:
		return malformed("the token has white space around it; remove it")
	case dots == 4:
		return refuse.New(refuse.Encrypted, "the token is encrypted (JWE, five segments); remove tokenEncryptionKeyId from the API's app registration, or decrypt it before")
	case placeholder(text) != "":
		return malformed("%s", placeholder(text))
	case dots == 0:
		return malformed("the token is no JWT: it has no dot; an opaque token or a secret was sent, or a token of a personal account for a Microsoft API; the client must request an access token with a scope of this API")
	}
	return malformed("the token has %d segments; a signed JWT has three: the client must send it as Entra returned it", dots+1)
}

// placeholder says which text stands where a token belongs, for those that programs make of a variable without one; "" for
// any other text.
func placeholder(text string) string {
	if len(text) > len(`"access_token"`) {
		return "" // A flood of long texts need not be made lower case.
	}
	switch strings.ToLower(strings.Trim(text, `"'`)) {
	case "undefined", "null", "none", "nil", "nan", "false", "true":
		return "the client sent the word " + strings.ToLower(strings.Trim(text, `"'`)) + " in place of a token: its variable held none; look at how it gets the token, and wait for that"
	case "token", "access_token", "accesstoken", "your_token", "your-token", "yourtoken", "jwt", "string":
		return "the client sent a placeholder in place of a token; put the access token there"
	}
	return ""
}

// base64url is the encoding of RFC 7515 section 2: without padding, and strict, so that one token has one text.
var base64url = base64.RawURLEncoding.Strict()

// decodeSegment appends to buffer what segment encodes.
func decodeSegment(buffer []byte, name, segment string) ([]byte, error) {
	start := len(buffer)
	buffer = slices.Grow(buffer, base64url.DecodedLen(len(segment)))
	n, err := base64url.Decode(buffer[start:cap(buffer)], []byte(segment))
	// encoding/base64 passes over line breaks, which would give one token many texts. Then less comes out than the length
	// promises, unless the length is one that no text has.
	if err == nil && n == base64url.DecodedLen(len(segment)) && len(segment)%4 != 1 {
		return buffer[:start+n], nil
	}
	if strings.IndexByte(segment, '\n') >= 0 || strings.IndexByte(segment, '\r') >= 0 {
		return nil, malformed("the token's %s holds a line break; the client must send it as Entra returned it", name)
	}
	return nil, malformed("the token's %s is not base64url without padding (RFC 7515 section 2); the client must send it as Entra returned it", name)
}

// decodeText returns what segment encodes as a string, without the copy that a conversion would make.
func decodeText(name, segment string) (string, error) {
	text, err := decodeSegment(nil, name, segment)
	// Nobody else has these bytes, so nobody changes them.
	return unsafe.String(unsafe.SliceData(text), len(text)), err
}
