package whatif

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func payloadOf(t *testing.T, text string) string {
	t.Helper()
	_, segment, _ := strings.Cut(text, ".")
	payload, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	return string(payload)
}

func TestOnlyDatesAreMoved(t *testing.T) {
	for _, row := range []struct {
		name, payload, want string
		passed              time.Duration
	}{
		{"a date", `{"exp":5000}`, `{"exp":1400}`, time.Hour},
		{"a date that is to come", `{"exp":5000}`, `{"exp":8600}`, -time.Hour},
		{"each date, and the text between", `{ "iat" : 4000 ,"exp":5000, "x":{"exp":9000},"nbf":4000.5}`, `{ "iat" : 400 ,"exp":1400, "x":{"exp":9000},"nbf":400.5}`, time.Hour},
		{"an escaped name", `{"\u0065xp":5000}`, `{"\u0065xp":1400}`, time.Hour},
		{"an exponent", `{"exp":5e3}`, `{"exp":1400}`, time.Hour},
		{"no date before 1970", `{"nbf":0,"iat":60}`, `{"nbf":0,"iat":0}`, time.Hour},
		{"a text", `{"exp":"5000"}`, `{"exp":"5000"}`, time.Hour},
		{"null", `{"exp":null}`, `{"exp":null}`, time.Hour},
		{"a number without end", `{"exp":1e999}`, `{"exp":1e999}`, time.Hour},
		{"no object", `[{"exp":5000}]`, `[{"exp":5000}]`, time.Hour},
		{"a broken object", `{"exp":5000,`, `{"exp":5000,`, time.Hour},
		{"nothing", ``, ``, time.Hour},
	} {
		token := parsedToken{text: "h." + base64.RawURLEncoding.EncodeToString([]byte(row.payload)), payload: []byte(row.payload)}
		text, _ := token.movedBy(row.passed)
		if got := payloadOf(t, text); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}

func TestTextsNameTheTokensOwnDates(t *testing.T) {
	token := parsedToken{text: "h.p", payload: []byte(`{"exp":1764149400,"nbf":0}`)}
	_, dates := token.movedBy(time.Hour)
	moved := movedBack{errText("it is 2025-11-26T09:00:00Z, exp 2025-11-26T08:30:00Z, nbf 1970-01-01T00:00:00Z, no date 2025-11-26"), dates}
	want := "it is 2025-11-26T10:00:00Z, exp 2025-11-26T09:30:00Z, nbf 1970-01-01T00:00:00Z, no date 2025-11-26"
	if got := moved.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

type errText string

func (e errText) Error() string { return string(e) }

// Whatever a payload says, moving its dates changes nothing else, and nothing at all if no time passes.
func FuzzMovedBy(f *testing.F) {
	for _, payload := range []string{`{"exp":5000,"nbf":1e3,"x":[{"exp":1}]}`, `{"exp":{"exp":1},"exp":2}`, `{`, `[]`, "{\"\xff\":1}", `{"iat":-0.5E+2}`} {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		token := parsedToken{text: "h." + base64.RawURLEncoding.EncodeToString(payload), payload: payload}
		var before, after map[string]any
		if json.Unmarshal(payload, &before) != nil || before == nil {
			return
		}
		text, _ := token.movedBy(time.Hour)
		if err := json.Unmarshal([]byte(payloadOf(t, text)), &after); err != nil {
			t.Fatalf("%q became %q: %v", payload, payloadOf(t, text), err)
		}
		for _, name := range []string{"exp", "nbf", "iat"} {
			if number, ok := before[name].(float64); ok {
				if got, want := after[name], max(0, number-3600); got != want {
					t.Errorf("%q: got %s %v, want %v", payload, name, got, want)
				}
				delete(before, name)
				delete(after, name)
			}
		}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q, want only dates changed", payload, payloadOf(t, text))
		}
	})
}
