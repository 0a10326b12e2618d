package plainjson_test

import (
	"testing"

	"github.com/entra-go/entra/internal/strictjson/plainjson"
)

func TestObject(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`:                           true,
		` {"a":{"a":[1,{"a":1e999}]}}`: true,
		`{"a":"\ud83d\ude00\\u0041"}`:  true,
		`{"a":"\\ud800"}`:              true,
		`null`:                         false,
		`[]`:                           false,
		`{}{}`:                         false,
		`{"a":1,"\u0061":1}`:           false,
		`{"x":[{"a":1,"a":1}]}`:        false,
		`{"a":"\ud800"}`:               false,
		`{"a":"\ud800x\udc00"}`:        false,
		`{"a":"\ud800\ud800\udc00"}`:   false,
		`{"a":"\udc00\ud800"}`:         false,
		`{"\ud800":1}`:                 false,
		"{\"a\":\"\xff\"}":             false,
		"\ufeff{}":                     false,
	} {
		if _, err := plainjson.Object(text); (err == nil) != want {
			t.Errorf("%s: got %v, want accepted %v", text, err, want)
		}
	}
}

func TestText(t *testing.T) {
	members, err := plainjson.Object(`{"a":"\u0062","A":"x","n":1}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := plainjson.Text(members, "a"); got != "b" || !ok {
		t.Errorf("got %q and %v, want b and true", got, ok)
	}
	for _, name := range []string{"n", "none"} {
		if got, ok := plainjson.Text(members, name); got != "" || ok {
			t.Errorf("%s: got %q and %v, want nothing", name, got, ok)
		}
	}
}
