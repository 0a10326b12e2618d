// Package claimset_test reads claim sets that nobody signed.
package claimset_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/refuse"
)

// claims are all that are read, each with a value and what the Set then holds.
var claims = map[string]struct {
	value string
	set   func(*claimset.Set)
}{
	"aud":                {`"a"`, func(s *claimset.Set) { s.Aud, s.AudCount = "a", 1 }},
	"iss":                {`"a"`, func(s *claimset.Set) { s.Iss = "a" }},
	"exp":                {`1`, func(s *claimset.Set) { s.Exp = time.Unix(1, 0).UTC() }},
	"nbf":                {`2`, func(s *claimset.Set) { s.Nbf = time.Unix(2, 0).UTC() }},
	"iat":                {`3`, func(s *claimset.Set) { s.Iat = time.Unix(3, 0).UTC() }},
	"ver":                {`"2.0"`, func(s *claimset.Set) { s.Ver = "2.0" }},
	"tid":                {`"a"`, func(s *claimset.Set) { s.Tid = "a" }},
	"oid":                {`"a"`, func(s *claimset.Set) { s.Oid = "a" }},
	"sub":                {`"a"`, func(s *claimset.Set) { s.Sub = "a" }},
	"azp":                {`"a"`, func(s *claimset.Set) { s.Azp = "a" }},
	"azpacr":             {`"1"`, func(s *claimset.Set) { s.AzpACR = "1" }},
	"appid":              {`"a"`, func(s *claimset.Set) { s.AppID = "a" }},
	"appidacr":           {`"1"`, func(s *claimset.Set) { s.AppIDACR = "1" }},
	"idtyp":              {`"app"`, func(s *claimset.Set) { s.IDTyp, s.HasIDTyp = "app", true }},
	"scp":                {`"a b"`, func(s *claimset.Set) { s.Scp, s.HasScp, s.Scopes = "a b", true, []string{"a", "b"} }},
	"roles":              {`["a","b"]`, func(s *claimset.Set) { s.Roles = []string{"a", "b"} }},
	"cnf":                {`{}`, func(s *claimset.Set) { s.Cnf = true }},
	"nonce":              {`"a"`, func(s *claimset.Set) { s.IDTokenClaim = "nonce" }},
	"at_hash":            {`"a"`, func(s *claimset.Set) { s.IDTokenClaim = "at_hash" }},
	"c_hash":             {`"a"`, func(s *claimset.Set) { s.IDTokenClaim = "c_hash" }},
	"groups":             {`["a"]`, func(s *claimset.Set) { s.Groups = []string{"a"} }},
	"hasgroups":          {`true`, func(s *claimset.Set) { s.GroupsOverage = true }},
	"groups:src1":        {`"a"`, func(s *claimset.Set) { s.GroupsOverage = true }},
	"_claim_names":       {`{"groups":"src1"}`, func(s *claimset.Set) { s.GroupsOverage = true }},
	"wids":               {`["a"]`, func(s *claimset.Set) { s.Wids = []string{"a"} }},
	"acrs":               {`["c1"]`, func(s *claimset.Set) { s.ACRs = []string{"c1"} }},
	"xms_cc":             {`["cp1"]`, func(s *claimset.Set) { s.XmsCC = []string{"cp1"} }},
	"acr":                {`"a"`, func(s *claimset.Set) { s.ACR = "a" }},
	"tfp":                {`"a"`, func(s *claimset.Set) { s.TFP = "a" }},
	"acct":               {`1`, func(s *claimset.Set) { s.Acct, s.HasAcct = 1, true }},
	"idp":                {`"a"`, func(s *claimset.Set) { s.IDP = "a" }},
	"uti":                {`"a"`, func(s *claimset.Set) { s.UTI = "a" }},
	"sid":                {`"a"`, func(s *claimset.Set) { s.SID = "a" }},
	"xms_act_fct":        {`"11"`, func(s *claimset.Set) { s.XmsActFct = "11" }},
	"xms_sub_fct":        {`"13"`, func(s *claimset.Set) { s.XmsSubFct = "13" }},
	"xms_par_app_azp":    {`"a"`, func(s *claimset.Set) { s.XmsParAppAzp, s.HasXmsParAppAzp = "a", true }},
	"name":               {`"a"`, func(s *claimset.Set) { s.Name = "a" }},
	"preferred_username": {`"a"`, func(s *claimset.Set) { s.PreferredUsername = "a" }},
	"upn":                {`"a"`, func(s *claimset.Set) { s.UPN = "a" }},
	"unique_name":        {`"a"`, func(s *claimset.Set) { s.UniqueName = "a" }},
	"email":              {`"a"`, func(s *claimset.Set) { s.Email = "a" }},
	"login_hint":         {`"a"`, func(s *claimset.Set) { s.LoginHint = "a" }},
	"xms_edov":           {`true`, func(s *claimset.Set) { s.XmsEDOV = true }},
}

