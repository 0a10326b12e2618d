// Package quote makes text that came from outside safe to print: bounded, on one line, and visibly a quotation.
package quote

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limit is how many bytes of a foreign text are shown: enough for every issuer of Entra's, that of a B2C policy included.
const Limit = 128

// Text returns s cut to at most [Limit] bytes, in double quotes, with everything that is not printable ASCII escaped.
// Three dots behind the closing quote say that something was cut.
func Text(s string) string {
	switch {
	case len(s) > Limit:
		return strconv.QuoteToASCII(Cut(s)) + "..."
	case !strings.ContainsFunc(s, isOdd):
		// What IDs look like, and a flood of bad tokens is full of them.
		return `"` + s + `"`
	}
	return strconv.QuoteToASCII(s)
}

// Field returns s as it is if it is short and consists of letters, digits and -._~ only, as IDs do, and else [Text] of it.
func Field(s string) string {
	if len(s) > Limit || strings.ContainsFunc(s, isOdd) {
		return Text(s)
	}
	return s
}

func isOdd(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
}

// Cut returns the longest prefix of s that has at most [Limit] bytes and ends between two characters.
func Cut(s string) string {
	if len(s) <= Limit {
		return s
	}
	end := Limit
	for end > Limit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// IsBlank reports whether nobody sees r: a space or another character that is not printable.
func IsBlank(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }
