package authserver

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

const own = "https://api.contoso.example/mcp"

func TestRepublish(t *testing.T) {
	for _, row := range []struct{ name, document, want string }{
		{"an issuer alone", `{"issuer":"a"}`, `{"issuer":"` + own + `","code_challenge_methods_supported":["S256"]}`},
		{"members around it, in their order", ` { "z" : 1.0 ,"issuer":"a", "a" : [ true ] } `,
			`{"z":1.0,"issuer":"` + own + `","a":[ true ],"code_challenge_methods_supported":["S256"]}`},
		{"code challenge methods that lack S256", `{"code_challenge_methods_supported":["plain"],"issuer":"a"}`,
			`{"issuer":"` + own + `","code_challenge_methods_supported":["S256"]}`},
		{"an escaped name", `{"issuer":"a","\u0062":1}`, `{"issuer":"` + own + `","b":1,"code_challenge_methods_supported":["S256"]}`},
		{"an escaped issuer's name", `{"\u0069ssuer":"a"}`, `{"issuer":"` + own + `","code_challenge_methods_supported":["S256"]}`},
		{"another member in other letters", `{"issuer":"a","Issuer":"b"}`, `{"issuer":"` + own + `","Issuer":"b","code_challenge_methods_supported":["S256"]}`},
		{"a name that must be quoted", `{"issuer":"a","\"\\\n":null}`, `{"issuer":"` + own + `","\"\\\n":null,"code_challenge_methods_supported":["S256"]}`},
	} {
		got, err := republish(row.document, own)
		if err != nil || string(got) != row.want {
			t.Errorf("%s: got %s, %v, want %s", row.name, got, err, row.want)
		}
	}
}

func TestRepublishRefuses(t *testing.T) {
	for name, row := range map[string]struct{ document, says string }{
		"no object":               {`[]`, "expected an object"},
		"no issuer":               {`{"error":"x"}`, "names no issuer"},
		"an issuer of a number":   {`{"issuer":1}`, "the metadata's issuer is a number"},
		"a null issuer":           {`{"issuer":null}`, "the metadata's issuer is null"},
		"a repeated name":         {`{"issuer":"a","b":1,"b":1}`, "stands twice"},
		"a repeated inner name":   {`{"issuer":"a","b":[{"c":1,"c":1}]}`, "stands twice"},
		"a repeated method":       {`{"issuer":"a","code_challenge_methods_supported":[],"code_challenge_methods_supported":[]}`, "stands twice"},
		"text behind the object":  {`{"issuer":"a"}x`, "behind the JSON object"},
		"an object that is cut":   {`{"issuer":"a",`, "too early"},
		"a byte that is no UTF-8": {"{\"issuer\":\"a\",\"b\":\"\xff\"}", "invalid JSON"},
	} {
		got, err := republish(row.document, own)
		if err == nil || !strings.Contains(err.Error(), row.says) || got != nil {
			t.Errorf("%s: got %s and %v, want an error that says %q", name, got, err, row.says)
		}
	}
}

// FuzzRepublish: what is passed on is JSON that says what Entra's document says, but for the issuer and the methods.
func FuzzRepublish(f *testing.F) {
	for _, seed := range []string{
		`{"issuer":"a"}`, `{"issuer":"a","b":{"c":[1.5e300,null,"\u00e4"]}}`, `{"code_challenge_methods_supported":1,"issuer":"\"","":0}`,
		`{"issuer":"a","issuer":"b"}`, `{"issuer":1}`, `[{"issuer":"a"}]`, `{"issuer":"a"} `, `{"is\u0073uer":"a"}`, `{"issuer":"a","b":"\ud800"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		got, err := republish(document, own)
		if err != nil {
			return
		}
		var before, after map[string]any
		if err := json.Unmarshal([]byte(document), &before); err != nil {
			t.Fatalf("%q was passed on, and is no JSON: %v", document, err)
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("got %q, which is no JSON: %v", got, err)
		}
		before["issuer"], before["code_challenge_methods_supported"] = own, []any{"S256"}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("got %v, want %v", after, before)
		}
		again, err := republish(string(got), own)
		if err != nil || string(again) != string(got) {
			t.Errorf("passed on twice: got %s, %v, want %s", again, err, got)
		}
	})
}
