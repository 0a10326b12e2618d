// Package bearer reads the Authorization header of RFC 6750 section 2.1.
package bearer

import (
	"errors"
	"strings"
)

// ErrNone says that the request carries no bearer token: no Authorization header, or one of another scheme.
var ErrNone = errors.New("no bearer token")

// ErrMalformed says that the request has an Authorization header which is no well-formed bearer credential.
// The errors that wrap it hold nothing of the header's content.
var ErrMalformed = errors.New("malformed Authorization header")

type malformed string

func (m malformed) Error() string { return string(m) }
func (m malformed) Unwrap() error { return ErrMalformed }

const (
	several  = malformed("the request has several Authorization headers; expected exactly one")
	noScheme = malformed("the Authorization header does not begin with a scheme; expected Bearer and a token")
	empty    = malformed("the Authorization header says Bearer but holds no token")
	grammar  = malformed("the text behind Bearer is no b64token (RFC 6750 section 2.1): expected letters, digits and -._~+/ only, then = at the end")
)

// Token returns the bearer token in the values of a request's Authorization header, or an error that wraps [ErrNone] or [ErrMalformed].
// The scheme is compared without regard to case (RFC 9110 section 11.1) and is followed by one or more spaces. The token
// itself is returned unread: it may be anything but empty.
func Token(values []string) (string, error) {
	if len(values) == 0 {
		return "", ErrNone
	}
	if len(values) > 1 {
		return "", several
	}
	scheme, rest := cutScheme(values[0])
	if scheme == "" {
		return "", noScheme
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ErrNone
	}
	token := strings.TrimLeft(rest, " ")
	if token == "" {
		return "", empty
	}
	if len(token) == len(rest) {
		return "", grammar
	}
	return token, nil
}

// Check returns an error that wraps [ErrMalformed] if token is no b64token (RFC 6750 section 2.1). A token that was
// verified is one, so this is asked about others only.
func Check(token string) error {
	if !isB64Token(token) {
		return grammar
	}
	return nil
}

func cutScheme(value string) (scheme, rest string) {
	end := 0
	for end < len(value) && isTokenChar(value[end]) {
		end++
	}
	return value[:end], value[end:]
}

// isTokenChar reports whether c is a tchar of RFC 9110 section 5.6.2.
func isTokenChar(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	if s == "" {
		return false
	}
	// Without a branch for each character: a flood of bad tokens pays for this.
	var odd byte
	for i := range len(s) {
		odd |= notB64Token[s[i]]
	}
	return odd == 0
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// notB64Token is 1 for the characters that a b64token cannot hold.
var notB64Token = func() (table [256]byte) {
	for c := range 256 {
		if !isAlphanumeric(byte(c)) && strings.IndexByte("-._~+/", byte(c)) < 0 {
			table[c] = 1
		}
	}
	return table
}()
