package entratest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// spyTB records what New does with it.
type spyTB struct {
	failures []string
	cleanups []func()
}

func (*spyTB) Helper()            {}
func (s *spyTB) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *spyTB) Fatalf(format string, args ...any) {
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}

func TestNewClosesWithTheTest(t *testing.T) {
	tb := &spyTB{}
	tenant := entratest.New(tb)
	if len(tb.cleanups) != 1 {
		t.Fatalf("got %d clean-ups, want 1", len(tb.cleanups))
	}
	url, err := tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	tb.cleanups[0]()
	for _, u := range []string{loginHost + "common" + keysPath, url + "/common" + keysPath} {
		client := tenant.Client()
		if strings.HasPrefix(u, "http://") {
			client = http.DefaultClient
		}
		if response, err := client.Get(u); err == nil {
			response.Body.Close()
			t.Errorf("%s: got an answer after Close, want an error", u)
		}
	}
	if _, err := tenant.Start(); err == nil {
		t.Error("Start after Close: got no error")
	}
}

func TestConfigMistakesAreNamedTogether(t *testing.T) {
	_, err := entratest.NewServer(entratest.Config{
		TenantID: "contoso.com",
		Cloud:    9,
		Tenants:  []entratest.Directory{{ID: "x"}},
		Apps:     []entratest.AppRegistration{{ClientID: "A", TokenVersion: 3}, {ClientID: entratest.ClientID}, {ClientID: entratest.ClientID}},
		Users:    []entratest.Account{{}},
	})
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"TenantID: ", "Cloud: ", "Tenants[0].ID", "Apps[0].ClientID", "Apps[0].TokenVersion",
		"Apps[2].ClientID", "twice", "Users[0].ObjectID", "Users[0].Username"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to name %q", err, want)
		}
	}
	tb := &spyTB{}
	if s := entratest.New(tb, entratest.Config{TenantID: "x"}); s != nil || len(tb.failures) != 1 {
		t.Errorf("New: got %v and failures %q, want nil and one failure", s, tb.failures)
	}
	if s := entratest.New(tb, entratest.Config{}, entratest.Config{}); s != nil || len(tb.failures) != 2 {
		t.Errorf("New with two Configs: got %v and failures %q, want nil and another failure", s, tb.failures)
	}
}

func TestTokenMistakesFailTheTestOrPanic(t *testing.T) {
	tb := &spyTB{}
	tenant := entratest.New(tb)
	tenant.Token(entratest.User("zoe"))
	tenant.Token(entratest.Claim("x", func() {}))
	tenant.Token(entratest.Header("x", func() {}))
	if len(tb.failures) != 3 || !strings.Contains(tb.failures[0], "alice@contoso.example, bob@contoso.example") {
		t.Errorf("got failures %q, want three, the first with the users' names", tb.failures)
	}
	program, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "zoe") {
			t.Errorf("got panic %v, want one that names zoe", p)
		}
	}()
	program.Token(entratest.User("zoe"))
}
