package jws

import (
	"bytes"
	"errors"
	"strings"

	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/strictjson"
	"github.com/golang-jwt/jwt/v5"
)

const (
	// maxHeader bounds a header segment, encoded. Entra's have about 150 bytes.
	maxHeader = 4096
	// maxMembers bounds the members, arrays and objects of a header, at any depth. Entra's headers have four to six. Within
	// the bound a header costs less than the signature check that a forged token costs anyway, whatever stands in it.
	maxMembers = 64
)

// KeyID returns the kid of a JOSE header segment that says all that it must and nothing that could change how the token
// is read.
func KeyID(segment string) (string, error) {
	if len(segment) > maxHeader {
		return "", refuse.New(refuse.Header, "the header has %d bytes, more than %d; Entra's have about 150: where was this token made?", len(segment), maxHeader)
	}
	var room [maxHeader / 4 * 3]byte // on the stack
	text, err := decodeSegment(room[:0], "header", segment)
	if err != nil {
		return "", err
	}
	if members(text) > maxMembers {
		return "", refuse.New(refuse.Header, "the header has more than %d members, arrays and objects; Entra's have four to six: where was this token made?", maxMembers)
	}
	var h header
	if err := strictjson.Object(string(text), h.read); err != nil {
		return "", unreadable(err)
	}
	return h.kid, h.check()
}

// members returns how many members, arrays and objects text has, or more if its strings hold their signs.
func members(text []byte) int {
	return bytes.Count(text, []byte(":")) + bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{"))
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
	return strictjson.InMember(name, err)
}

func unreadable(err error) error {
	var member *strictjson.MemberError
	if !errors.As(err, &member) {
		return malformed("the header cannot be read: %v; the client must send it as Entra returned it", err)
	}
	if member.Name == "alg" {
		return refuse.New(refuse.Algorithm, "the header's %v; the client must send an access token of Entra's", err).Because(jwt.ErrTokenMalformed)
	}
	return refuse.New(refuse.Header, "the header's %v; the client must send an access token of Entra's", err)
}

func (h *header) check() error {
	switch {
	// Entra puts a nonce into the header of tokens for Microsoft's own APIs and signs another text than it sends.
	case h.nonce:
		return refuse.New(refuse.MicrosoftAPIToken, "the header holds a nonce: the token is for Microsoft Graph or another API of Microsoft's own, and only that API can verify it; the client must request a token for this API")
	case h.extension != "":
		return refuse.New(refuse.Header, "the header's %s changes how the token is to be read; Entra sends no such member: the client must send an access token of Entra's", h.extension)
	// The algorithm is never the token's choice (RFC 8725 section 3.1).
	case h.alg != "RS256":
		return refuse.New(refuse.Algorithm, "the header's alg is %s; Entra signs with RS256 and nothing else is accepted: the client must send an access token of Entra's, not one of another issuer or of its own making", quote.Text(h.alg)).
			Because(jwt.ErrTokenSignatureInvalid)
	case h.hasType && !strings.EqualFold(h.typ, "JWT") && !strings.EqualFold(h.typ, "at+jwt"):
		return refuse.New(refuse.Header, "the header's typ is %s; expected JWT or at+jwt: this is not an access token, which the client must send", quote.Text(h.typ))
	case h.kid == "":
		return refuse.New(refuse.Header, "the header names no key (kid), as Entra always does: the client must send an access token of Entra's")
	}
	return nil
}
