// Package keydoc reads the documents that a Microsoft Entra authority publishes: its key document, a JWK Set (RFC 7517
// section 5) whose keys carry two members of Microsoft's own, and its OpenID metadata.
package keydoc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/strictjson"
)

// MaxKeys is how many usable keys of one document are read.
const MaxKeys = 1000

// MaxBits is how many bits the modulus of a usable key has at most: longer keys cost more than a forged token should.
const MaxBits = 4096

const (
	minBits  = 2048   // shorter keys are too weak
	exponent = "AQAB" // 65537
)

// Key is one usable key of a document. N and E are the RSA modulus and exponent as base64url (RFC 7518 section 6.3.1): a
// number of 2048 to 4096 bits, and 65537.
type Key struct {
	ID     string
	N, E   string
	Issuer string // whose tokens it signs, perhaps with {tenantid} in it; empty: not said
	Cloud  string // cloud_instance_name; empty: not said
}

// Skipped says which keys of a document were passed over: how many, and of the first few why. A document can have
// hundreds of thousands of odd keys.
type Skipped struct {
	Count int
	First []error // maxReported at most
}

const maxReported = 3

// AddKey counts a key that the caller of [Parse] could not use.
func (s *Skipped) AddKey(key Key, err error) { s.add(quote.Text(key.ID)+":", err) }

// add counts a key that is named as name. The text of err is made only if it is kept.
func (s *Skipped) add(name any, err error) {
	if s.Count++; len(s.First) < maxReported {
		// Not the error itself, which may keep the whole document alive.
		s.First = append(s.First, fmt.Errorf("key %v %v", name, err))
	}
}

// Parse returns the usable keys of a key document, in its order, and which others were passed over. A key that is
// unusable is passed over alone: another type than RSA, another use than signatures, another algorithm than RS256, a
// modulus or exponent out of bounds, no kid, an empty issuer, or members of the wrong kind. If two keys of the document have one kid and differ, both are passed
// over. The error says that the text is no key document at all or that no key of it is usable.
func Parse(document []byte) (keys []Key, skipped Skipped, err error) {
	index := make(map[string]int)
	conflict := make(map[string]bool)
	count := 0
	// One jwk for all keys, and one function to read it: a document can have hundreds of thousands of keys.
	var k jwk
	read := k.read
	err = eachKey(string(document), func(text string) {
		i := count
		count++
		if err := k.parse(text, read); err != nil {
			skipped.add(i, err)
			return
		}
		key := k.Key
		at, seen := index[key.ID]
		switch {
		// Which of the two is right nobody can tell, so neither is.
		case seen && keys[at] != key:
			conflict[key.ID] = true
			skipped.add(i, errRepeated)
		case !seen && len(keys) == MaxKeys:
			skipped.add(i, errTooMany)
		case !seen:
			index[key.ID] = len(keys)
			keys = append(keys, key)
		}
	})
	// A text that is no document says nothing: the keys that were read so far are not used.
	if err != nil {
		return nil, Skipped{}, err
	}
	keys = slices.DeleteFunc(keys, func(k Key) bool { return conflict[k.ID] })
	if len(keys) == 0 {
		err := fmt.Errorf("the key document names %d keys and none is usable", count)
		if skipped.Count > 0 {
			err = fmt.Errorf("%w; the first: %w", err, skipped.First[0])
		}
		return nil, skipped, err
	}
	return keys, skipped, nil
}

var (
	errRepeated = errors.New("repeats the kid of another one with other content")
	errTooMany  = fmt.Errorf("is beyond the first %d", MaxKeys)
)

// jwk holds the members of a key that decide.
type jwk struct {
	Key
	kty, use, alg string
	noVerify      bool // key_ops are there and do not permit to verify
}

// parse makes k the key of text; read is k.read. Its errors follow the words "key n".
func (k *jwk) parse(text string, read func(string, *strictjson.Reader) error) error {
	// What an earlier key said must not complete this one.
	*k = jwk{}
	if text[0] != '{' {
		return errNoObject
	}
	if err := strictjson.Object(text, read); err != nil {
		return err
	}
	return k.usable()
}

func (k *jwk) read(name string, value *strictjson.Reader) (err error) {
	var field *string
	switch name {
	case "kty":
		field = &k.kty
	case "use":
		field = &k.use
	case "alg":
		field = &k.alg
	case "kid":
		field = &k.ID
	case "n":
		field = &k.N
	case "e":
		field = &k.E
	case "issuer":
		field = &k.Issuer
	case "cloud_instance_name":
		field = &k.Cloud
	case "key_ops":
		return k.readOperations(value)
	default:
		return value.Skip()
	}
	if *field, err = value.Text(); err != nil {
		return &misfit{name: name, kind: err}
	}
	// An empty issuer would be one that was not said, and the key would sign for any.
	if *field == "" && (name == "use" || name == "alg" || name == "issuer" || name == "cloud_instance_name") {
		return &misfit{name: name}
	}
	return nil
}

// readOperations reads what a key is for (RFC 7517 section 4.3).
func (k *jwk) readOperations(value *strictjson.Reader) error {
	operations, err := value.Texts(nil)
	if err != nil {
		return &misfit{name: "key_ops", kind: err}
	}
	k.noVerify = !slices.Contains(operations, "verify")
	return nil
}

func (k *jwk) usable() error {
	switch {
	case k.kty == "":
		return errNoType
	case k.kty != "RSA":
		return &misfit{name: "kty", found: k.kty, want: "RSA"}
	case k.use != "" && k.use != "sig":
		return &misfit{name: "use", found: k.use, want: "sig"}
	// Entra's keys name no alg. One that names another is not for RS256 (RFC 7517 section 4.4).
	case k.alg != "" && k.alg != "RS256":
		return &misfit{name: "alg", found: k.alg, want: "RS256"}
	case k.noVerify:
		return errNoVerify
	case k.ID == "":
		return errNoID
	}
	return usableNumbers(k.N, k.E)
}

var (
	errNoObject = errors.New("is no JSON object")
	errNoType   = errors.New("has no kty; expected RSA")
	errNoVerify = errors.New("has key_ops without verify")
	errNoID     = errors.New("has no kid")
	errModulus  = fmt.Errorf("has no proper n; expected an RSA modulus of %d to %d bits", minBits, MaxBits)
	errExponent = errors.New("has another e than 65537")
)

// misfit says which member of a key does not fit. A document can have a hundred thousand of them, so that the text is made
// only where it is read.
type misfit struct {
	name, found, want string
	kind              error // the value has another type than a string
}

func (m *misfit) Error() string {
	switch {
	case m.kind != nil:
		return fmt.Sprintf("has a %s that %v", m.name, m.kind)
	case m.want != "":
		return fmt.Sprintf("has %s %s; expected %s", m.name, quote.Text(m.found), m.want)
	}
	return "has an empty " + m.name
}

// usableNumbers returns why the base64url texts of a modulus and an exponent are not those of a usable key, or nil. Numbers
// have no leading zeros (RFC 7518 section 2), so that an exponent has one text.
func usableNumbers(n, e string) error {
	var number [MaxBits / 8]byte
	switch {
	case len(n) > base64.RawURLEncoding.EncodedLen(len(number)) || strings.ContainsAny(n, "\r\n"):
		return errModulus
	case e != exponent:
		return errExponent
	}
	length, err := base64.RawURLEncoding.Strict().Decode(number[:], []byte(n))
	if err != nil || length == 0 || number[0] == 0 || 8*length-bits.LeadingZeros8(number[0]) < minBits {
		return errModulus
	}
	return nil
}
