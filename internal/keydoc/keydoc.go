// Package keydoc reads the documents that a Microsoft Entra authority publishes: its key document, a JWK Set (RFC 7517
// section 5) whose keys carry two members of Microsoft's own, and its OpenID metadata.
package keydoc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/strictjson"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxKeys is how many usable keys of one document are read.
const MaxKeys = 1000

// maxNumber bounds the text of a modulus: 4096 bits are 683 characters of base64url.
const maxNumber = 700

// Key is one usable key of a document. N and E are the RSA modulus and exponent as base64url (RFC 7518 section 6.3.1),
// of bounded length and otherwise as they stand in the document.
type Key struct {
	ID     string
	N, E   string
	Issuer string // whose tokens it signs, perhaps with {tenantid} in it; empty: not said
	Cloud  string // cloud_instance_name; empty: not said
}

// Parse returns the usable keys of a key document, in its order, and why others were passed over. A key that is
// unusable is passed over alone: another type than RSA, another use than signatures, operations without verify, another
// algorithm than RS256, no kid, an empty issuer, or members of the wrong kind. If two keys of the document have one kid and differ, both are passed over. The
// error says that the text is no key document at all or that no key of it is usable.
func Parse(document []byte) (keys []Key, skipped []error, err error) {
	raw, err := elements(document)
	if err != nil {
		return nil, nil, err
	}
	index := make(map[string]int)
	conflict := make(map[string]bool)
	for i, text := range raw {
		key, err := parseKey(text)
		if err != nil {
			skipped = append(skipped, fmt.Errorf("key %d %w", i, err))
			continue
		}
		at, seen := index[key.ID]
		switch {
		case seen && keys[at] != key:
			conflict[key.ID] = true
			skipped = append(skipped, fmt.Errorf("key %d repeats the kid %s with other content", i, quote.Text(key.ID)))
		case !seen && len(keys) == MaxKeys:
			skipped = append(skipped, fmt.Errorf("key %d is beyond the first %d", i, MaxKeys))
		case !seen:
			index[key.ID] = len(keys)
			keys = append(keys, key)
		}
	}
	keys = without(keys, conflict)
	if len(keys) == 0 {
		return nil, skipped, fmt.Errorf("the key document names %d keys and none is usable", len(raw))
	}
	return keys, skipped, nil
}

func without(keys []Key, conflict map[string]bool) []Key {
	kept := keys[:0]
	for _, key := range keys {
		if !conflict[key.ID] {
			kept = append(kept, key)
		}
	}
	return kept
}

// elements returns the texts of the keys. Here names may stand twice and UTF-8 may be broken inside a key: that is the
// fault of one key and must not cost the others.
func elements(document []byte) (raw []string, err error) {
	var set struct {
		keys  []string
		found int
	}
	err = lenientObject(document, func(name string, value jsontext.Value) error {
		if name != "keys" {
			return nil
		}
		set.found++
		set.keys, err = arrayElements(value)
		return err
	})
	if err != nil {
		return nil, err
	}
	if set.found != 1 {
		return nil, fmt.Errorf("the document has %d members named keys; expected one", set.found)
	}
	return set.keys, nil
}

func parseKey(text string) (key Key, err error) {
	var kty, use, alg string
	fields := map[string]*string{
		"kty": &kty, "use": &use, "alg": &alg,
		"kid": &key.ID, "n": &key.N, "e": &key.E, "issuer": &key.Issuer, "cloud_instance_name": &key.Cloud,
	}
	err = strictjson.Object(text, func(name string, value *strictjson.Reader) (err error) {
		if name == "key_ops" {
			return mayVerify(value)
		}
		field, ok := fields[name]
		if !ok {
			return value.Skip()
		}
		if *field, err = value.Text(); err != nil {
			return fmt.Errorf("has a %s that %w", name, err)
		}
		// An absent one of these restricts nothing, so an empty one must not pass for absent.
		if *field == "" && (name == "use" || name == "alg" || name == "issuer" || name == "cloud_instance_name") {
			return fmt.Errorf("has an empty %s", name)
		}
		return nil
	})
	if err != nil {
		return Key{}, err
	}
	return key, usable(key, kty, use, alg)
}

// mayVerify reads key_ops, the other way to say what a key is for (RFC 7517 section 4.3).
func mayVerify(value *strictjson.Reader) error {
	operations, err := value.Texts(nil)
	if err != nil {
		return fmt.Errorf("has key_ops that %w", err)
	}
	if !slices.Contains(operations, "verify") {
		return errors.New("has key_ops without verify")
	}
	return nil
}

func usable(key Key, kty, use, alg string) error {
	switch {
	case kty != "RSA":
		return fmt.Errorf("has kty %s; expected RSA", quote.Text(kty))
	case use != "" && use != "sig":
		return fmt.Errorf("has use %s; expected sig", quote.Text(use))
	case alg != "" && alg != "RS256":
		return fmt.Errorf("has alg %s; expected RS256", quote.Text(alg))
	case key.ID == "":
		return errors.New("has no kid")
	case !isNumber(key.N) || !isNumber(key.E):
		return errors.New("has no proper n and e")
	}
	return nil
}

// isNumber reports whether text is the base64url of a positive number without leading zeros (RFC 7518 section 2).
func isNumber(text string) bool {
	if text == "" || len(text) > maxNumber {
		return false
	}
	for i := range len(text) {
		if text[i] == '\n' || text[i] == '\r' {
			return false
		}
	}
	number, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && number[0] != 0
}
