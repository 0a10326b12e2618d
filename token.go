package entra

import (
	"encoding/base64"
	"slices"
	"strings"
	"sync"

	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/strictjson"
)

// parts are what a JWS in compact form consists of (RFC 7515 section 7.1).
type parts struct {
	token    string
	header   string // still encoded
	body     string // what stands behind the header's dot
	familiar bool   // the header was read before, in a verified token

	// Those that decode finds in the body:
	signed             string // header and payload, still encoded, with the dot between them
	signature, payload []byte
	buffer             *[]byte // that the two lie in
}

// behead tells apart the header and the rest of a token, which may yet turn out to be anything.
func behead(token string, maxSize int) (parts, error) {
	if len(token) > maxSize {
		return parts{}, tooLarge(len(token), maxSize)
	}
	header, body, _ := strings.Cut(token, ".")
	return parts{token: token, header: header, body: body}, nil
}

// buffers spare each request one of about a kilobyte.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// decode takes the body apart and decodes it. release must follow.
func (p *parts) decode() error {
	payload, signature, err := p.split()
	if err != nil {
		return err
	}
	p.buffer = buffers.Get().(*[]byte)
	*p.buffer = slices.Grow((*p.buffer)[:0], len(signature)+len(payload))
	if p.signature, err = decodeSegment(*p.buffer, "signature", signature); err != nil {
		return err
	}
	both, err := decodeSegment(p.signature, "payload", payload)
	if err != nil {
		return err
	}
	p.payload = both[len(p.signature):]
	return nil
}

// release gives back what decode took. What it decoded must not be used any more.
func (p *parts) release() {
	if p.buffer != nil {
		buffers.Put(p.buffer)
	}
	p.signature, p.payload, p.buffer = nil, nil, nil
}

// wellFormed refuses what cannot be a token before a key is looked for: junk is no reason for a fetch. It keeps nothing,
// since the request may wait for that fetch, and many others with it.
func (p *parts) wellFormed() error {
	defer p.release()
	return p.decode()
}

func (p *parts) split() (payload, signature string, err error) {
	if len(p.token) >= 7 && strings.EqualFold(p.token[:7], "bearer ") {
		return "", "", malformed("the text begins with Bearer: pass the token alone, or let Authenticate read the header")
	}
	payload, signature, found := strings.Cut(p.body, ".")
	if !found || strings.IndexByte(signature, '.') >= 0 {
		return "", "", notThreeSegments(p.token)
	}
	p.signed = p.token[:len(p.header)+1+len(payload)]
	if p.header == "" || payload == "" || signature == "" {
		return "", "", malformed("a segment of the token is empty; an unsigned or cut token is never accepted")
	}
	return payload, signature, nil
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
		return nil, malformed("the token's " + name + " holds a line break")
	}
	return nil, malformed("the token's " + name + " is not base64url without padding (RFC 7515 section 2)")
}

// keyID returns the kid of a header that says all that it must and nothing that could change how the token is read.
func (s *settings) keyID(segment string) (string, error) {
	var room [256]byte // Entra's headers have about 100 bytes
	text, err := decodeSegment(room[:0], "header", segment)
	if err != nil {
		return "", err
	}
	var h header
	if err := strictjson.Object(string(text), h.read); err != nil {
		return "", h.refused(err)
	}
	return h.kid, h.check(s)
}

// header holds the members of a JOSE header that decide. jku, jwk, x5u and x5c are passed over: a key that the token
// itself brings or points to is never used (RFC 8725 section 3.10).
type header struct {
	alg, kid, typ string
	hasType       bool
	nonce         bool
	extension     string // a member that changes how the token is to be read
}

func (h *header) read(name string, value *strictjson.Reader) (err error) {
	switch name {
	case "alg":
		h.alg, err = value.Text()
	case "kid":
		h.kid, err = value.Text()
	case "typ":
		h.hasType = true
		h.typ, err = value.Text()
	case "nonce":
		h.nonce, err = true, value.Skip()
	case "crit", "b64", "zip", "cty", "enc":
		h.extension, err = name, value.Skip()
	default:
		err = value.Skip()
	}
	if err != nil {
		return memberError{name, err}
	}
	return nil
}

// memberError says that the value of a member has the wrong type or breaks off. Its name may be anybody's text.
type memberError struct {
	name string
	err  error
}

func (e memberError) Error() string { return quote.Field(e.name) + " " + e.err.Error() }
func (e memberError) Unwrap() error { return e.err }

func (h *header) check(s *settings) error {
	switch {
	// Entra puts a nonce into the header of tokens for Microsoft's own APIs and signs another text than it sends.
	case h.nonce:
		return s.microsoftNonce()
	case h.extension != "":
		return badHeader("the header's " + h.extension + " changes how the token is to be read; Entra sends no such member")
	case h.alg != "RS256":
		return wrongAlgorithm(h.alg)
	case h.hasType && !strings.EqualFold(h.typ, "JWT") && !strings.EqualFold(h.typ, "at+jwt"):
		return wrongType(h.typ)
	case h.kid == "":
		return badHeader("the header names no key (kid); Entra always does")
	}
	return nil
}
