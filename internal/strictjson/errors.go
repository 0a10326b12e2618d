package strictjson

import (
	"errors"
	"fmt"
	"io"

	"github.com/entra-go/entra/internal/quote"
	"github.com/go-json-experiment/json/jsontext"
)

var (
	errRepeated = errors.New("a name stands twice in one JSON object")
	errBehind   = errors.New("there is text behind the JSON object")
	errDepth    = fmt.Errorf("its values lie in each other more than %d deep", MaxDepth)
)

func unexpected(found jsontext.Kind, want string) error {
	return fmt.Errorf("is %s; expected %s", kindName(found), want)
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "a truth value"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "no JSON value"
}

// syntax says what the decoder found wrong, if anything, and in which member of the outermost object, if in one. The
// decoder's own texts quote the input, which may be a secret.
func syntax(err error) error {
	if err == nil {
		return nil
	}
	var fault *jsontext.SyntacticError
	if errors.As(err, &fault) {
		for name := range fault.JSONPointer.Tokens() {
			return InMember(name, syntaxFault(err))
		}
	}
	return syntaxFault(err)
}

func syntaxFault(err error) error {
	var fault *jsontext.SyntacticError
	switch {
	case err == errBehind:
		return err
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errRepeated
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the JSON text ends too early")
	case errors.As(err, &fault):
		return fmt.Errorf("invalid JSON at byte %d", fault.ByteOffset)
	}
	return errors.New("invalid JSON")
}

// MemberError says that the value of a member has the wrong type or breaks off. Its name may be anybody's text.
type MemberError struct {
	Name string
	Err  error
}

func (e *MemberError) Error() string { return quote.Field(e.Name) + " " + e.Err.Error() }

// Unwrap returns what is wrong with the value.
func (e *MemberError) Unwrap() error { return e.Err }

// InMember says in err, unless it is nil, that it is about the member name.
func InMember(name string, err error) error {
	if err == nil {
		return nil
	}
	return &MemberError{name, err}
}