// read reads text without room for lists.
func read(text string) (claimset.Set, error) { return claimset.Read(text, nil) }

func TestEachClaimHasAField(t *testing.T) {
	for name, claim := range claims {
		var want claimset.Set
		claim.set(&want)
		for _, text := range []string{
			`{"` + name + `":` + claim.value + `}`,
			// The same with every letter of the name escaped, among other claims.
			` { "x" : [{}] , "` + escaped(name) + `" : ` + claim.value + ` , "y" : null } `,
		} {
			if got, err := read(text); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v and %v, want %+v", text, got, err, want)
			}
		}
	}
	// Every field has its claim above.
	all := reflect.ValueOf(new(claimset.Set)).Elem()
	for _, claim := range claims {
		claim.set(all.Addr().Interface().(*claimset.Set))
	}
	for i := range all.NumField() {
		if all.Field(i).IsZero() {
			t.Errorf("no claim here sets the field %s", all.Type().Field(i).Name)
		}
	}
}

func escaped(name string) string {
	var b strings.Builder
	for _, c := range name {
		fmt.Fprintf(&b, `\u%04x`, c)
	}
	return b.String()
}

// encoding/json would fold the case of names; here another name is another claim, never read and never refused.
func TestNamesAreExact(t *testing.T) {
	for name, claim := range claims {
		for _, other := range []string{strings.ToUpper(name), " " + name, name + " ", name + `\u0000`, strings.Replace(name, "s", "ſ", 1), strings.Replace(name, "o", "о", 1)} {
			if other == name {
				continue
			}
			if got, err := read(`{"` + other + `":` + claim.value + `}`); err != nil || !reflect.DeepEqual(got, claimset.Set{}) {
				t.Errorf("%q: got %+v and %v, want nothing read", other, got, err)
			}
		}
	}
}

func TestClaimsOfTheWrongType(t *testing.T) {
	values := map[string]string{"string": `"x"`, "number": `1`, "truth": `true`, "list": `["x"]`, "object": `{"x":1}`, "null": `null`}
	fits := map[string][]string{
		"aud": {"string", "list"}, "exp": {"number"}, "nbf": {"number"}, "iat": {"number"}, "acct": {"number"},
		"roles": {"list"}, "groups": {"list"}, "wids": {"list"}, "acrs": {"list"}, "xms_cc": {"list"}, "_claim_names": {"object"},
	}
	for _, name := range []string{"cnf", "nonce", "at_hash", "c_hash", "hasgroups", "groups:src1", "xms_edov"} {
		fits[name] = []string{"string", "number", "truth", "list", "object"}
	}
	for name := range claims {
		if fits[name] == nil {
			fits[name] = []string{"string"}
		}
		for kind, value := range values {
			_, err := read(`{"` + name + `":` + value + `}`)
			if want := slices.Contains(fits[name], kind); (err == nil) != want || err != nil && (reasonOf(err) != refuse.Claims || !strings.Contains(err.Error(), name)) {
				t.Errorf("%s as %s: got %v, want it read: %v, or reason claims and a text that names the claim", name, kind, err, want)
			}
		}
	}
	for _, name := range []string{"aud", "roles", "groups", "wids", "acrs", "xms_cc"} {
		for _, list := range []string{`[null]`, `["x",null]`, `["x",1]`, `[["x"]]`, `[{}]`, `["x",true]`} {
			if _, err := read(`{"` + name + `":` + list + `}`); reasonOf(err) != refuse.Claims || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: got %v, want reason claims and a text that names the claim", name, list, err)
			}
		}
	}
	for _, value := range values {
		if _, err := read(`{"extension_x":` + value + `}`); err != nil {
			t.Errorf("a claim that is not known here, %s: got %v, want no error", value, err)
		}
	}
}

func reasonOf(err error) string {
	var refused *refuse.Error
	if !errors.As(err, &refused) {
		return ""
	}
	return refused.Reason
}

