package authserver

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/entra-go/entra/internal/strictjson"
	"github.com/go-json-experiment/json/jsontext"
)

// What the published document says in place of the fetched one's members. Entra supports S256 (RFC 7636) at every
// authorization endpoint but does not say so.
//
// Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
const (
	memberIssuer  = "issuer"
	memberMethods = "code_challenge_methods_supported"
	methods       = `["S256"]`
)

// republish returns document with another issuer and the code challenge methods, and every other member as it stands
// there, in its order. The document must be one JSON object without repeated names that names an issuer, as metadata
// does: two readers could otherwise find different endpoints in it.
func republish(document, issuer string) ([]byte, error) {
	quoted, err := jsontext.AppendQuote(nil, issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: %w", strconv.QuoteToASCII(issuer), err)
	}
	out := []byte{'{'}
	add := func(name, value string) error {
		if len(out) > 1 {
			out = append(out, ',')
		}
		if out, err = jsontext.AppendQuote(out, name); err != nil {
			return err
		}
		out = append(append(out, ':'), value...)
		return nil
	}
	named := false
	err = strictjson.Object(document, func(name string, value *strictjson.Reader) error {
		switch name {
		case memberIssuer:
			named = true
			if _, err := value.Text(); err != nil {
				return fmt.Errorf("the metadata's issuer %w", err)
			}
			return add(name, string(quoted))
		case memberMethods:
			return value.Skip()
		}
		text, err := value.Raw()
		if err != nil {
			return err
		}
		return add(name, text)
	})
	switch {
	case err != nil:
		return nil, err
	case !named:
		return nil, errors.New("the metadata names no issuer; expected the metadata of an authorization server")
	}
	if err := add(memberMethods, methods); err != nil {
		return nil, err
	}
	return append(out, '}'), nil
}
