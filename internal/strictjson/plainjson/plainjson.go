// Package plainjson reads a JSON object a second time: slowly, with encoding/json alone and none of strictjson's code,
// so that tests can compare what two readers make of one text.
package plainjson

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Object returns the members of text under their exact names. It fails for anything but one object, and for what
// encoding/json would let through: invalid UTF-8, half surrogate pairs, names that stand twice in one object, and values
// that lie in each other more than 64 deep.
func Object(text string) (map[string]json.RawMessage, error) {
	switch {
	case !json.Valid([]byte(text)):
		return nil, errors.New("plainjson: no JSON")
	case !utf8.ValidString(text):
		return nil, errors.New("plainjson: no UTF-8")
	case depth(text) > 64:
		return nil, errors.New("plainjson: too deep")
	case hasHalfPair(text):
		return nil, errors.New("plainjson: half a surrogate pair")
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := unique(decoder); err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, errors.New("plainjson: null")
	}
	return members, nil
}

// unique reads one value and fails if a name stands twice in one object of it.
func unique(decoder *json.Decoder) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	delimiter, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	names := make(map[any]bool)
	for decoder.More() {
		if delimiter == '{' {
			name, err := decoder.Token()
			if err != nil {
				return err
			}
			if names[name] {
				return errors.New("plainjson: a name twice")
			}
			names[name] = true
		}
		if err := unique(decoder); err != nil {
			return err
		}
	}
	_, err = decoder.Token()
	return err
}

// depth returns how deep the values of valid JSON lie in each other.
func depth(text string) (deepest int) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	for level := 0; ; {
		token, err := decoder.Token()
		switch {
		case err != nil:
			return deepest
		case token == json.Delim('{'), token == json.Delim('['):
			level++
		case token == json.Delim('}'), token == json.Delim(']'):
			level--
		}
		deepest = max(deepest, level)
	}
}

// hasHalfPair reports whether an escape of valid JSON is one half of a UTF-16 surrogate pair without the other.
func hasHalfPair(text string) bool {
	high := false // the escape just read was the first half
	for i := 0; i < len(text); {
		unit := uint64(0)
		size := 1
		if text[i] == '\\' {
			size = 2
			if text[i+1] == 'u' {
				size = 6
				unit, _ = strconv.ParseUint(text[i+2:i+6], 16, 16) // Valid JSON has four digits here.
			}
		}
		low := unit >= 0xdc00 && unit <= 0xdfff
		if high != low {
			return true
		}
		high = unit >= 0xd800 && unit <= 0xdbff
		i += size
	}
	return high
}

// Text returns a member that is a string, and whether it is there and one.
func Text(members map[string]json.RawMessage, name string) (string, bool) {
	raw, ok := members[name]
	if !ok || raw[0] != '"' {
		return "", false
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return text, err == nil
}