func TestDates(t *testing.T) {
	for text, want := range map[string]time.Time{
		`0`:                    time.Unix(0, 0),
		`4102444800`:           time.Unix(4102444800, 0),
		`4102444800.25`:        time.Unix(4102444800, 250_000_000),
		`4.1e9`:                time.Unix(4_100_000_000, 0),
		`41E+8`:                time.Unix(4_100_000_000, 0),
		`0.5`:                  time.Unix(0, 500_000_000),
		`-0`:                   time.Unix(0, 0),
		`253402300799`:         time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		`253402300799.5`:       {},
		`253402300800`:         {},
		`4102444800000`:        {},
		`9223372036854775807`:  {},
		`9223372036854775808`:  {},
		`18446744073709551616`: {},
		`1e300`:                {},
		`1e999`:                {},
		`-1`:                   {},
		`-0.5`:                 {},
		`-9223372036854775808`: {},
		`04102444800`:          {},
		`+1`:                   {},
		`.5`:                   {},
		`1.`:                   {},
		`0x1`:                  {},
		`1_000`:                {},
		`NaN`:                  {},
		`Infinity`:             {},
		`"4102444800"`:         {},
		`[4102444800]`:         {},
		`1 2`:                  {},
	} {
		for _, name := range []string{"exp", "nbf", "iat"} {
			set, err := read(`{"` + name + `":` + text + `}`)
			got := map[string]time.Time{"exp": set.Exp, "nbf": set.Nbf, "iat": set.Iat}[name]
			if (err == nil) == want.IsZero() || err == nil && !got.Equal(want) {
				t.Errorf("%s %s: got %v and %v, want %v (zero: an error)", name, text, got, err, want)
			}
		}
	}
}

func TestScopes(t *testing.T) {
	for scp, want := range map[string][]string{
		``:              nil,
		` `:             nil,
		`/`:             nil,
		` / `:           nil,
		`a`:             {"a"},
		`a b`:           {"a", "b"},
		`  a   b  `:     {"a", "b"},
		`a /`:           {"a", "/"},
		`/ /`:           {"/", "/"},
		`a\tb`:          {"a\tb"},
		`a\u00a0b`:      {"a\u00a0b"},
		`a,b`:           {"a,b"},
		`Orders.Read a`: {"Orders.Read", "a"},
	} {
		got, err := read(`{"scp":"` + scp + `"}`)
		if err != nil || !slices.Equal(got.Scopes, want) || !got.HasScp {
			t.Errorf("%q: got %q and %v, want %q", scp, got.Scopes, err, want)
		}
	}
}

func TestAudiences(t *testing.T) {
	for text, want := range map[string]struct {
		first string
		count int
	}{
		`"a"`: {"a", 1}, `["a"]`: {"a", 1}, `["a","b"]`: {"a", 2}, `["a","a"]`: {"a", 2}, `[]`: {"", 0}, `""`: {"", 1}, `[""]`: {"", 1},
	} {
		if got, err := read(`{"aud":` + text + `}`); err != nil || got.Aud != want.first || got.AudCount != want.count {
			t.Errorf("%s: got %q of %d and %v, want %q of %d", text, got.Aud, got.AudCount, err, want.first, want.count)
		}
	}
}

// hasgroups and xms_edov are said in several ways, and either of two claims says that groups were left out.
func TestTruths(t *testing.T) {
	for text, want := range map[string]bool{
		`true`: true, `1`: true, `"1"`: true, `"true"`: true,
		`false`: false, `0`: false, `"0"`: false, `""`: false, `"yes"`: false, `"TRUE"`: false, `1.0`: false, `[true]`: false, `{}`: false,
	} {
		got, err := read(`{"hasgroups":` + text + `,"xms_edov":` + text + `}`)
		if err != nil || got.GroupsOverage != want || got.XmsEDOV != want {
			t.Errorf("%s: got %v, %v and %v, want %v", text, got.GroupsOverage, got.XmsEDOV, err, want)
		}
	}
	for text, want := range map[string]bool{
		`{"_claim_names":{"groups":"src1"},"hasgroups":false}`:         true,
		`{"hasgroups":false,"_claim_names":{"roles":"a","groups":[]}}`: true,
		`{"_claim_names":{"roles":"src1"}}`:                            false,
		`{"_claim_names":{"x":{"groups":"src1"}}}`:                     false,
		`{"_claim_names":{"Groups":"src1"}}`:                           false,
		`{"groups:src1":0}`:                                            true,
		`{"hasgroups":true,"groups":["a"]}`:                            true,
	} {
		if got, err := read(text); err != nil || got.GroupsOverage != want {
			t.Errorf("%s: got overage %v and %v, want %v", text, got.GroupsOverage, err, want)
		}
	}
}

