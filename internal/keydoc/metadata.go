package keydoc

import (
	"errors"
	"fmt"

	"github.com/entra-go/entra/internal/strictjson"
)

const maxURL = 2048

// Metadata is what the library needs of an OpenID provider's metadata (OpenID Connect Discovery 1.0 section 3).
type Metadata struct {
	Issuer  string
	KeysURL string // jwks_uri
}

// ParseMetadata reads the metadata of an authority. Both members must be there; that they are right for the authority
// is the caller's to check.
func ParseMetadata(document []byte) (m Metadata, err error) {
	fields := map[string]*string{"issuer": &m.Issuer, "jwks_uri": &m.KeysURL}
	err = strictjson.Object(string(document), func(name string, value *strictjson.Reader) (err error) {
		field, ok := fields[name]
		if !ok {
			return value.Skip()
		}
		if *field, err = value.Text(); err != nil {
			return fmt.Errorf("the metadata has an %s that %w", name, err)
		}
		return nil
	})
	if err != nil {
		return Metadata{}, err
	}
	if m.Issuer == "" || m.KeysURL == "" {
		return Metadata{}, errors.New("the metadata lacks issuer or jwks_uri")
	}
	if len(m.Issuer) > maxURL || len(m.KeysURL) > maxURL {
		return Metadata{}, fmt.Errorf("the metadata's issuer or jwks_uri is longer than %d bytes", maxURL)
	}
	return m, nil
}
