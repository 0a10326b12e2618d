package keydoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	errSyntax  = errors.New("the document is no JSON object")
	errNoArray = errors.New("the document's keys are no array")
)

// eachKey calls use with the text of each key of a document, which shares memory with it. Here names may stand twice and
// UTF-8 may be broken inside a key: that is the fault of one key and must not cost the others. With an error, what use was
// called with is void.
func eachKey(document string, use func(key string)) error {
	r := &lenientReader{document, jsontext.NewDecoder(bytes.NewBufferString(document), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	if r.token() != '{' {
		return errSyntax
	}
	found := 0
	for r.decoder.PeekKind() != '}' {
		name, err := r.decoder.ReadToken()
		if err != nil {
			return errSyntax
		}
		if name.String() != "keys" {
			if err := r.decoder.SkipValue(); err != nil {
				return errSyntax
			}
			continue
		}
		found++
		if err := r.elements(use); err != nil {
			return err
		}
	}
	if r.token() != '}' {
		return errSyntax
	}
	if _, err := r.decoder.ReadToken(); err != io.EOF {
		return errSyntax
	}
	if found != 1 {
		return fmt.Errorf("the document has %d members named keys; expected one", found)
	}
	return nil
}

type lenientReader struct {
	document string
	decoder  *jsontext.Decoder
}

// token reads on by one token and returns its kind, 0 if there is none.
func (r *lenientReader) token() jsontext.Kind {
	token, err := r.decoder.ReadToken()
	if err != nil {
		return 0
	}
	return token.Kind()
}

func (r *lenientReader) elements(use func(text string)) error {
	if r.decoder.PeekKind() != '[' {
		return errNoArray
	}
	r.token()
	for r.decoder.PeekKind() != ']' {
		value, err := r.decoder.ReadValue()
		if err != nil {
			return errSyntax
		}
		end := int(r.decoder.InputOffset())
		use(r.document[end-len(value) : end])
	}
	r.token()
	return nil
}
