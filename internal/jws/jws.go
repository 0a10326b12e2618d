// Package jws takes apart a JWS in compact form (RFC 7515 section 7.1) and reads what the JOSE header of an Entra token
// may say. It verifies nothing.
package jws

import (
	"encoding/base64"
	"slices"
	"strings"
	"sync"

	"github.com/entra-go/entra/internal/refuse"
	"github.com/golang-jwt/jwt/v5"
)

// Token is a text that should be a JWS. Its fields share memory with the text.
type Token struct {
	Header string // the first segment, still encoded
	Body   string // what stands behind the dot after it

	// Decode sets these; Release takes Payload and Signature back.
	Signed             string // header and payload, still encoded, with the dot between them
	Payload, Signature []byte

	text   string
	buffer *[]byte // in which Payload and Signature lie
}

// Cut tells apart the header and the rest of a token of at most maxSize bytes. The rest may yet turn out to be anything.
func Cut(text string, maxSize int) (Token, error) {
	if len(text) > maxSize {
		return Token{}, TooLarge(len(text), maxSize)
	}
	header, body, _ := strings.Cut(text, ".")
	return Token{text: text, Header: header, Body: body}, nil
}

// maxSignature is the length of a signature of a key of 4096 bits, encoded. Longer keys are not held.
const maxSignature = 683

// CutSignature tells apart what the signature covers and the signature, both still encoded, by the last dot. It checks
// nothing: of a text that is no token, the pieces may be anything. Without a dot where the signature of a key can begin,
// both are "".
func (t *Token) CutSignature() (signed, signature string) {
	// The signatures of RSA keys of 2048, 3072 and 4096 bits have these lengths. To search for the dot takes a tenth of what a
	// remembered token costs.
	for _, length := range [...]int{342, 512, maxSignature} {
		if dot := len(t.text) - 1 - length; dot >= 0 && t.text[dot] == '.' {
			return t.text[:dot], t.text[dot+1:]
		}
	}
	start := max(0, len(t.text)-1-maxSignature)
	dot := strings.LastIndexByte(t.text[start:], '.')
	if dot < 0 {
		return "", ""
	}
	return t.text[:start+dot], t.text[start+dot+1:]
}

// TooLarge refuses a token of size bytes where maxSize are accepted.
func TooLarge(size, maxSize int) error {
	return refuse.New(refuse.TooLarge, "the token has %d bytes, more than the %d of Options.MaxTokenSize; tokens grow with the groups that they list: let the app registration emit only groups assigned to the application, or app roles in their place, or raise Options.MaxTokenSize", size, maxSize)
}

// buffers spare each request one of about a kilobyte.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Decode takes the body apart and decodes it, unless that is done already. [Token.Release] must follow, whatever Decode
// returns.
func (t *Token) Decode() error {
	if t.Payload != nil {
		return nil
	}
	payload, signature, err := t.split()
	if err != nil {
		return err
	}
	t.buffer = buffers.Get().(*[]byte)
	*t.buffer = slices.Grow((*t.buffer)[:0], len(signature)+len(payload))
	if t.Signature, err = decodeSegment(*t.buffer, "signature", signature); err != nil {
		return err
	}
	both, err := decodeSegment(t.Signature, "payload", payload)
	if err != nil {
		return err
	}
	t.Payload = both[len(t.Signature):]
	return nil
}

// Payload decodes the payload segment of a token's body, for a text about a token that was not verified.
func Payload(body string) ([]byte, error) {
	segment, _, _ := strings.Cut(body, ".")
	return decodeSegment(nil, "payload", segment)
}

// Release gives back the memory of Payload and Signature. They must not be used any more.
func (t *Token) Release() {
	if t.buffer != nil {
		buffers.Put(t.buffer)
	}
	t.Signature, t.Payload, t.buffer = nil, nil, nil
}

// Check returns the error of [Token.Decode] and keeps nothing. It is for a token whose key is not known yet: junk is no
// reason for a fetch, and many requests may wait for one, each with the buffer that it would have kept.
func (t *Token) Check() error {
	defer t.Release()
	return t.Decode()
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
