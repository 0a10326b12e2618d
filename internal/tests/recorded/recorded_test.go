package recorded_test

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// folder holds what was recorded of the real Entra. It is no part of this repository.
func folder() string { return os.Getenv("ENTRA_RECORDED_DATA") }

const unset = "ENTRA_RECORDED_DATA names no folder with recorded documents of the real Entra"

func TestMain(m *testing.M) {
	status := m.Run()
	if folder() == "" {
		programs.WriteNoTests(os.Stdout, unset)
	}
	os.Exit(status)
}

// recorded returns a file's path in the folder.
func recorded(t *testing.T, path ...string) string {
	t.Helper()
	if folder() == "" {
		t.Skip(unset)
	}
	return filepath.Join(append([]string{folder()}, path...)...)
}

func readRecorded(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// genuine is a token that Entra signed in 2016, with the key that it published then.
type genuine struct {
	UseTime          int64 `json:"use_time"`
	Audience, Tenant string
	Token            string
	Keys             json.RawMessage
}

// verifier returns a Verifier whose Entra publishes the keys of g in the documents of tenant.
func (g *genuine) verifier(t *testing.T, tenant, audience string) *entra.Verifier {
	t.Helper()
	documents := &testbed.Publisher{Documents: map[string]string{
		"https://login.microsoftonline.com/" + tenant + "/discovery/v2.0/keys": string(g.Keys),
	}}
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{tenant},
		Audiences:  []string{audience},
		HTTPClient: &http.Client{Transport: documents},
		Logger:     testbed.Discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func (g *genuine) flipped(segment, bit int) string {
	parts := strings.Split(g.Token, ".")
	text, err := base64.RawURLEncoding.DecodeString(parts[segment])
	if err != nil {
		panic(err)
	}
	text[bit/8] ^= 1 << (bit % 8)
	parts[segment] = base64.RawURLEncoding.EncodeToString(text)
	return strings.Join(parts, ".")
}

func TestRecordedGenuineToken(t *testing.T) {
	t.Attr("rule", "R25 R42 R58")
	var g genuine
	if err := json.Unmarshal(readRecorded(t, recorded(t, "tokens", "genuine-v1-access-token.2016.json")), &g); err != nil {
		t.Fatal(err)
	}
	const other = entratest.OtherTenantID
	for _, r := range []struct {
		rule, name       string
		after            time.Duration
		tenant, audience string
		token            string
		want             entra.Reason
	}{
		{"R42", "as it was used", 0, g.Tenant, g.Audience, g.Token, ""},
		{"R49", "two hours later", 2 * time.Hour, g.Tenant, g.Audience, g.Token, entra.ReasonExpired},
		{"R50", "two hours before", -2 * time.Hour, g.Tenant, g.Audience, g.Token, entra.ReasonNotYetValid},
		{"R98", "one bit of the signature changed", 0, g.Tenant, g.Audience, g.flipped(2, 1000), entra.ReasonSignature},
		{"R98", "the first bit of the signature changed", 0, g.Tenant, g.Audience, g.flipped(2, 7), entra.ReasonSignature},
		{"R98", "one bit of the payload changed", 0, g.Tenant, g.Audience, g.flipped(1, 100), entra.ReasonSignature},
		{"R43", "another audience", 0, g.Tenant, "api://orders", g.Token, entra.ReasonAudience},
		{"R43", "its audience without spn:", 0, g.Tenant, strings.TrimPrefix(g.Audience, "spn:"), g.Token, entra.ReasonAudience},
		{"R26", "another tenant", 0, other, g.Audience, g.Token, entra.ReasonTenant},
	} {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Unix(g.UseTime, 0).Add(r.after)))
				verifier := g.verifier(t, r.tenant, r.audience)
				if r.want != "" {
					testbed.Refused(t, verifier, r.token, r.want, "")
					return
				}
				claims := testbed.Accepted(t, verifier, r.token)
				if claims.Kind != entra.UserToken || claims.TenantID != g.Tenant || claims.Audience != g.Audience || claims.Version != "1.0" ||
					claims.ClientID != "bebfad57-efd7-419b-b74b-4b9dab7bd470" || !slices.Equal(claims.Scopes, []string{"user_impersonation"}) {
					t.Errorf("got %+v, want a user token of version 1.0 with the scope user_impersonation", claims)
				}
			})
		})
	}
}

func TestRecordedKeyDocumentsLoadCompletely(t *testing.T) {
	t.Attr("rule", "R9 R15")
	files, _ := filepath.Glob(recorded(t, "keys", "*.json"))
	timeline, _ := filepath.Glob(recorded(t, "keys", "organizations-timeline", "jwks", "*.json"))
	files = append(files, timeline...)
	if len(files) < 16 {
		t.Fatalf("got %d recorded key documents, want at least 16", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text := readRecorded(t, file)
			var document struct{ Keys []struct{ Kid string } }
			if err := json.Unmarshal(text, &document); err != nil {
				t.Fatal(err)
			}
			documents := &testbed.Publisher{Documents: map[string]string{"https://login.microsoftonline.com/organizations/discovery/v2.0/keys": string(text)}}
			written := &testbed.Journal{Level: slog.LevelDebug}
			verifier, err := entra.NewVerifier(entra.Options{
				Tenants:    []string{entratest.TenantID, entratest.OtherTenantID},
				ClientID:   entratest.APIClientID,
				HTTPClient: &http.Client{Transport: documents},
				Logger:     slog.New(written),
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := verifier.Ready(t.Context()); err != nil {
				t.Fatalf("Ready: got %v, want no error", err)
			}
			if got := verifier.Stats().Keys; got != len(document.Keys) || len(document.Keys) == 0 || len(written.Lines()) != 0 {
				t.Errorf("got %d keys and lines %v, want all %d and none", got, written.Lines(), len(document.Keys))
			}
		})
	}
}
