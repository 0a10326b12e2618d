package keydoc

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

var errSyntax = errors.New("the document is no JSON object")

func lenientDecoder(text []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func lenientObject(text []byte, member func(name string, value jsontext.Value) error) error {
	decoder := lenientDecoder(text)
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != '{' {
		return errSyntax
	}
	for decoder.PeekKind() != '}' {
		token, err := decoder.ReadToken()
		if err != nil {
			return errSyntax
		}
		name := token.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return errSyntax
		}
		if err := member(name, value); err != nil {
			return err
		}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return errSyntax
	}
	if _, err := decoder.ReadToken(); err != io.EOF {
		return errSyntax
	}
	return nil
}

func arrayElements(text jsontext.Value) (elements []string, err error) {
	decoder := lenientDecoder(text)
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != '[' {
		return nil, errors.New("the document's keys are no array")
	}
	for decoder.PeekKind() != ']' {
		element, err := decoder.ReadValue()
		if err != nil {
			return nil, errSyntax
		}
		elements = append(elements, string(element))
	}
	return elements, nil
}
