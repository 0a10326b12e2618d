package entra

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// challenge holds the parts of a WWW-Authenticate value that are the same for every request.
type challenge struct {
	authorizationURI string
	resourceMetadata string
	scopePrefix      string
}

// forError returns the WWW-Authenticate value for err, or "" where another token would not help. The form is what the
// parsers of Microsoft's client libraries agree on: one challenge, every value quoted, a comma and a space between
// parameters, no commas or quotes inside values.
//
// Source: RFC 6750 section 3; https://learn.microsoft.com/entra/identity-platform/claims-challenge
func (c challenge) forError(err error) string {
	if err == nil {
		return ""
	}
	k := kindOf(err)
	var refused *refusal
	if errors.As(err, &refused) && refused.Sentinel == nil {
		k = kindInternal
	}
	if k.silent {
		return ""
	}
	var b strings.Builder
	b.WriteString(`Bearer realm=""`)
	add := func(name, value string) {
		if value != "" {
			b.WriteString(", " + name + `="` + value + `"`)
		}
	}
	add("authorization_uri", c.authorizationURI)
	add("resource_metadata", c.resourceMetadata)
	if refused != nil && refused.Claims != "" {
		add("error", "insufficient_claims")
		add("error_description", clientText(Reason(refused.Reason)))
		add("claims", base64.StdEncoding.EncodeToString([]byte(refused.Claims)))
		return b.String()
	}
	add("error", k.code)
	if k.code != "" {
		add("error_description", clientText(ReasonOf(err)))
	}
	if refused != nil && refused.Scope != "" && !strings.ContainsFunc(c.scopePrefix+refused.Scope, breaksValue) {
		add("scope", c.scopePrefix+refused.Scope)
	}
	return b.String()
}

// breaksValue reports whether a character would end a quoted value or confuse the parsers of clients.
func breaksValue(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"\,=`, r) }

// headerSafe escapes in a URL what would end a quoted value or confuse the parsers of clients.
func headerSafe(url string) string {
	var b strings.Builder
	for _, c := range []byte(url) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' || c == ',' {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
