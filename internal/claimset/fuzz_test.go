package claimset_test

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/strictjson/plainjson"
)

// FuzzPayload compares with a reading by encoding/json: the same texts are claim sets, and they say the same.
func FuzzPayload(f *testing.F) {
	for name, claim := range claims {
		f.Add([]byte(`{"` + name + `":` + claim.value + `}`))
		f.Add([]byte(`{"x":1,"` + escaped(name) + `":null}`))
	}
	for _, text := range []string{
		``, `{}`, `null`, `[]`, `{"exp":4102444800.5}`, `{"exp":1e999}`, `{"exp":-1}`, `{"exp":"1"}`, `{"aud":["a","b"]}`, `{"aud":[]}`, `{"aud":[null]}`, `{"scp":" a  / "}`,
		`{"hasgroups":"\u0031"}`, `{"hasgroups":1.0}`, `{"_claim_names":{"groups":1,"groups":1}}`, `{"_claim_names":{"x":{"groups":1}}}`, `{"roles":["a"],"ROLES":["b"]}`,
		`{"iss":"\ud83d\ude00"}`, `{"iss":"\ud800"}`, "{\"iss\":\"\xff\"}", `{"iss":"a","\u0069ss":"b"}`, `{"x":{"y":1,"y":1}}`, `{"iss":"a"}x`, "\ufeff{}", `{"acct":01}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		text := string(payload)
		if strings.Count(text, "[")+strings.Count(text, "{") > 9000 {
			return // Both readers have a limit near 10,000, not the same.
		}
		got, err := claimset.Read(text, make([]string, 3))
		want, ok := plainRead(text)
		switch {
		case (err == nil) != ok:
			t.Errorf("got %v, want a claim set: %v", err, ok)
		case err != nil:
			if reasonOf(err) != refuse.Claims || len(err.Error()) > 500 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' && r != '…' }) {
				t.Errorf("got %q, want reason claims in a short and printable text", err)
			}
		case !reflect.DeepEqual(got, want):
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// plain is a claim set as encoding/json reads it, and whether every claim so far had the right type.
type plain struct {
	members map[string]json.RawMessage
	ok      bool
}

func (p *plain) text(name string) string {
	value, isText := plainjson.Text(p.members, name)
	if p.members[name] != nil && !isText {
		p.ok = false
	}
	return value
}

func (p *plain) list(name string) (list []string) {
	raw := p.members[name]
	if raw == nil {
		return nil
	}
	var elements []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &elements) != nil {
		p.ok = false
	}
	list = []string{}
	for _, element := range elements {
		list = append(list, (&plain{map[string]json.RawMessage{"": element}, true}).text(""))
		p.ok = p.ok && element[0] == '"'
	}
	return list
}

func (p *plain) number(name string) (n float64) {
	if raw := p.members[name]; raw != nil && (raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') || json.Unmarshal(raw, &n) != nil) {
		p.ok = false
	}
	return n
}

func (p *plain) date(name string) time.Time {
	n := p.number(name)
	if p.members[name] == nil {
		return time.Time{}
	}
	if n < 0 || n > 253402300799 {
		p.ok = false
		return time.Time{}
	}
	whole, fraction := math.Modf(n)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC()
}

// any reports whether there is a claim of any value but null.
func (p *plain) any(name string) bool {
	if string(p.members[name]) == "null" {
		p.ok = false
	}
	return p.members[name] != nil
}

func (p *plain) truth(name string) bool {
	return p.any(name) && slices.Contains([]string{`true`, `1`, `"true"`, `"1"`}, string(p.members[name]))
}

func plainRead(text string) (s claimset.Set, ok bool) {
	members, err := plainjson.Object(text)
	if err != nil {
		return s, false
	}
	p := &plain{members, true}
	if raw := members["aud"]; raw != nil && raw[0] == '[' {
		list := p.list("aud")
		if s.AudCount = len(list); s.AudCount > 0 {
			s.Aud = list[0]
		}
	} else if s.Aud = p.text("aud"); raw != nil {
		s.AudCount = 1
	}
	s.Exp, s.Nbf, s.Iat, s.Acct, s.HasAcct = p.date("exp"), p.date("nbf"), p.date("iat"), p.number("acct"), members["acct"] != nil
	for name, field := range map[string]*string{
		"iss": &s.Iss, "ver": &s.Ver, "tid": &s.Tid, "oid": &s.Oid, "sub": &s.Sub, "azp": &s.Azp, "azpacr": &s.AzpACR, "appid": &s.AppID, "appidacr": &s.AppIDACR,
		"idtyp": &s.IDTyp, "scp": &s.Scp, "acr": &s.ACR, "tfp": &s.TFP, "idp": &s.IDP, "uti": &s.UTI, "sid": &s.SID, "xms_act_fct": &s.XmsActFct,
		"xms_sub_fct": &s.XmsSubFct, "xms_par_app_azp": &s.XmsParAppAzp, "name": &s.Name, "preferred_username": &s.PreferredUsername, "upn": &s.UPN,
		"unique_name": &s.UniqueName, "email": &s.Email, "login_hint": &s.LoginHint,
	} {
		*field = p.text(name)
	}
	for name, field := range map[string]*[]string{"roles": &s.Roles, "groups": &s.Groups, "wids": &s.Wids, "acrs": &s.ACRs, "xms_cc": &s.XmsCC} {
		*field = p.list(name)
	}
	s.HasIDTyp, s.HasScp, s.Cnf = members["idtyp"] != nil, members["scp"] != nil, p.any("cnf")
	s.HasXmsParAppAzp = members["xms_par_app_azp"] != nil
	for _, name := range strings.Split(s.Scp, " ") {
		if name != "" {
			s.Scopes = append(s.Scopes, name)
		}
	}
	if slices.Equal(s.Scopes, []string{"/"}) {
		s.Scopes = nil
	}
	// The last of several stands for all.
	last := -1
	for _, name := range []string{"nonce", "at_hash", "c_hash"} {
		if at := position(text, name); p.any(name) && at > last {
			s.IDTokenClaim, last = name, at
		}
	}
	s.GroupsOverage, s.XmsEDOV = p.truth("hasgroups"), p.truth("xms_edov")
	s.GroupsOverage = p.any("groups:src1") || s.GroupsOverage
	if raw := members["_claim_names"]; raw != nil {
		left, err := plainjson.Object(string(raw))
		p.ok = p.ok && err == nil
		s.GroupsOverage = s.GroupsOverage || left["groups"] != nil
	}
	return s, p.ok
}

// position returns how many members stand before the one of this name.
func position(text, name string) (at int) {
	decoder := json.NewDecoder(strings.NewReader(text))
	_, _ = decoder.Token() // An object, as plainjson found.
	for decoder.More() {
		if found, _ := decoder.Token(); found == name {
			return at
		}
		var value json.RawMessage
		_ = decoder.Decode(&value)
		at++
	}
	return -1
}
