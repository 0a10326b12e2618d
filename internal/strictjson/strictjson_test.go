package strictjson_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/strictjson"
)

// read applies one method of Reader to the member x of an object and returns what it gave.
var read = map[string]func(*strictjson.Reader) (any, error){
	"Text":        func(r *strictjson.Reader) (any, error) { return r.Text() },
	"Texts":       func(r *strictjson.Reader) (any, error) { return r.Texts(nil) },
	"TextOrTexts": func(r *strictjson.Reader) (any, error) { return r.TextOrTexts(nil) },
	"Number":      func(r *strictjson.Reader) (any, error) { return r.Number() },
	"Truth":       func(r *strictjson.Reader) (any, error) { return r.Truth() },
	"Raw":         func(r *strictjson.Reader) (any, error) { return r.Raw() },
	"Any":         func(r *strictjson.Reader) (any, error) { return nil, r.Any() },
	"Skip":        func(r *strictjson.Reader) (any, error) { return nil, r.Skip() },
}

func TestReader(t *testing.T) {
	const failed = "error"
	tests := []struct {
		method, value string
		want          string // as fmt prints it
	}{
		{"Text", `"a"`, "a"},
		{"Text", `""`, ""},
		{"Text", `"\u0061\n\"\\\/"`, "a\n\"\\/"},
		{"Text", `"\ud83d\ude00"`, "😀"},
		{"Text", `"\u0000"`, "\x00"},
		{"Text", `"<>&"`, "<>&"},
		{"Text", `"a`, failed},
		{"Text", `"\ud83d"`, failed},
		{"Text", "\"\xff\"", failed},
		{"Text", "\"\x01\"", failed},
		{"Text", `'a'`, failed},
		{"Text", `null`, failed},
		{"Text", `1`, failed},
		{"Text", `["a"]`, failed},
		{"Texts", `[]`, "[]"},
		{"Texts", ` [ "a" , "\u0062" ] `, "[a b]"},
		{"Texts", `["a",null]`, failed},
		{"Texts", `["a",1]`, failed},
		{"Texts", `["a",["b"]]`, failed},
		{"Texts", `["a",]`, failed},
		{"Texts", `["a"`, failed},
		{"Texts", `"a"`, failed},
		{"Texts", `{"0":"a"}`, failed},
		{"Texts", `null`, failed},
		{"TextOrTexts", `"a"`, "[a]"},
		{"TextOrTexts", `["a"]`, "[a]"},
		{"TextOrTexts", `["a","b"]`, "[a b]"},
		{"TextOrTexts", `[]`, "[]"},
		{"TextOrTexts", `null`, failed},
		{"TextOrTexts", `[null]`, failed},
		{"TextOrTexts", `1`, failed},
		{"Number", `0`, "0"},
		{"Number", `1700000000`, "1.7e+09"},
		{"Number", `123456789012345`, "1.23456789012345e+14"},
		{"Number", `1234567890123456`, "1.234567890123456e+15"},
		{"Number", `-1`, "-1"},
		{"Number", `1.5`, "1.5"},
		{"Number", `1e3`, "1000"},
		{"Number", `1E-2`, "0.01"},
		{"Number", `9223372036854775808`, "9.223372036854776e+18"},
		{"Number", `1e999`, failed},
		{"Number", `-1e999`, failed},
		{"Number", `01`, failed},
		{"Number", `1.`, failed},
		{"Number", `.5`, failed},
		{"Number", `+1`, failed},
		{"Number", `0x1`, failed},
		{"Number", `NaN`, failed},
		{"Number", `"1"`, failed},
		{"Number", `null`, failed},
		{"Number", `true`, failed},
		{"Truth", `true`, "true"},
		{"Truth", `1`, "true"},
		{"Truth", `"1"`, "true"},
		{"Truth", `"true"`, "true"},
		{"Truth", `false`, "false"},
		{"Truth", `0`, "false"},
		{"Truth", `"yes"`, "false"},
		{"Truth", `"True"`, "false"},
		{"Truth", `{"true":true}`, "false"},
		{"Truth", `{"a":[{"b":1,"b":1}]}`, failed},
		{"Truth", `null`, failed},
		{"Raw", `{"a": [1]}`, `{"a": [1]}`},
		{"Raw", `null`, "null"},
		{"Raw", `{"a":1,"a":2}`, failed},
		{"Any", `{}`, "<nil>"},
		{"Any", `"null"`, "<nil>"},
		{"Any", `"{"`, "<nil>"},
		{"Any", `[[],{"a":{"a":[{"a":1}]}},"{"]`, "<nil>"},
		{"Any", `[[],{"a":{"a":[{"a":1,"b":1,"a":1}]}}]`, failed},
		{"Any", `{"a":1,"\u0061":1}`, failed},
		{"Any", `null`, failed},
		{"Any", `nul`, failed},
		{"Any", ``, failed},
		{"Skip", `null`, "<nil>"},
		{"Skip", `{"a":{"b":[1,{"c":2,"c":3}]}}`, failed},
		{"Skip", "\"\xff\"", failed},
		{"Skip", `tru`, failed},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.value, func(t *testing.T) {
			var got any
			// Members around it show that exactly one value was read.
			err := strictjson.Object(`{"before":1,"x":`+test.value+`,"after":1}`, func(name string, r *strictjson.Reader) (err error) {
				if name != "x" {
					return r.Skip()
				}
				got, err = read[test.method](r)
				return err
			})
			switch {
			case test.want == failed && err == nil:
				t.Errorf("got %v, want an error", got)
			case test.want != failed && (err != nil || fmt.Sprint(got) != test.want):
				t.Errorf("got %v and %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestObject(t *testing.T) {
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	tests := map[string]struct {
		text  string
		names []string // nil: refused
	}{
		"empty":                       {`{}`, []string{}},
		"white space":                 {" \t\r\n{ \"a\" : 1 } \n", []string{"a"}},
		"names in their order":        {`{"b":1,"a":2,"B":3,"":4}`, []string{"b", "a", "B", ""}},
		"escaped names":               {`{"\u0061":1,"\ud83d\ude00":2,"b\u0000":3}`, []string{"a", "😀", "b\x00"}},
		"a name in two objects":       {`{"a":{"b":1},"b":{"a":1}}`, []string{"a", "b"}},
		"names that folding confuses": {`{"roles":1,"ROLES":2,"roleſ":3}`, []string{"roles", "ROLES", "roleſ"}},

		"nothing":               {``, nil},
		"white space alone":     {` `, nil},
		"null":                  {`null`, nil},
		"a string":              {`"a"`, nil},
		"an array":              {`[]`, nil},
		"a byte order mark":     {"\ufeff{}", nil},
		"a cut object":          {`{"a":1`, nil},
		"a cut name":            {`{"a`, nil},
		"a comma at the end":    {`{"a":1,}`, nil},
		"no comma":              {`{"a":1 "b":2}`, nil},
		"no colon":              {`{"a" 1}`, nil},
		"a number as name":      {`{1:1}`, nil},
		"null as name":          {`{null:1}`, nil},
		"no quotes":             {`{a:1}`, nil},
		"another object behind": {`{}{}`, nil},
		"a letter behind":       {`{}x`, nil},
		"a NUL behind":          {"{}\x00", nil},
		"a comment":             {`{/**/}`, nil},
		"a name twice":          {`{"a":1,"a":1}`, nil},
		"a name twice, escaped": {`{"a":1,"\u0061":1}`, nil},
		"a name twice, inside":  {`{"a":[{"b":1,"b":1}]}`, nil},
		"an odd name":           {"{\"\xff\":1}", nil},
		"half a surrogate pair": {`{"\ud800":1}`, nil},
		"arrays without end":    {`{"a":` + deep + `}`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			names := []string{}
			err := strictjson.Object(test.text, func(name string, r *strictjson.Reader) error {
				names = append(names, name)
				return r.Skip()
			})
			if (err == nil) != (test.names != nil) || err == nil && !slices.Equal(names, test.names) {
				t.Errorf("got %q and %v, want %q (nil: an error)", names, err, test.names)
			}
			if err != nil && len(test.text) > 6 && strings.Contains(err.Error(), test.text) {
				t.Errorf("got error text %q, want one without the input", err)
			}
		})
	}
}

// An error says what is wrong, and in which member of the outermost object, once.
func TestWhatErrorsSay(t *testing.T) {
	const twice = "a name stands twice in one JSON object"
	for _, test := range []struct{ source, want string }{
		{`{"a":1,"a":1}`, twice},
		{`{"x":{"a":1,"a":1}}`, "x " + twice},
		{`{"x":[0,{"y":{"a":1,"a":1}}]}`, "x " + twice},
		{`{"x":{"y":tru}}`, "x invalid JSON at byte 13"},
		{`{"x":[1,`, "x the JSON text ends too early"},
		{`{"x":1`, "the JSON text ends too early"},
		{``, "the JSON text ends too early"},
		{`{}1`, "there is text behind the JSON object"},
		{`1{}`, "is a number; expected an object"},
		{`[,]`, "is an array; expected an object"},
		{`["\ud800"]`, "is an array; expected an object"},
		{`"a`, "is a string; expected an object"},
		{`nul`, "is null; expected an object"},
		{`x`, "invalid JSON at byte 0"},
	} {
		err := strictjson.Object(test.source, func(name string, r *strictjson.Reader) error { return strictjson.InMember(name, r.Skip()) })
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.source, err, test.want)
		}
	}
}

// A name is found again wherever it stood among however many, and those that only resemble it are not.
func TestRepeatedNamesAmongMany(t *testing.T) {
	for _, count := range []int{1, 2, 63, 64, 65, 66, 1000} {
		names := make([]string, count)
		for i := range names {
			// All of one length, with one first and one last letter.
			names[i] = fmt.Sprintf(`"a%05db":%d`, i, i)
		}
		read := 0
		skip := func(_ string, r *strictjson.Reader) error { read++; return r.Skip() }
		if err := strictjson.Object("{"+strings.Join(names, ",")+"}", skip); err != nil || read != count {
			t.Errorf("%d names: got %v after %d, want all", count, err, read)
		}
		for _, again := range []int{0, count / 2, count - 1} {
			read = 0
			text := "{" + strings.Join(names, ",") + "," + names[again] + "}"
			if err := strictjson.Object(text, skip); err == nil || read != count {
				t.Errorf("%d names, number %d again: got %v after %d, want an error after %d", count, again, err, read, count)
			}
		}
	}
}

func TestObjectReturnsErrorsOfMemberAsTheyAre(t *testing.T) {
	stop := errors.New("stop")
	calls := 0
	err := strictjson.Object(`{"a":1,"b":2}`, func(string, *strictjson.Reader) error {
		calls++
		return stop
	})
	if err != stop || calls != 1 { //nolint:errorlint // The very error is promised.
		t.Errorf("got %v after %d calls, want stop after 1", err, calls)
	}
}

// A Reader is pooled: what one text left behind must not show in the next, and objects may be read inside of objects.
func TestObjectsDoNotMix(t *testing.T) {
	got := map[string]string{}
	for _, broken := range []string{`{"a":"`, `{"a":[1,`, "{\"a\":\"\xff", `{"a":1`} {
		strictjson.Object(broken, func(_ string, r *strictjson.Reader) error { return r.Skip() }) //nolint:errcheck // It must fail.
		err := strictjson.Object(`{"outer":{"inner":"\u0078"},"last":"y"}`, func(name string, r *strictjson.Reader) error {
			if name == "outer" {
				raw, err := r.Raw()
				if err != nil {
					return err
				}
				return strictjson.Object(raw, func(name string, r *strictjson.Reader) (err error) {
					got[name], err = r.Text()
					return err
				})
			}
			var err error
			got[name], err = r.Text()
			return err
		})
		if want := map[string]string{"inner": "x", "last": "y"}; err != nil || !maps.Equal(got, want) {
			t.Errorf("after %s: got %v and %v, want %v", broken, got, err, want)
		}
	}
}

// Strings outlive the call and the pool.
func TestStringsStay(t *testing.T) {
	var kept []string
	for i := range 100 {
		text := fmt.Sprintf(`{"name-%d":"text-%d","esc\u0061ped":"\u0061-%d"}`, i, i, i)
		err := strictjson.Object(text, func(name string, r *strictjson.Reader) error {
			value, err := r.Text()
			kept = append(kept, name+"="+value)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		if got, want := kept[2*i]+" "+kept[2*i+1], fmt.Sprintf("name-%d=text-%d escaped=a-%d", i, i, i); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Values may lie in each other to a depth that no token and no document of Entra's has. Signs in strings do not count.
func TestDepth(t *testing.T) {
	arrays := func(count int) string { return strings.Repeat("[", count) + strings.Repeat("]", count) }
	objects := func(count int) string { return strings.Repeat(`{"a":`, count) + "0" + strings.Repeat("}", count) }
	signs := strings.Repeat("[{", 100)
	for name, test := range map[string]struct {
		source string
		ok     bool
	}{
		"arrays as deep as may be":              {`{"a":` + arrays(strictjson.MaxDepth-1) + `}`, true},
		"arrays one deeper":                     {`{"a":` + arrays(strictjson.MaxDepth) + `}`, false},
		"objects as deep as may be":             {objects(strictjson.MaxDepth), true},
		"objects one deeper":                    {objects(strictjson.MaxDepth + 1), false},
		"a thousand side by side":               {`{"a":[` + strings.Repeat("[{}],", 1000) + `0]}`, true},
		"signs in a string":                     {`{"a":"` + signs + `"}`, true},
		"signs in a name":                       {`{"` + signs + `":0}`, true},
		"signs behind an escaped quote":         {`{"a":"\"` + signs + `"}`, true},
		"signs behind an escaped backslash":     {`{"a":"\\` + signs + `"}`, true},
		"arrays behind a string with a quote":   {`{"a":"\"","b":` + arrays(100) + `}`, false},
		"arrays behind an escaped backslash":    {`{"a":"\\","b":` + arrays(100) + `}`, false},
		"arrays behind signs in a string":       {`{"a":"]]]}","b":` + arrays(strictjson.MaxDepth) + `}`, false},
		"objects that are not deep after these": {`{"a":` + objects(60) + `,"b":` + objects(60) + `}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			err := strictjson.Object(test.source, func(_ string, r *strictjson.Reader) error { return r.Skip() })
			if (err == nil) != test.ok {
				t.Errorf("got %v, want it accepted: %v", err, test.ok)
			}
		})
	}
}

// First reads no further than to the member, and leaves what stands behind it to Object.
func TestFirst(t *testing.T) {
	for _, test := range []struct {
		source, want string
		ok           bool
	}{
		{`{"iss":"a"}`, "a", true},
		{`{"aud":["b"],"x":{"iss":"no"},"iss":"a","iss":"c"}`, "a", true},
		{`{"iss":"a" and junk`, "a", true},
		{`{"\u0069ss":"\u0061"}`, "a", true},
		{`{"ISS":"b"}`, "", true},
		{`{}`, "", true},
		{`{"aud":"b"}`, "", true},
		{`{"iss":1}`, "", false},
		{`{"iss":null}`, "", false},
		{`{"iss":["a"]}`, "", false},
		{`{"iss":`, "", false},
		{`{"iss":"a`, "", false},
		{"{\"iss\":\"\xff\"}", "", false},
		{`{"x":tru,"iss":"a"}`, "", false},
		{`["iss","a"]`, "", false},
		{`"iss"`, "", false},
		{``, "", false},
		{`x`, "", false},
		{strings.Repeat(`{"iss":`, 65), "", false},
		{`{"x":` + strings.Repeat("[", 65), "", false},
	} {
		got, err := strictjson.First(test.source, "iss")
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%.60q: got %q and %v, want %q and an error: %v", test.source, got, err, test.want, !test.ok)
		}
	}
}
