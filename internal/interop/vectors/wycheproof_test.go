package vectors_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/internal/tests/programs"
)

// file is one of Wycheproof's (schemas/json_web_signature_schema_v1.json and json_web_key_schema_v1.json there).
type file struct {
	TestGroups []group
}

type group struct {
	Comment         string
	Public, Private json.RawMessage // a JWK or a JWK Set; symmetric keys are private alone
	Tests           []vector
}

type vector struct {
	TcID    int
	Comment string
	JWS     string
	Result  string
}

// departures are vectors that the library judges otherwise than Wycheproof, by file and comment.
var departures = map[string]struct {
	verified bool
	why      string
}{
	"json_web_signature_test.json emptyPayload":              {false, "no claim set is empty, so a token without payload is malformed before its signature counts"},
	"json_web_key_test.json rejectsKeyWithRocaVulnerability": {true, "a key counts because Entra's document names it; how Entra made it is not examined"},
}

const unset = "ENTRA_WYCHEPROOF names no clone of https://github.com/C2SP/wycheproof"

func TestMain(m *testing.M) {
	status := m.Run()
	if os.Getenv("ENTRA_WYCHEPROOF") == "" {
		programs.WriteNoTests(os.Stdout, unset)
	}
	os.Exit(status)
}

// TestWycheproof asks for each vector what the Verifier says once the vector's key is in Entra's document. No payload is a claim
// set, so a good signature shows as the reason claims, which only a verified token can have, and everything else as another.
func TestWycheproof(t *testing.T) {
	folder := os.Getenv("ENTRA_WYCHEPROOF")
	if folder == "" {
		t.Skip(unset)
	}
	for _, test := range []struct {
		file     string
		verified int // at least
		others   int // at least, with RS256 in the header
		rfc7520  int // of those verified
	}{
		{"json_web_signature_test.json", 7, 220, 2},
		{"json_web_key_test.json", 2, 3, 0},
	} {
		t.Run(test.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, "testvectors_v1", test.file))
			if err != nil {
				t.Fatalf("NO VECTORS RAN: ENTRA_WYCHEPROOF: %v", err)
			}
			var vectors file
			if err := json.Unmarshal(text, &vectors); err != nil {
				t.Fatal(err)
			}
			var ran, verified, refused, rfc7520 int
			for _, group := range vectors.TestGroups {
				verifier := newVerifier(t, group)
				for _, vector := range group.Tests {
					ran++
					_, err := verifier.Verify(t.Context(), vector.JWS)
					rs256 := algorithm(vector.JWS) == "RS256"
					got, want := entra.ReasonOf(err) == entra.ReasonClaims, vector.Result == "valid" && rs256
					if departure, ok := departures[test.file+" "+vector.Comment]; ok && rs256 {
						want = departure.verified
						t.Logf("vector %d, %s: departs from Wycheproof: %s", vector.TcID, vector.Comment, departure.why)
					}
					switch {
					case got != want:
						t.Errorf("vector %d, %s, %s: got verified %t (%v), want %t", vector.TcID, group.Comment, vector.Comment, got, err, want)
					case got:
						verified++
						if strings.HasPrefix(group.Comment, "rfc7520") {
							rfc7520++
						}
					case rs256:
						refused++
					}
				}
			}
			t.Logf("%d vectors ran: %d RS256 signatures verified, %d of them of RFC 7520, %d refused, %d of other algorithms or none refused",
				ran, verified, rfc7520, refused, ran-verified-refused)
			if verified < test.verified || refused < test.others || rfc7520 < test.rfc7520 {
				t.Errorf("got %d verified, %d refused and %d of RFC 7520, want %d, %d and %d at least: has the file changed?",
					verified, refused, rfc7520, test.verified, test.others, test.rfc7520)
			}
		})
	}
}

// newVerifier returns a Verifier that finds the group's key in Entra's document, beside one that no vector uses.
func newVerifier(t *testing.T, g group) *entra.Verifier {
	t.Helper()
	key := g.Public
	if key == nil {
		key = g.Private
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(key, &set); err != nil {
		t.Fatal(err)
	}
	if set.Keys == nil {
		set.Keys = []json.RawMessage{key}
	}
	set.Keys = append(set.Keys, otherKey())
	document, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{"11111111-1111-4111-8111-111111111111"},
		ClientID:   "22222222-2222-4222-8222-222222222222",
		HTTPClient: &http.Client{Transport: documentOf(document)},
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return verifier
}

var otherKey = sync.OnceValue(func() json.RawMessage {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return fmt.Appendf(nil, `{"kty":"RSA","use":"sig","kid":"other","n":%q,"e":%q}`,
		encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes()))
})

// documentOf is an Entra that answers every request with this document.
type documentOf []byte

func (d documentOf) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(d)),
		Request:    r,
	}, nil
}

// algorithm returns the alg of a JWS, and nothing of what is none.
func algorithm(jws string) string {
	segment, _, _ := strings.Cut(jws, ".")
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return ""
	}
	var header struct {
		Alg string `json:"alg"`
	}
	_ = json.Unmarshal(text, &header) // then there is none
	return header.Alg
}
