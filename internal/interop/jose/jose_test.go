package jose_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/strictjson/plainjson"
	"github.com/entra-go/entra/internal/tests/oracle"
)

// judges are the two that read tokens a second time: go-jose the signature and its header, the oracle all of it.
type judges struct {
	keys   map[string]*entratest.Key
	oracle *oracle.Oracle
}

func newJudges(tenant *entratest.Server) judges {
	keys := []*entratest.Key{tenant.Key(), tenant.PersonalKey()}
	byID := make(map[string]*entratest.Key)
	for _, k := range keys {
		byID[k.ID()] = k
	}
	return judges{byID, &oracle.Oracle{
		Tenants: []string{entratest.TenantID}, Personal: true, ClientID: entratest.APIClientID, IDTokens: true,
		ClockSkew: time.Minute, // the default of entra.Options.ClockSkew
		Keys:      oracle.Keys(keys...),
	}}
}

// judge returns why a token that the library accepted with these claims after began should not have been accepted so.
func (j judges) judge(token string, claims *entra.Claims, began time.Time) error {
	return errors.Join(j.askJOSE(token), j.oracle.Judge(token, claims, began, time.Now()))
}

// askJOSE asks go-jose for the RS256 signature of the key that the header names.
func (j judges) askJOSE(token string) error {
	err := j.verify(token)
	if err == nil {
		return nil
	}
	// go-jose looks into members such as jwk that the library ignores, as RFC 7515 section 4 allows. Where it objects,
	// it is asked about the same payload under a header without them; the oracle checks the signature of the token itself.
	header, payload, _ := strings.Cut(token, ".")
	payload, _, _ = strings.Cut(payload, ".")
	plainHeader, headerErr := base64.RawURLEncoding.DecodeString(header)
	plainPayload, payloadErr := base64.RawURLEncoding.DecodeString(payload)
	members, objectErr := plainjson.Object(string(plainHeader))
	if failed := errors.Join(headerErr, payloadErr, objectErr); failed != nil {
		return failed
	}
	kid, _ := plainjson.Text(members, "kid")
	maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool { return !slices.Contains(decisive, name) })
	reduced, marshalErr := json.Marshal(members)
	key := j.keys[kid]
	if key == nil || marshalErr != nil {
		return err
	}
	return j.verify(key.Sign(reduced, plainPayload))
}

// decisive are the members of a header that say how the token is to be read.
var decisive = []string{"alg", "kid", "typ", "crit", "b64", "zip", "cty", "enc", "nonce"}

func (j judges) verify(token string) error {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return fmt.Errorf("go-jose does not parse it: %w", err)
	}
	key := j.keys[jws.Signatures[0].Protected.KeyID]
	if key == nil {
		return fmt.Errorf("no key has the ID %q", jws.Signatures[0].Protected.KeyID)
	}
	if _, err := jws.Verify(key.PublicKey()); err != nil {
		return fmt.Errorf("go-jose does not verify it: %w", err)
	}
	return nil
}
