package hostile_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// lookalikes returns texts that share pieces with a remembered token, and why each must be refused; "" where that depends
// on what the pieces happen to be. second is another valid token.
func lookalikes(t *testing.T, tenant *entratest.Server, token, second string) map[string]struct {
	token string
	want  entra.Reason
} {
	segments, others := strings.Split(token, "."), strings.Split(second, ".")
	header, payload, signature := segments[0], segments[1], segments[2]
	join := func(parts ...string) string { return strings.Join(parts, ".") }
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	kid := tenant.Key().ID()
	decoded, err := base64.RawURLEncoding.DecodeString(payload)
	decodedHeader, headerErr := base64.RawURLEncoding.DecodeString(header)
	if err := errors.Join(err, headerErr); err != nil {
		t.Fatal(err)
	}
	type lookalike = struct {
		token string
		want  entra.Reason
	}
	return map[string]lookalike{
		"the signature under another payload":                   {join(header, others[1], signature), entra.ReasonSignature},
		"the signature under a payload that differs at its end": {join(header, payload[:len(payload)-4]+flip(payload[len(payload)-4:]), signature), entra.ReasonSignature},
		"the signature under a payload of one claim more":       {join(header, encode(`{"x":1,`+string(decoded[1:])), signature), entra.ReasonSignature},
		"the signature under an empty object":                   {join(header, encode(`{}`), signature), ""},
		"the signature under a header as long and as good":      {join(encode(strings.Replace(string(decodedHeader), "JWT", "jwt", 1)), payload, signature), entra.ReasonSignature},
		"the signature under another header of the key":         {join(encode(`{"kid":"`+kid+`","alg":"RS256"}`), payload, signature), entra.ReasonSignature},
		"the signature under a header of another algorithm":     {join(encode(`{"typ":"JWT","alg":"none","kid":"`+kid+`"}`), payload, signature), entra.ReasonAlgorithm},
		"the signature under a header with crit":                {join(encode(`{"typ":"JWT","alg":"RS256","kid":"`+kid+`","crit":["exp"]}`), payload, signature), entra.ReasonHeader},
		"the payload with another token's signature":            {join(header, payload, others[2]), entra.ReasonSignature},
		"the payload with a signature of as many characters":    {join(header, payload, strings.Repeat("A", len(signature))), entra.ReasonSignature},
		"the signature with other bits to spare":                {join(header, payload, spareBits(signature)), entra.ReasonMalformed},
		"the signature without its last character":              {token[:len(token)-1], entra.ReasonMalformed},
		// One signature in sixteen ends so that the shorter text is base64url too.
		"the signature without its last four characters": {token[:len(token)-4], ""},
		"a line break inside the signature":              {join(header, payload, signature[:100]+"\n"+signature[100:]), entra.ReasonMalformed},
		"a line break inside the payload":                {join(header, payload[:100]+"\n"+payload[100:], signature), entra.ReasonMalformed},
		"a dot behind it":                                {token + ".", entra.ReasonMalformed},
		"a fourth segment":                               {token + ".AA", entra.ReasonMalformed},
		"its signature once more":                        {join(token, signature), entra.ReasonMalformed},
		"a segment before the signature":                 {join(header, payload, "AA", signature), entra.ReasonMalformed},
		"an empty segment before the signature":          {join(header, payload, "", signature), entra.ReasonMalformed},
		"five segments":                                  {join(header, payload, signature, payload, signature), entra.ReasonEncrypted},
		"padding behind it":                              {token + "==", entra.ReasonMalformed},
		"a character behind it":                          {token + "A", entra.ReasonSignature},
		"a space behind it":                              {token + " ", entra.ReasonMalformed},
		"a space before it":                              {" " + token, entra.ReasonMalformed},
		"the dot behind the header one place further":    {join(header+payload[:1], payload[1:], signature), ""},
		"the dot behind the header one place earlier":    {join(header[:len(header)-1], header[len(header)-1:]+payload, signature), ""},
		"no dot behind the header":                       {join(header+payload, signature), entra.ReasonMalformed},
		"a comma for the dot behind the header":          {header + "," + payload + "." + signature, entra.ReasonMalformed},
		"no header":                                      {join("", payload, signature), entra.ReasonMalformed},
		"no payload":                                     {join(header, "", signature), entra.ReasonMalformed},
		"the signature alone":                            {signature, entra.ReasonMalformed},
		"the signature behind a dot":                     {"." + signature, entra.ReasonMalformed},
		"no signature":                                   {join(header, payload, ""), entra.ReasonMalformed},
	}
}

// flip changes the first character of a piece of base64url to another one.
func flip(piece string) string {
	if piece[0] == 'A' {
		return "B" + piece[1:]
	}
	return "A" + piece[1:]
}

