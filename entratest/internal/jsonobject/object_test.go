package jsonobject_test

import (
	"encoding/json"
	"testing"

	"github.com/entra-go/entra/entratest/internal/jsonobject"
)

func TestMembersKeepTheirOrder(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(o *jsonobject.Object)
		want   string
	}{
		{"as written", func(*jsonobject.Object) {}, `{"b":1,"a":"<&>","c":null}`},
		{"a member set again", func(o *jsonobject.Object) { o.Set("a", true) }, `{"b":1,"a":true,"c":null}`},
		{"a new member", func(o *jsonobject.Object) { o.Set("d", jsonobject.Object{}) }, `{"b":1,"a":"<&>","c":null,"d":{}}`},
		{"without some", func(o *jsonobject.Object) { *o = o.Without("b", "c", "x") }, `{"a":"<&>"}`},
		{"sorted", func(o *jsonobject.Object) { o.Sorted(0) }, `{"a":"<&>","b":1,"c":null}`},
		{"sorted but for the first two", func(o *jsonobject.Object) { o.Set("aa", 2); o.Sorted(2) }, `{"b":1,"a":"<&>","aa":2,"c":null}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := jsonobject.Object{{"b", 1}, {"a", "<&>"}, {"c", nil}}
			row.change(&o)
			got, err := jsonobject.Encode(o)
			if err != nil || string(got) != row.want {
				t.Errorf("got %s, %v; want %s", got, err, row.want)
			}
		})
	}
}

func TestWithoutLeavesTheOriginal(t *testing.T) {
	o := jsonobject.Object{{"a", 1}, {"b", 2}}
	if short := o.Without("a"); len(short) != 1 || len(o) != 2 || o[0].Name != "a" {
		t.Errorf("got %v and %v, want the original unchanged", short, o)
	}
}

func TestText(t *testing.T) {
	o := jsonobject.Object{{"a", "x"}, {"n", 1}}
	for name, want := range map[string]string{"a": "x", "n": "", "none": ""} {
		if got := o.Text(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestValuesThatAreNoJSONAreErrors(t *testing.T) {
	if _, err := json.Marshal(jsonobject.Object{{"f", func() {}}}); err == nil {
		t.Error("got no error for a function")
	}
}
