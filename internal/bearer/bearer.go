// Package bearer reads the Authorization header of RFC 6750 section 2.1.
package bearer

import (
	"errors"
	"strings"

	"github.com/entra-go/entra/internal/quote"
)

// ErrNone says that the request carries no bearer token: no Authorization header, or one of another scheme.
var ErrNone = errors.New("no bearer token")

// ErrMalformed says that the request has an Authorization header which is no well-formed bearer credential.
var ErrMalformed = errors.New("malformed Authorization header")

// mistake is an error about a header that is there. Its text is for the operator, and holds of the header's content only
// the name of another scheme, quoted: what follows could be a secret.
type mistake struct {
	text string
	kind error
}

func (m *mistake) Error() string { return m.text }
func (m *mistake) Unwrap() error { return m.kind }

var (
	several  = &mistake{"the request has several Authorization headers; expected exactly one: look for a proxy or a client that adds one", ErrMalformed}
	noScheme = &mistake{"the Authorization header does not begin with a scheme; expected Bearer, a space and a token", ErrMalformed}
	empty    = &mistake{"the Authorization header says Bearer but holds no token; the client's variable was empty", ErrMalformed}
	grammar  = &mistake{"the text behind Bearer is no b64token (RFC 6750 section 2.1): expected letters, digits and -._~+/ only, then = at the end", ErrMalformed}
	twice    = &mistake{"the scheme Bearer stands there twice; the client adds it to a text that begins with it already", ErrMalformed}
	quoted   = &mistake{"the token is in quotation marks; the client must send the text of the token alone (a JSON string was passed on as it stands)", ErrMalformed}
	object   = &mistake{"the client sent an object's name, such as [object Object], in place of a token; it must send the member that holds the access token's text", ErrMalformed}
	filler   = &mistake{"the client sent a placeholder in brackets, braces or with a dollar sign in place of a token; its variable was not replaced", ErrMalformed}
	broken   = &mistake{"the token holds a space or a line break; it was wrapped or copied with more than itself", ErrMalformed}
	alone    = &mistake{"the Authorization header holds a token, and the scheme Bearer is missing before it; the client must send Bearer, a space and the token", ErrNone}
	word     = &mistake{"the Authorization header holds the word undefined, null or the like; the client's variable held no token: look at how it gets one", ErrNone}
)

// Token returns the bearer token in the values of a request's Authorization header, or an error that wraps [ErrNone] or
// [ErrMalformed]; without any value it is ErrNone itself. The scheme is compared without regard to case (RFC 9110 section
// 11.1) and is followed by one or more spaces. The token itself is returned unread: it may be anything but empty.
func Token(values []string) (string, error) {
	if len(values) == 0 {
		return "", ErrNone
	}
	// Proxies and handlers could each take another one for the caller's.
	if len(values) > 1 {
		return "", several
	}
	scheme, rest := cutScheme(values[0])
	if scheme == "" {
		return "", noScheme
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return "", notBearer(scheme, rest)
	}
	token := strings.TrimLeft(rest, " ")
	if token == "" {
		return "", empty
	}
	// A tab or a parenthesis ended the scheme: RFC 9110 section 11.4 wants spaces.
	if len(token) == len(rest) {
		return "", grammar
	}
	return token, nil
}

// notBearer says what stands in the place of the scheme Bearer.
func notBearer(scheme, rest string) error {
	switch strings.ToLower(scheme) {
	case "undefined", "null", "none", "nil", "nan", "false":
		return word
	}
	// Whatever a client puts into the scheme's place may be its token: name nothing that is not a scheme's.
	if isToken(scheme) || len(scheme) > maxScheme {
		return alone
	}
	name := quote.Text(scheme)
	if strings.TrimSpace(rest) == "" {
		return &mistake{"the Authorization header is the word " + name + " alone; expected Bearer, a space and a token", ErrNone}
	}
	return &mistake{"the Authorization header has the scheme " + name + "; expected Bearer, a space and a token", ErrNone}
}

// maxScheme is longer than the name of any registered authentication scheme.
const maxScheme = 20

// isToken reports whether a text looks like a JWT or another secret rather than a scheme, whose names are words.
func isToken(text string) bool {
	return strings.HasPrefix(text, "eyJ") || strings.ContainsAny(text, ".~+_0123456789")
}

// Check returns an error that wraps [ErrMalformed] if token is no b64token (RFC 6750 section 2.1). A token that was
// verified is one, so this is asked about others only.
func Check(token string) error {
	if isB64Token(token) {
		return nil
	}
	switch first := token[0]; {
	case len(token) > 7 && strings.EqualFold(token[:7], "bearer "):
		return twice
	case strings.HasPrefix(token, "[object ") || strings.HasPrefix(token, "System.") || strings.HasPrefix(token, "map["):
		return object
	case first == '"' || first == '\'' || first == '`':
		return quoted
	case strings.ContainsRune("<[{$%", rune(first)):
		return filler
	// Last, since the mistakes above hold spaces too.
	case strings.ContainsAny(token, " \t\r\n"):
		return broken
	}
	return grammar
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
