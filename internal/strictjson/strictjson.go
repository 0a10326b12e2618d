// Package strictjson reads one JSON object member by member, refusing all that two readers could understand
// differently: duplicate names at any depth, invalid UTF-8, text behind the object (RFC 8259 sections 4 and 8.1).
// Names are compared exactly, case included. What it costs grows no faster than the length of the text, whatever stands in
// it: values lie in each other to a depth of [MaxDepth] at most, as section 9 permits.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Reader reads the value of the member at hand. It is valid inside the function given to [Object] only, which calls
// exactly one of its methods for each member.
type Reader struct {
	source  string // valid JSON
	at      int    // what was read so far
	escapes bool   // source has a backslash: its strings may be written otherwise than they read
	names   names

	decoder *jsontext.Decoder
	buffer  bytes.Buffer
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
	// Names of this object are compared by names, in a fifth of the time that the decoder takes for it.
	r.load(source, repeating)
	if err := r.expectObject(); err != nil {
		return err
	}
	if err := r.validate(source); err != nil {
		return syntax(err)
	}
	r.source, r.at, r.escapes = source, 0, strings.IndexByte(source, '\\') >= 0
	err := r.object(member)
	// A pooled reader must not keep its source alive.
	r.source = ""
	r.names.reset()
	return err
}

// First returns the string that is the first member called name of the JSON object with which source begins, "" if it has
// none. It reads no further than that, and looks at nothing else: to choose who will read all of source with [Object].
func First(source, name string) (string, error) {
	if isDeep(source) {
		return "", errDepth
	}
	r := readers.Get().(*Reader)
	defer readers.Put(r)
	r.load(source, repeating)
	if err := r.expectObject(); err != nil {
		return "", err
	}
	_, err := r.decoder.ReadToken()
	var room []byte
	for err == nil && r.decoder.PeekKind() != '}' {
		// Where a name belongs, the decoder accepts a string only.
		var text jsontext.Value
		if text, err = r.decoder.ReadValue(); err != nil {
			break
		}
		if room, err = jsontext.AppendUnquote(room[:0], text); err != nil {
			break
		}
		if string(room) != name {
			err = r.decoder.SkipValue()
			continue
		}
		if found := r.decoder.PeekKind(); found != '"' && found != 0 {
			return "", InMember(name, unexpected(found, "a string"))
		}
		if text, err = r.decoder.ReadValue(); err != nil {
			break
		}
		room, err = jsontext.AppendUnquote(room[:0], text)
		return string(room), syntax(err)
	}
	return "", syntax(err)
}

// load gives the decoder a text to read.
func (r *Reader) load(text string, options ...jsontext.Options) {
	r.buffer.Reset()
	r.buffer.WriteString(text)
	r.decoder.Reset(&r.buffer, options...)
}

// expectObject returns an error if the loaded text begins with another value than an object. Where it begins with none, the
// decoder's next error says why.
func (r *Reader) expectObject() error {
	if found := r.decoder.PeekKind(); found != '{' && found != 0 {
		return unexpected(found, "an object")
	}
	return nil
}

// validate returns an error unless the loaded text is one JSON value. What it has passed is read without a decoder, in half
// the time.
func (r *Reader) validate(text string) error {
	if _, err := r.decoder.ReadValue(); err != nil {
		return err
	}
	if strings.Trim(text[r.decoder.InputOffset():], " \t\n\r") != "" {
		return errBehind
	}
	return nil
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
	r.token() // {
	for {
		text := r.token()
		if text == "}" {
			return nil
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
}

func (r *Reader) open(kind jsontext.Kind, want string) error {
	if found := kindOf(r.token()); found != kind {
		return unexpected(found, want)
	}
	return nil
}

// peek returns the first character of the next token.
func (r *Reader) peek() byte {
	for {
		if c := r.source[r.at]; c > ' ' && c != ',' && c != ':' {
			return c
		}
		r.at++
	}
}

// token reads on by one token and returns its text.
func (r *Reader) token() string {
	first := r.peek()
	rest := r.source[r.at:]
	n := 1
	switch {
	case first == '"' && !r.escapes:
		n += 1 + strings.IndexByte(rest[1:], '"')
	case first == '"':
		n += stringEnd(rest[1:])
	case first == '{', first == '}', first == '[', first == ']':
	default:
		for n < len(rest) && rest[n] > ' ' && rest[n] != ',' && rest[n] != ']' && rest[n] != '}' {
			n++
		}
	}
	r.at += n
	return rest[:n]
}

// stringEnd returns how long a JSON string is whose first quotation mark stands before text.
func stringEnd(text string) int {
	i := 0
	for text[i] != '"' {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return i + 1
}

// kindOf returns the kind of a token.
func kindOf(text string) jsontext.Kind {
	if c := text[0]; c < '0' || c > '9' {
		return jsontext.Value(text[:1]).Kind()
	}
	return '0'
}

// Skip passes over a value of any type, null included.
func (r *Reader) Skip() error {
	_, err := r.Raw()
	return err
}

// Any passes over a value of any type but null.
func (r *Reader) Any() error {
	if r.peek() == 'n' {
		return unexpected('n', "a value")
	}
	return r.Skip()
}

// Raw returns the text of a value of any type, null included.
func (r *Reader) Raw() (string, error) {
	r.peek()
	start, depth, objects := r.at, 0, false
	for {
		switch r.token()[0] {
		case '{':
			objects = true
			depth++
		case '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth == 0 {
			break
		}
	}
	value := r.source[start:r.at]
	if !objects {
		return value, nil
	}
	// No object in it may repeat a name either.
	r.load(value)
	if r.validate(value) != nil {
		return "", errRepeated
	}
	return value, nil
}

// Text returns a string.
func (r *Reader) Text() (string, error) {
	text := r.token()
	if text[0] != '"' {
		return "", unexpected(kindOf(text), "a string")
	}
	return r.unquote(text)
}

// unquote returns what a valid JSON string says.
func (r *Reader) unquote(text string) (string, error) {
	if !r.escapes {
		return text[1 : len(text)-1], nil
	}
	return unescape(text)
}

func unescape(text string) (string, error) {
	if strings.IndexByte(text, '\\') < 0 {
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
	text := r.token()
	switch text[0] {
	case '[':
		return r.texts(list)
	case '"':
		said, err := r.unquote(text)
		return append(list, said), err
	}
	return nil, unexpected(kindOf(text), "a string or an array of strings")
}

func (r *Reader) texts(list []string) ([]string, error) {
	if cap(list) == 0 {
		list = make([]string, 0, 4)
	}
	for {
		text := r.token()
		switch text[0] {
		case ']':
			return list, nil
		case '"':
		default:
			return nil, fmt.Errorf("an element of the array %w", unexpected(kindOf(text), "a string"))
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
	for r.peek() != ']' {
		raw, err := r.Raw()
		if err != nil {
			return err
		}
		if err := element(raw); err != nil {
			return err
		}
	}
	r.token()
	return nil
}

// Number returns a number.
func (r *Reader) Number() (float64, error) {
	text := r.token()
	if kind := kindOf(text); kind != '0' {
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
	value, err := r.Raw()
	if err != nil {
		return false, err
	}
	if value == "null" {
		return false, unexpected('n', "a truth value")
	}
	text := strings.Trim(value, `"`)
	return text == "true" || text == "1", nil
}
