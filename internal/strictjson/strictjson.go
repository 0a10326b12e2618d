// Package strictjson reads one JSON object member by member, refusing all that two readers could understand
// differently: duplicate names at any depth, invalid UTF-8, text behind the object (RFC 8259 sections 4 and 8.1).
// Names are compared exactly, case included. What it costs grows no faster than the length of the text, whatever stands in
// it: values lie in each other to a depth of [MaxDepth] at most, as section 9 permits.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Reader reads the value of the member at hand. It is valid inside the function given to [Object] only, which calls
// exactly one of its methods for each member.
type Reader struct {
	source  string
	escapes bool // source has a backslash: its strings may be written otherwise than they read
	decoder *jsontext.Decoder
	buffer  bytes.Buffer
	inner   jsontext.Decoder // reads values again that have objects inside
	names   names
}

// repeating lets the decoder pass over repeated names.
var repeating = jsontext.AllowDuplicateNames(true)

var readers = sync.Pool{New: func() any {
	r := new(Reader)
	r.decoder = jsontext.NewDecoder(&r.buffer)
	return r
}}

// MaxDepth is how deep arrays and objects may lie in each other, the outermost object included. Entra's tokens and
// documents have depths of two to four.
const MaxDepth = 64

// Object reads source, which must be one JSON object, and calls member for each of its members in their order.
// Errors of member end the reading and are returned as they are. Names, and strings that a Reader returns, share memory
// with source.
func Object(source string, member func(name string, value *Reader) error) error {
	// A decoder keeps a state for each level, and a set of names where it compares them.
	if isDeep(source) {
		return errDepth
	}
	r := readers.Get().(*Reader)
	defer readers.Put(r)
	r.source, r.escapes = source, strings.IndexByte(source, '\\') >= 0
	r.buffer.Reset()
	r.buffer.WriteString(source)
	// Names of this object are compared by names, in a fifth of the time that the decoder takes for it.
	r.decoder.Reset(&r.buffer, repeating)
	err := r.object(member)
	// A pooled reader must not keep its source alive.
	r.source = ""
	r.names.reset()
	return err
}

// isDeep reports whether values of source lie deeper in each other than MaxDepth. Of a text that is no JSON it may say
// either.
func isDeep(source string) bool {
	if strings.Count(source, "{")+strings.Count(source, "[") <= MaxDepth {
		return false
	}
	depth, inString := 0, false
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth > MaxDepth {
			return true
		}
	}
	return false
}

func (r *Reader) object(member func(name string, value *Reader) error) error {
	if err := r.open('{', "an object"); err != nil {
		return err
	}
	for {
		// Where a name belongs, the decoder accepts a string or the object's end only.
		kind, text, err := r.token()
		if err != nil {
			return err
		}
		if kind == '}' {
			break
		}
		name, err := r.unquote(text)
		if err != nil {
			return err
		}
		if !r.names.add(name) {
			return errRepeated
		}
		if err := member(name, r); err != nil {
			return err
		}
	}
	if _, err := r.decoder.ReadToken(); err != io.EOF {
		return errors.New("there is text behind the JSON object")
	}
	return nil
}

func (r *Reader) open(kind jsontext.Kind, want string) error {
	found, _, err := r.token()
	if err == nil && found != kind {
		err = unexpected(found, want)
	}
	return err
}

// token reads on by one token and returns its text, which shares memory with the source.
func (r *Reader) token() (jsontext.Kind, string, error) {
	start := r.decoder.InputOffset()
	token, err := r.decoder.ReadToken()
	if err != nil {
		return 0, "", syntax(err)
	}
	text := r.source[start:r.decoder.InputOffset()]
	for isDelimiter(text[0]) {
		text = text[1:]
	}
	return token.Kind(), text, nil
}

// isDelimiter reports whether c stands between tokens only.
func isDelimiter(c byte) bool {
	return c == ',' || c == ':' || c == ' ' || c == '\t' || c == '\n' || c == '\r'
}

// Skip passes over a value of any type, null included.
func (r *Reader) Skip() error {
	_, err := r.value()
	return err
}

