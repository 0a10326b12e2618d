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
	source  string // what stands before at has been read
	at      int
	end     int   // where source stops being JSON; its length, if it never does
	fault   error // what is wrong there
	behind  bool  // there is text behind the object
	escapes bool  // source has a backslash: its strings may be written otherwise than they read
	decoder *jsontext.Decoder
	buffer  bytes.Buffer // what decoder and inner read
	inner   *jsontext.Decoder
	names   names
}

// repeating lets the decoder pass over repeated names.
var repeating = jsontext.AllowDuplicateNames(true)

var readers = sync.Pool{New: func() any {
	r := new(Reader)
	r.decoder, r.inner = jsontext.NewDecoder(&r.buffer), jsontext.NewDecoder(&r.buffer)
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
	r := newReader(source)
	defer r.release()
	r.validate()
	return r.object(member)
}

// Glance is Object for a caller who chooses by some member and has the text read strictly afterwards. It looks at nothing
// behind the last member that the caller lets it read, and of a text that is no JSON it may call member with anything.
func Glance(source string, member func(name string, value *Reader) error) error {
	r := newReader(source)
	defer r.release()
	return r.object(member)
}

func newReader(source string) *Reader {
	r := readers.Get().(*Reader)
	r.source, r.at, r.end, r.fault, r.behind = source, 0, len(source), nil, false
	r.escapes = strings.IndexByte(source, '\\') >= 0
	return r
}

// release gives r back. A pooled reader must not keep its source alive.
func (r *Reader) release() {
	r.source, r.fault = "", nil
	r.names.reset()
	readers.Put(r)
}

// validate lets the decoder find out up to where the source is JSON. It judges the whole text at once, which takes a
// fifth of the time that it takes token by token; [Reader.token] then only finds the tokens again.
func (r *Reader) validate() {
	r.buffer.Reset()
	r.buffer.WriteString(r.source)
	// Names of this object are compared by names, in a fifth of the time that the decoder takes for it.
	r.decoder.Reset(&r.buffer, repeating)
	if _, err := r.decoder.ReadValue(); err != nil {
		var fault *jsontext.SyntacticError
		if errors.As(err, &fault) {
			r.end = min(int(fault.ByteOffset), r.end)
		}
		r.fault = syntax(err)
		return
	}
	_, err := r.decoder.ReadToken()
	r.behind = err != io.EOF
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
		kind, text, err := r.token()
		if err != nil {
			return err
		}
		if kind == '}' {
			break
		}
		if kind != '"' {
			return r.broken()
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
	if r.behind {
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
	kind := r.peek()
	length := r.tokenLength(kind)
	if length <= 0 || length > r.end-r.at {
		return 0, "", r.broken()
	}
	text := r.source[r.at : r.at+length]
	r.at += length
	return kind, text, nil
}

// broken says what is wrong with the source where no token could be read.
func (r *Reader) broken() error {
	if r.fault == nil {
		return errors.New("invalid JSON")
	}
	return r.fault
}

// peek moves to the next token and returns its kind, or 0 if there is none.
func (r *Reader) peek() jsontext.Kind {
	for r.at < r.end && isDelimiter(r.source[r.at]) {
		r.at++
	}
	if r.at >= r.end {
		return 0
	}
	c := r.source[r.at]
	if c == '-' || '0' <= c && c <= '9' {
		return '0'
	}
	return jsontext.Kind(c)
}

// tokenLength returns the length of the token at hand, or 0 if it is none or does not end.
func (r *Reader) tokenLength(kind jsontext.Kind) int {
	switch kind {
	case '"':
		return r.stringLength()
	case '{', '}', '[', ']':
		return 1
	case 't', 'n':
		return len("true")
	case 'f':
		return len("false")
	case '0':
		n := 1
		for r.at+n < r.end && isInNumber(r.source[r.at+n]) {
			n++
		}
		return n
	}
	return 0
}

func (r *Reader) stringLength() int {
	text := r.source[r.at:r.end]
	if !r.escapes {
		inside, _, closed := strings.Cut(text[1:], `"`)
		if !closed {
			return 0
		}
		return len(inside) + 2
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

func isInNumber(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'
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
	if r.peek() == 'n' {
		return unexpected('n', "a value")
	}
	return r.Skip()
}

// Raw returns the text of a value of any type, null included.
func (r *Reader) Raw() (string, error) { return r.value() }

// value reads a value of any type, and makes sure that no object in it repeats a name.
func (r *Reader) value() (string, error) {
	r.peek()
	start, depth, hasObject := r.at, 0, false
	for {
		kind, _, err := r.token()
		if err != nil {
			return "", err
		}
		switch kind {
		case '{':
			hasObject = true
			depth++
		case '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth <= 0 {
			break
		}
	}
	value := r.source[start:r.at]
	if !hasObject {
		return value, nil
	}
	r.buffer.Reset()
	r.buffer.WriteString(value)
	r.inner.Reset(&r.buffer)
	return value, syntax(r.inner.SkipValue())
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
	for r.peek() != ']' {
		raw, err := r.Raw()
		if err != nil {
			return err
		}
		if err := element(raw); err != nil {
			return err
		}
	}
	_, _, err := r.token()
	return err
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
	if value[0] == 'n' {
		return false, unexpected('n', "a truth value")
	}
	text := strings.Trim(value, `"`)
	return text == "true" || text == "1", nil
}
