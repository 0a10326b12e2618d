package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/whatif"
)

func TestNamesAreShownOnlyOnRequest(t *testing.T) {
	tenant := entratest.New(t)
	token := tenant.Token(entratest.Claim("nickname", "Ally"), entratest.Header("who", "Alice"))
	for _, format := range [][]string{nil, {"-json"}} {
		for _, names := range []bool{false, true} {
			args := slices.Concat([]string{"explain"}, sample, format)
			if names {
				args = append(args, "-names")
			}
			got := tool{args: args, stdin: token, network: tenant.Transport()}.run(t)
			if shown := strings.Contains(got.stdout, "alice@"); shown != names {
				t.Errorf("%q: got the address shown %v, want %v:\n%s", args, shown, names, got.stdout)
			}
			if shown := strings.Contains(got.stdout, "Ally"); shown != names {
				t.Errorf("%q: got an unknown claim shown %v, want %v", args, shown, names)
			}
			for _, segment := range strings.Split(token, ".") {
				if strings.Contains(got.stdout+got.stderr, segment) {
					t.Errorf("%q: got a segment of the token in the output", args)
				}
			}
		}
	}
}

// What a forged token says must not reach the terminal as anything but text.
func TestNothingThatATerminalWouldActOnIsPrinted(t *testing.T) {
	tenant := entratest.New(t)
	evil := "\x1b]0;owned\x07\u202e\u0085\r\n<script>"
	token := tenant.Token(entratest.Audience(evil), entratest.Claim("iss", evil), entratest.Claim(evil, 1), entratest.Header("typ", evil), entratest.Header("kid", evil))
	for _, format := range [][]string{nil, {"-json"}, {"-names"}} {
		for _, stdin := range []string{token, "Authorization: " + evil, "Bearer " + evil, evil} {
			got := tool{args: slices.Concat([]string{"explain"}, sample, format), stdin: stdin, network: tenant.Transport()}.run(t)
			if strings.ContainsAny(got.stdout+got.stderr, "\x1b\x07\u202e\u0085\r") {
				t.Errorf("%q: got a control character in %q", format, got.stdout)
			}
		}
	}
}

func TestExplainPrintsAReport(t *testing.T) {
	for _, row := range []struct {
		name  string
		token func(*entratest.Server) string
		args  []string
	}{
		{"accepted", func(s *entratest.Server) string { return s.Token() }, nil},
		{"refused", func(s *entratest.Server) string {
			return s.Token(entratest.SignedBy(s.UnknownKey()), entratest.Expired(), entratest.Audience("api://payroll"))
		}, nil},
		{"forbidden", func(s *entratest.Server) string { return s.Token(entratest.App("Orders.Read.All")) }, []string{"-scope", "Orders.Read"}},
		{"offline", func(s *entratest.Server) string { return s.Token(entratest.V1()) }, []string{"-offline", "-at", "2000-01-01T00:30:00Z"}},
		{"opaque", func(*entratest.Server) string { return "not-a-jwt" }, nil},
		{"json", func(s *entratest.Server) string { return s.Token(entratest.Graph()) }, []string{"-json"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			tenant := entratest.New(t)
			token := row.token(tenant)
			got := tool{args: slices.Concat([]string{"explain"}, sample, row.args), stdin: token, network: tenant.Transport()}.run(t)
			// The texts of package entra are compared with its own elsewhere.
			r := sent{authorization: "Bearer " + token, flags: row.args}.explain(t, tenant.Transport())
			for _, v := range append(r.Otherwise, r.Verdict) {
				got.stdout = strings.ReplaceAll(got.stdout, wrap("  ", "  ", v.Text)+"\n", "  <text of "+string(v.Reason)+">\n")
				if quoted, err := json.Marshal(v.Text); err == nil && v.Text != "" {
					got.stdout = strings.ReplaceAll(got.stdout, string(quoted), `"<text of `+string(v.Reason)+`>"`)
				}
			}
			checkGolden(t, "explain-"+row.name, mask(got, token))
		})
	}
}

// mask returns the output with what differs from run to run in a form that does not: key IDs and the opaque claims.
func mask(got outcome, token string) string {
	text := "exit status " + strconv.Itoa(got.status) + "\n--- stderr\n" + got.stderr + "--- stdout\n" + got.stdout
	for i, segment := range strings.Split(token, ".") {
		for _, m := range membersOf(segment) {
			var value string
			if i < 2 && json.Unmarshal(m.value, &value) == nil && slices.Contains([]string{"kid", "x5t", "uti", "aio", "rh", "sub", "nonce"}, m.name) {
				text = strings.ReplaceAll(text, value, "<"+m.name+">")
			}
		}
	}
	return text
}

// checkGolden compares with a file of testdata, which ENTRA_UPDATE_GOLDEN=1 writes anew.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if os.Getenv("ENTRA_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// Whatever a header and a payload hold, a report is plain text, and its JSON can be read.
func FuzzReport(f *testing.F) {
	f.Add(`{"alg":"RS256","kid":"k","jwk":{}}`, `{"aud":"\u001b[31m","exp":1e300,"nbf":-1,"name":"Alice","x":[1,{"y":2}]}`, false)
	f.Add("{", "[]", true)
	f.Add(`{"typ":7}`, "{\"iss\":\"\u202e\",\"\x1b\":\"\xff\"}", true)
	f.Fuzz(func(t *testing.T, header, payload string, names bool) {
		encode := base64.RawURLEncoding.EncodeToString
		r := newReport([]string{"Bearer " + encode([]byte(header)) + "." + encode([]byte(payload)) + ".AAAA"}, whatif.Assumed{}, names)
		var text, object strings.Builder
		if err := r.print(&text); err != nil {
			t.Fatal(err)
		}
		if err := r.printJSON(&object); err != nil {
			t.Fatalf("%q, %q: %v", header, payload, err)
		}
		for _, out := range []string{text.String(), object.String()} {
			if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q, %q: got %q printed", header, payload, out[i:])
			}
		}
		if !json.Valid([]byte(object.String())) {
			t.Errorf("%q, %q: got %q, want JSON", header, payload, object.String())
		}
	})
}
