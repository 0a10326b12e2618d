// Package jsonobject has JSON objects whose members keep their order, as those of
// Entra's documents and tokens do; a Go map would lose it.
package jsonobject

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Object is a JSON object. Its literals read as JSON: Object{{"typ", "JWT"}}.
type Object []Member

// Member is a member of an [Object]. It has no name of its own in Go's type system,
// so that other packages may write it without field names.
type Member = struct {
	Name  string
	Value any
}

// Index returns the place of the first member with the name, or -1.
func (o Object) Index(name string) int {
	return slices.IndexFunc(o, func(m Member) bool { return m.Name == name })
}

// Text returns the member's value if it is a string, else "".
func (o Object) Text(name string) string {
	if i := o.Index(name); i >= 0 {
		s, _ := o[i].Value.(string)
		return s
	}
	return ""
}

// Set replaces the member in place or appends it.
func (o *Object) Set(name string, value any) {
	if i := o.Index(name); i >= 0 {
		(*o)[i].Value = value
		return
	}
	*o = append(*o, Member{name, value})
}

// Without returns a copy that lacks the named members.
func (o Object) Without(names ...string) Object {
	return slices.DeleteFunc(slices.Clone(o), func(m Member) bool { return slices.Contains(names, m.Name) })
}

// Sorted sorts all members but the first n by name, in place, and returns o.
func (o Object) Sorted(n int) Object {
	slices.SortStableFunc(o[n:], func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return o
}

// MarshalJSON writes the members in order.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := Encode(m.Name)
		if err != nil {
			return nil, err
		}
		value, err := Encode(m.Value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Encode is json.Marshal without the escapes for HTML, which Entra does not use.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