// Any passes over a value of any type but null.
func (r *Reader) Any() error {
	if r.decoder.PeekKind() == 'n' {
		return unexpected('n', "a value")
	}
	return r.Skip()
}

// Raw returns the text of a value of any type, null included.
func (r *Reader) Raw() (string, error) {
	value, err := r.value()
	if err != nil {
		return "", err
	}
	return r.shared(value), nil
}

// value reads a value of any type, and makes sure that no object in it repeats a name.
func (r *Reader) value() (jsontext.Value, error) {
	value, err := r.decoder.ReadValue()
	if err != nil {
		return nil, syntax(err)
	}
	if bytes.IndexByte(value, '{') < 0 {
		return value, nil
	}
	r.inner.Reset(bytes.NewBuffer(value))
	return value, syntax(r.inner.SkipValue())
}

// shared returns the piece of the source that the decoder read last.
func (r *Reader) shared(value jsontext.Value) string {
	end := int(r.decoder.InputOffset())
	return r.source[end-len(value) : end]
}

// Text returns a string.
func (r *Reader) Text() (string, error) {
	kind, text, err := r.token()
	if err != nil {
		return "", err
	}
	if kind != '"' {
		return "", unexpected(kind, "a string")
	}
	return r.unquote(text)
}

// unquote returns what a valid JSON string says.
func (r *Reader) unquote(text string) (string, error) {
	if !r.escapes || strings.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1], nil
	}
	said, err := jsontext.AppendUnquote(nil, text)
	return string(said), syntax(err)
}

// Texts appends to list the strings of an array.
func (r *Reader) Texts(list []string) ([]string, error) {
	if err := r.open('[', "an array of strings"); err != nil {
		return nil, err
	}
	return r.texts(list)
}

// TextOrTexts appends to list a string, or the strings of an array.
func (r *Reader) TextOrTexts(list []string) ([]string, error) {
	kind, text, err := r.token()
	if err != nil {
		return nil, err
	}
	switch kind {
	case '[':
		return r.texts(list)
	case '"':
		said, err := r.unquote(text)
		return append(list, said), err
	}
	return nil, unexpected(kind, "a string or an array of strings")
}

func (r *Reader) texts(list []string) ([]string, error) {
	if cap(list) == 0 {
		list = make([]string, 0, 4)
	}
	for {
		kind, text, err := r.token()
		if err != nil {
			return nil, err
		}
		switch kind {
		case ']':
			return list, nil
		case '"':
		default:
			return nil, fmt.Errorf("an element of the array %w", unexpected(kind, "a string"))
		}
		said, err := r.unquote(text)
		if err != nil {
			return nil, err
		}
		list = append(list, said)
	}
}

// Array calls element for each value of an array, with its text.
func (r *Reader) Array(element func(raw string) error) error {
	if err := r.open('[', "an array"); err != nil {
		return err
	}
	for r.decoder.PeekKind() != ']' {
		raw, err := r.Raw()
		if err != nil {
			return err
		}
		if err := element(raw); err != nil {
			return err
		}
	}
	_, err := r.decoder.ReadToken()
	return syntax(err)
}

// Number returns a number.
func (r *Reader) Number() (float64, error) {
	kind, text, err := r.token()
	if err != nil {
		return 0, err
	}
	if kind != '0' {
		return 0, unexpected(kind, "a number")
	}
	if n, ok := digits(text); ok {
		return n, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) {
		return 0, errors.New("is a number out of range")
	}
	return n, nil
}

// digits converts a short run of digits, which dates and counts are, without the detour of a general conversion.
func digits(text string) (n float64, ok bool) {
	if len(text) > 15 {
		return 0, false
	}
	var sum int64
	for i := range len(text) {
		c := text[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		sum = 10*sum + int64(c-'0')
	}
	return float64(sum), true
}

// Truth returns whether a value is true, leniently: true, 1, "1" and "true" are, other values but null are not.
func (r *Reader) Truth() (bool, error) {
	value, err := r.value()
	if err != nil {
		return false, err
	}
	if value.Kind() == 'n' {
		return false, unexpected('n', "a truth value")
	}
	text := strings.Trim(string(value), `"`)
	return text == "true" || text == "1", nil
}