// A text that two readers could understand differently is refused, whatever it says.
func TestTextsThatAreNoClaimSet(t *testing.T) {
	const good = `{"iss":"a"}`
	for _, text := range []string{
		``, ` `, `null`, `"iss"`, `[` + good + `]`, `1`, good + `{}`, good + `x`, good + "\x00", good + `,`, "\ufeff" + good, `x` + good, `{"iss":"a"`, `{"iss":"a",}`,
		`{"iss":"a","iss":"a"}`, `{"iss":"a","\u0069ss":"b"}`, `{"x":1,"x":1}`, `{"x":{"y":1,"y":1}}`, `{"x":[{"y":[{"z":1,"\u007a":1}]}]}`,
		`{"_claim_names":{"a":1,"a":1}}`, `{"cnf":{"kid":"a","kid":"b"}}`, "{\"x\":\"\xff\"}", "{\"x\xff\":1}", `{"x":"\ud800"}`, `{"\udc00":1}`, "{\"x\":\"\xc0\xaf\"}",
		`{/**/"iss":"a"}`, `{iss:"a"}`, `{'iss':'a'}`, `{"x":NaN}`, "{\"x\":\"\n\"}", "{\x00", `{"x":` + strings.Repeat("[", 12_000) + strings.Repeat("]", 12_000) + `}`,
	} {
		if _, err := read(text); reasonOf(err) != refuse.Claims || len(err.Error()) > 300 {
			t.Errorf("%.80q: got %v, want reason claims in a short text", text, err)
		}
	}
	if got, err := read(" \r\n\t{ \"iss\" : \"a\" , \"x\" : {\"y\":1} , \"y\" : {\"x\":1} }\n"); err != nil || got.Iss != "a" {
		t.Errorf("got %+v and %v, want white space and one name in two objects to pass", got, err)
	}
}

// The first iss chooses who judges a token. Where there is none nobody will judge it, so that all of it is read.
func TestIssuer(t *testing.T) {
	for _, test := range []struct {
		payload, want string
		ok            bool
	}{
		{`{"aud":"a","iss":"b","x":1}`, "b", true},
		{`{"iss":"a","iss":"b"} and junk`, "a", true},
		{`{"x":{"y":1,"y":1},"iss":"a"}`, "a", true},
		{`{"aud":"a"}`, "", true},
		{`{"iss":"","x":[]}`, "", true},
		{`{"iss":1}`, "", false},
		{`{"iss":null}`, "", false},
		{`{"aud":"a","aud":"b"}`, "", false},
		{`{"x":{"y":1,"\u0079":1}}`, "", false},
		{`{"exp":1}{"iss":"a"}`, "", false},
		{`{"iss":""} and junk`, "", false},
		{`{"exp":1`, "", false},
		{`["iss","a"]`, "", false},
	} {
		got, err := claimset.Issuer(test.payload)
		if got != test.want || (err == nil) != test.ok || err != nil && reasonOf(err) != refuse.Claims {
			t.Errorf("%s: got %q and %v, want %q and reason claims: %v", test.payload, got, err, test.want, !test.ok)
		}
	}
}

// What was read before an error is for the log, where it names the token.
func TestAnErrorKeepsWhatWasReadBefore(t *testing.T) {
	got, err := read(`{"tid":"a","uti":"b","exp":"x","azp":"c"}`)
	if err == nil || got.Tid != "a" || got.UTI != "b" || got.Azp != "" {
		t.Errorf("got %+v and %v, want tid and uti, and nothing behind exp", got, err)
	}
}

// The lists of a set share the room that they are given, but an entry that is appended to one must not be another's.
func TestListsInARoom(t *testing.T) {
	const text = `{"groups":["g1","g2"],"roles":["r1"],"scp":"s1 s2","wids":["w1"],"aud":["x"],"acrs":["c1"]}`
	for size := range 10 {
		room := make([]string, size)
		set, err := claimset.Read(text, room)
		if err != nil {
			t.Fatalf("room for %d: got %v, want no error", size, err)
		}
		lists := map[string]*[]string{"g1 g2": &set.Groups, "r1": &set.Roles, "s1 s2": &set.Scopes, "w1": &set.Wids, "c1": &set.ACRs}
		for range 2 {
			for want, list := range lists {
				if got := strings.Join(*list, " "); got != want {
					t.Errorf("room for %d: got %q, want %q", size, got, want)
				}
				_ = append(*list, "appended")
			}
		}
	}
}
