package jose_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// newVerifier accepts every kind of token that the samples show.
func newVerifier(t testing.TB, tenant *entratest.Server) *entra.Verifier {
	t.Helper()
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:       []string{entratest.TenantID, entra.PersonalAccounts},
		ClientID:      entratest.APIClientID,
		AllowIDTokens: true,
		HTTPClient:    tenant.Client(),
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("NewVerifier: got %v, want no error", err)
	}
	return verifier
}

// accepted verifies a token twice, so that the memory answers the second time, and asks the judges about both answers.
func accepted(t testing.TB, v *entra.Verifier, j judges, token string) bool {
	t.Helper()
	began := time.Now()
	claims, err := v.Verify(t.Context(), token)
	if (claims == nil) != (err != nil) {
		t.Fatalf("Verify: got claims %v with error %v, want one of the two", claims, err)
	}
	again, errAgain := v.Verify(t.Context(), token)
	if (err == nil) != (errAgain == nil) {
		t.Fatalf("the second Verify: got %v, want as the first, %v", errAgain, err)
	}
	if err != nil {
		return false
	}
	for _, c := range []*entra.Claims{claims, again} {
		if err := j.judge(token, c, began); err != nil {
			t.Errorf("accepted, but: %v", err)
		}
	}
	return true
}

func TestWhatTheLibraryAcceptsASecondImplementationAcceptsToo(t *testing.T) {
	tenant := entratest.New(t)
	verifier, j := newVerifier(t, tenant), newJudges(tenant)
	stride := 5
	if testing.Short() {
		stride = 50
	}
	for i, s := range samples(t, tenant) {
		t.Run(s.name, func(t *testing.T) {
			if !accepted(t, verifier, j, s.token) {
				t.Fatal("the valid token: got refused, want accepted")
			}
			tried, passed := 0, 0
			try := func(name string, header, payload []byte) {
				tried++
				if accepted(t, verifier, j, s.key.Sign(header, payload)) {
					passed++
				}
				if t.Failed() {
					t.Fatalf("mutation %q\nheader  %s\npayload %s", name, header, payload)
				}
			}
			for name, header := range mutations(s.header, stride, i) {
				try("header: "+name, header, s.payload)
			}
			for name, payload := range mutations(s.payload, stride, i) {
				try("payload: "+name, s.header, payload)
			}
			t.Logf("%d signed mutations, %d of them accepted by both", tried, passed)
			if passed == 0 || passed == tried {
				t.Errorf("got %d of %d accepted, want some of them: the mutations show nothing", passed, tried)
			}
		})
	}
}

func TestATokenHasOneTextOnly(t *testing.T) {
	tenant := entratest.New(t)
	verifier := newVerifier(t, tenant)
	for _, s := range samples(t, tenant)[:3] {
		t.Run(s.name, func(t *testing.T) {
			tried := 0
			for name, text := range textMutations(s.token) {
				tried++
				if _, err := verifier.Verify(t.Context(), text); err == nil {
					t.Errorf("%s: got accepted, want refused: the signature covers another text", name)
				}
			}
			t.Logf("%d changed texts", tried)
		})
	}
}

// FuzzSignedBytes signs whatever it is given as header and payload.
func FuzzSignedBytes(f *testing.F) {
	tenant := entratest.New(f)
	verifier, j := newVerifier(f, tenant), newJudges(tenant)
	for _, s := range samples(f, tenant) {
		header := []byte(strings.ReplaceAll(string(s.header), s.key.ID(), "KID"))
		f.Add(header, s.payload, s.name == "personal account")
	}
	f.Fuzz(func(t *testing.T, header, payload []byte, personal bool) {
		key := tenant.Key()
		if personal {
			key = tenant.PersonalKey()
		}
		// Keys differ from run to run: a placeholder stands for the ID in the corpus.
		header = []byte(strings.ReplaceAll(string(header), "KID", key.ID()))
		accepted(t, verifier, j, key.Sign(header, payload))
	})
}

// FuzzTokenText changes the text of tokens whose signatures it cannot make.
func FuzzTokenText(f *testing.F) {
	tenant := entratest.New(f)
	verifier := newVerifier(f, tenant)
	list := samples(f, tenant)
	for i := range list {
		f.Add(uint(i), uint(len(list[i].token)/2), uint(1), "A")
		f.Add(uint(i), uint(len(list[i].token)), uint(0), "=")
	}
	f.Fuzz(func(t *testing.T, which, at, drop uint, insert string) {
		token := list[which%uint(len(list))].token
		start := at % uint(len(token)+1)
		end := start + drop%uint(len(token)-int(start)+1)
		text := token[:start] + insert + token[end:]
		if _, err := verifier.Verify(t.Context(), text); err == nil && text != token {
			t.Errorf("got a changed text accepted, want refused: %q in place of bytes %d to %d", insert, start, end)
		}
	})
}
