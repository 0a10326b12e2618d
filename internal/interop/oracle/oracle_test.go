package oracle_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// oracle reads tokens a second time, with another JOSE implementation, another JSON decoder and rules written down
// apart from the library's. What the library accepts the oracle must accept too, with the same claims.
type oracle struct {
	keys    map[string]*entratest.Key
	tenants []string
	now     func() time.Time
}

const oracleSkew = time.Minute // the default of entra.Options.ClockSkew

func newOracle(tenant *entratest.Server) oracle {
	keys := map[string]*entratest.Key{}
	for _, k := range []*entratest.Key{tenant.Key(), tenant.PersonalKey()} {
		keys[k.ID()] = k
	}
	return oracle{keys: keys, tenants: []string{entratest.TenantID, entra.PersonalAccounts}, now: time.Now}
}

// judge returns why a token that the library accepted with these claims should not have been accepted so.
func (o oracle) judge(token string, claims *entra.Claims) error {
	payload, err := o.signed(token)
	if err != nil {
		return err
	}
	plain, err := decodePlainly(payload)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	return errors.Join(o.checkTimes(plain), o.checkParties(plain), compare(plain, claims), compareWhole(payload, claims))
}

// signed returns the payload that go-jose finds under a good RS256 signature of the key that the header names.
func (o oracle) signed(token string) ([]byte, error) {
	payload, err := o.readByJOSE(token)
	if err == nil {
		return payload, nil
	}
	// go-jose looks into members such as jwk that the library passes over, as RFC 7515 section 4 has it. Then go-jose is
	// asked about the token without them, and the signature is checked by hand.
	parts := strings.Split(token, ".")
	header, errHeader := base64.RawURLEncoding.DecodeString(parts[0])
	plain, errPlain := decodePlainly(header)
	payload, errPayload := base64.RawURLEncoding.DecodeString(parts[1])
	if err := errors.Join(errHeader, errPlain, errPayload); err != nil {
		return nil, err
	}
	key := o.keys[text(plain["kid"])]
	maps.DeleteFunc(plain, func(name string, _ any) bool { return !slices.Contains(decisive, name) })
	reduced, errReduced := json.Marshal(plain)
	if key == nil || errReduced != nil {
		return nil, err
	}
	if _, err := o.readByJOSE(key.Sign(reduced, payload)); err != nil {
		return nil, err
	}
	return payload, checkSignature(key.PublicKey(), parts)
}

// decisive are the members of a header that say how the token is to be read.
var decisive = []string{"alg", "kid", "typ", "crit", "b64", "zip", "cty", "enc", "nonce"}

func (o oracle) readByJOSE(token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("go-jose does not parse it: %w", err)
	}
	key := o.keys[jws.Signatures[0].Protected.KeyID]
	if key == nil {
		return nil, fmt.Errorf("no key has the ID %q", jws.Signatures[0].Protected.KeyID)
	}
	payload, err := jws.Verify(key.PublicKey())
	if err != nil {
		return nil, fmt.Errorf("go-jose does not verify it: %w", err)
	}
	return payload, nil
}

func checkSignature(key *rsa.PublicKey, parts []string) error {
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
}

// decodePlainly decodes an object by exact names with encoding/json, after looking for all that it lets pass: invalid
// UTF-8, and names that stand twice.
func decodePlainly(text []byte) (map[string]any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("invalid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := findDuplicates(d); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text behind the value")
	}
	var plain map[string]any
	d = json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // A number that nobody reads may be too large.
	if err := d.Decode(&plain); err != nil {
		return nil, err
	}
	if plain == nil {
		return nil, errors.New("null instead of an object")
	}
	return plain, nil
}

// findDuplicates reads one value, token by token.
func findDuplicates(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	open, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			token, err := d.Token()
			if err != nil {
				return err
			}
			name := token.(string)
			if names[name] {
				return fmt.Errorf("%q stands twice", name)
			}
			names[name] = true
		}
		if err := findDuplicates(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func (o oracle) checkTimes(plain map[string]any) error {
	now := float64(o.now().UnixNano()) / 1e9
	skew := oracleSkew.Seconds()
	exp, ok := number(plain["exp"])
	if !ok || exp+skew < now {
		return fmt.Errorf("exp is %v", plain["exp"])
	}
	for _, name := range []string{"nbf", "iat"} {
		start, isNumber := number(plain[name])
		if _, present := plain[name]; present && (!isNumber || start-skew > now) {
			return fmt.Errorf("%s is %v", name, plain[name])
		}
	}
	return nil
}

// checkParties compares issuer, tenant, version and audience with the closed sets that the configuration allows.
func (o oracle) checkParties(plain map[string]any) error {
	tenant, _ := plain["tid"].(string)
	if !slices.Contains(o.tenants, tenant) {
		return fmt.Errorf("tid %v is not configured", plain["tid"])
	}
	v1 := plain["ver"] == "1.0" && plain["iss"] == "https://sts.windows.net/"+tenant+"/"
	v2 := plain["ver"] == "2.0" && plain["iss"] == "https://login.microsoftonline.com/"+tenant+"/v2.0"
	if !v1 && !v2 {
		return fmt.Errorf("iss %v does not fit ver %v and tid %v", plain["iss"], plain["ver"], tenant)
	}
	audience := plain["aud"]
	if list, ok := audience.([]any); ok && len(list) == 1 {
		audience = list[0]
	}
	text, _ := audience.(string)
	if text = strings.TrimSuffix(text, "/"); text != entratest.APIClientID && text != entratest.APIURI {
		return fmt.Errorf("aud is %v", plain["aud"])
	}
	return nil
}
