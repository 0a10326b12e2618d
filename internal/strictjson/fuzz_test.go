package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/strictjson"
	"github.com/entra-go/entra/internal/strictjson/plainjson"
)

// FuzzObject compares with a reading by encoding/json: both accept the same texts, and give the same names and values.
func FuzzObject(f *testing.F) {
	for _, text := range []string{
		`{}`, ` { "a" : 1 } `, `{"a":1,"b":[true,null,"x",{}],"c":{"d":1.5e3}}`, `{"a":1,"a":1}`, `{"a":1,"\u0061":1}`,
		`{"x":[{"y":{"z":1,"\u007a":2}}]}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", "\ufeff{}", `{}{}`, `{"a":1,}`,
		`null`, `[]`, `"a"`, `{"exp":1700000000,"exp ":1e999}`, `{"roles":["A"],"ROLES":["B"],"roleſ":["C"]}`, `{"a":NaN}`, `{/**/}`,
		`{"a":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`, `{"a":01}`, `{"a":-0}`, "{\"a\":\"\x01\"}", "{}\x00", `{"":""}`,
		`{"n":123456789012345,"m":1234567890123456,"o":-1,"p":1.0,"q":1E-400}`, `{"\"\\\/\b\f\n\r\t":"\"\\\/\b\f\n\r\t"}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "[")+strings.Count(text, "{") > 9000 {
			return // Both readers have a limit near 10,000, not the same.
		}
		want, plainErr := plainjson.Object(text)
		got := map[string]string{}
		err := strictjson.Object(text, func(name string, r *strictjson.Reader) (err error) {
			got[name], err = r.Raw()
			return err
		})
		if (err == nil) != (plainErr == nil) {
			t.Fatalf("got %v, and by encoding/json %v", err, plainErr)
		}
		if err != nil {
			return
		}
		if len(got) != len(want) {
			t.Fatalf("got %d members, want %d", len(got), len(want))
		}
		for name, raw := range want {
			if got[name] != string(raw) {
				t.Errorf("%q: got %s, want %s", name, got[name], raw)
			}
		}
		sameValues(t, text, want)
	})
}

// sameValues reads each member by the method for its type.
func sameValues(t *testing.T, text string, want map[string]json.RawMessage) {
	err := strictjson.Object(text, func(name string, r *strictjson.Reader) error {
		raw := want[name]
		switch raw[0] {
		case '"':
			got, err := r.Text()
			if plain, _ := plainjson.Text(want, name); got != plain || err != nil {
				t.Errorf("%q: got %q and %v, want %q", name, got, err, plain)
			}
		case '[':
			var plain []string
			plainErr := json.Unmarshal(raw, &plain)
			got, err := r.Texts(nil)
			// encoding/json takes null for a zero value.
			if plainErr != nil || strings.Contains(string(raw), "null") {
				return err
			}
			if err != nil || strings.Join(got, "\x00") != strings.Join(plain, "\x00") || len(got) != len(plain) {
				t.Errorf("%q: got %q and %v, want %q", name, got, err, plain)
			}
		case 't', 'f', 'n', '{':
			return r.Skip()
		default:
			var plain float64
			plainErr := json.Unmarshal(raw, &plain)
			got, err := r.Number()
			if got != plain || (err == nil) != (plainErr == nil) {
				t.Errorf("%q: got %v and %v, want %v and %v", name, got, err, plain, plainErr)
			}
		}
		return nil
	})
	// An array of other things than strings ends the reading; nothing else may.
	if err != nil && !strings.Contains(err.Error(), "element of the array") {
		t.Errorf("got %v, want no error", err)
	}
}