// spareBits changes the bits of a last character that encode nothing, of which a signature of 256 bytes has four.
func spareBits(signature string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(signature) - 1
	return signature[:last] + string(alphabet[strings.IndexByte(alphabet, signature[last])^1])
}

// TestARememberedTokenVouchesForNoOther has a Verifier remember two tokens, and shows it texts made of their pieces.
func TestARememberedTokenVouchesForNoOther(t *testing.T) {
	tenant := entratest.New(t)
	customers := entratest.New(t, entratest.Config{Authority: testbed.ExternalID})
	alone := testbed.NewVerifier(t, tenant, nil)
	combined, err := entra.Combine(
		testbed.NewVerifier(t, customers, func(o *entra.Options) { o.Tenants, o.Authority = nil, testbed.ExternalID }),
		testbed.NewVerifier(t, tenant, nil))
	if err != nil {
		t.Fatal(err)
	}
	token, second := tenant.Token(), tenant.Token()
	for name, verifier := range map[string]*entra.Verifier{"alone": alone, "combined": combined} {
		t.Run(name, func(t *testing.T) {
			testbed.MustVerify(t, verifier, token)
			testbed.MustVerify(t, verifier, second)
			for kind, l := range lookalikes(t, tenant, token, second) {
				before := verifier.Stats()
				for range 2 {
					claims, err := verifier.Verify(t.Context(), l.token)
					if got := entra.ReasonOf(err); claims != nil || err == nil || got != l.want && l.want != "" {
						t.Errorf("%s: got claims %v and reason %q (%v), want no claims and reason %q", kind, claims, got, err, l.want)
					}
				}
				if after := verifier.Stats(); after.Verified != before.Verified || after.Remembered != before.Remembered {
					t.Errorf("%s: got %d tokens verified and %d remembered, want %d and %d as before", kind, after.Verified, after.Remembered, before.Verified, before.Remembered)
				}
				// What was refused did not disturb what is remembered.
				testbed.MustVerify(t, verifier, token)
				if got := verifier.Stats().Remembered; got != before.Remembered+1 {
					t.Errorf("%s: got %d tokens remembered, want %d: the valid one is still known", kind, got, before.Remembered+1)
				}
			}
		})
	}
}

// Neither the part of a token that is compared as text nor the part that is compared by its hash may differ anywhere.
func TestNoCharacterOfARememberedTokenMayDiffer(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, nil)
	token := tenant.Token()
	testbed.MustVerify(t, verifier, token)
	for i := range token {
		changed := token[:i] + flip(token[i:])
		if claims, err := verifier.Verify(t.Context(), changed); claims != nil || err == nil {
			t.Errorf("character %d of %d: got claims %v and %v, want the token refused", i, len(token), claims, err)
		}
	}
	for i := range token {
		if claims, err := verifier.Verify(t.Context(), token[:i]); claims != nil || err == nil {
			t.Errorf("the first %d characters of %d: got claims %v and %v, want the token refused", i, len(token), claims, err)
		}
		if claims, err := verifier.Verify(t.Context(), token[i+1:]); claims != nil || err == nil {
			t.Errorf("without the first %d characters: got claims %v and %v, want the token refused", i+1, claims, err)
		}
	}
	if got := verifier.Stats(); got.Verified != 1 || got.Remembered != 0 {
		t.Errorf("got %d tokens verified and %d remembered, want 1 and 0", got.Verified, got.Remembered)
	}
}

// Claims of more than 64 KB are accepted where Options.MaxTokenSize permits them, and verified each time.
func TestTokensThatAreTooLongToKeepAreVerifiedEachTime(t *testing.T) {
	tenant := entratest.New(t)
	verifier := testbed.NewVerifier(t, tenant, func(o *entra.Options) { o.MaxTokenSize = 1 << 20 })
	for _, test := range []struct {
		groups     int
		remembered uint64
	}{{1000, 1}, {2000, 0}} {
		groups := make([]string, test.groups)
		for i := range groups {
			groups[i] = fmt.Sprintf("f1f1f1f1-f1f1-4f1f-8f1f-%012d", i)
		}
		token, before := tenant.Token(entratest.Groups(groups...)), verifier.Stats()
		for range 2 {
			claims, err := verifier.Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			var decoded struct {
				Groups []string `json:"groups"`
			}
			if err := claims.Decode(&decoded); err != nil || !slices.Equal(claims.Groups, groups) || !slices.Equal(decoded.Groups, groups) {
				t.Errorf("got %d groups, %d decoded and %v, want all %d", len(claims.Groups), len(decoded.Groups), err, len(groups))
			}
		}
		if got := verifier.Stats(); got.Remembered != before.Remembered+test.remembered || got.Verified != before.Verified+2 {
			t.Errorf("%d groups: got %d tokens remembered after %d, want %d more", test.groups, got.Remembered, before.Remembered, test.remembered)
		}
	}
}
