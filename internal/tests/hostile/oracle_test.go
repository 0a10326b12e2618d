package hostile_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/strictjson/plainjson"
)

// reading is a claim set as encoding/json reads it: by exact names, without any of the library's code.
type reading struct {
	t       *testing.T
	members map[string]json.RawMessage
}

func (r reading) has(name string) bool { return r.members[name] != nil }

// text returns a claim that must be a string if it is there.
func (r reading) text(name string) string {
	value, isText := plainjson.Text(r.members, name)
	if r.has(name) && !isText {
		r.t.Errorf("accepted, but %s is %s, want a string", name, r.members[name])
	}
	return value
}

// texts returns a claim that must be an array of strings if it is there.
func (r reading) texts(name string) (list []string) {
	if !r.has(name) {
		return nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(r.members[name], &raw); err != nil || raw == nil {
		r.t.Errorf("accepted, but %s is %s, want an array", name, r.members[name])
	}
	for _, element := range raw {
		value, isText := plainjson.Text(map[string]json.RawMessage{"": element}, "")
		if !isText {
			r.t.Errorf("accepted, but %s has the element %s, want a string", name, element)
		}
		list = append(list, value)
	}
	return list
}

// date returns a claim that must be a number of seconds from 1970 to 9999 if it is there.
func (r reading) date(name string) (seconds float64, at time.Time) {
	if !r.has(name) {
		return 0, time.Time{}
	}
	if err := json.Unmarshal(r.members[name], &seconds); err != nil || string(r.members[name]) == "null" || seconds < 0 || seconds > 253402300799 {
		r.t.Errorf("accepted, but %s is %s, want a number of seconds until the year 9999", name, r.members[name])
	}
	whole, fraction := math.Modf(seconds)
	return seconds, time.Unix(int64(whole), int64(fraction*1e9)).UTC()
}

func (r reading) audience() string {
	if raw := r.members["aud"]; raw != nil && raw[0] == '[' {
		if list := r.texts("aud"); len(list) == 1 {
			return list[0]
		}
		r.t.Errorf("accepted, but aud is %s, want one", raw)
	}
	return r.text("aud")
}

// client is who asked for the token.
func (r reading) client() (id, proof string) {
	if r.text("azp") == "" || r.text("ver") == "1.0" && r.text("appid") != "" {
		return r.text("appid"), r.text("appidacr")
	}
	return r.text("azp"), r.text("azpacr")
}

// scopes are the names in scp, which blanks separate (RFC 6749 section 3.3).
func (r reading) scopes() []string {
	scp := r.text("scp")
	if scp == "/" {
		return nil
	}
	return slices.DeleteFunc(strings.Split(scp, " "), func(name string) bool { return name == "" })
}

func (r reading) kind() entra.Kind {
	client, _ := r.client()
	idTokenOnly := r.has("nonce") || r.has("at_hash") || r.has("c_hash")
	idtyp, scoped := r.text("idtyp"), len(r.scopes()) > 0
	switch {
	case client == "" || idTokenOnly && !r.has("scp"):
		return entra.IDToken
	case idtyp == "app" && !scoped:
		return entra.AppToken
	case scoped && (!r.has("idtyp") || idtyp == "user"):
		return entra.UserToken
	case !r.has("idtyp") && !r.has("scp") && r.text("oid") == r.text("sub"):
		return entra.AppToken
	}
	return 0
}

// configuration is a Verifier of the fuzz tests and what it is configured to accept.
type configuration struct {
	verifier    *entra.Verifier
	tenants     []string // nil: any work or school tenant
	personal    bool
	idTokens    bool
	unpermitted bool
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// checkAccepted checks that claims which were accepted may be, and say what their text says.
func checkAccepted(t *testing.T, rules configuration, payload string, claims *entra.Claims) {
	members, err := plainjson.Object(payload)
	if err != nil {
		t.Fatalf("accepted, but a strict reading by encoding/json says %v", err)
	}
	r := reading{t, members}
	checkTimes(r, claims)
	checkIssuer(r, rules)
	checkKind(r, rules, claims)
	checkFields(r, claims)
}

func checkTimes(r reading, claims *entra.Claims) {
	now := float64(time.Now().UnixNano()) / 1e9
	exp, expiresAt := r.date("exp")
	nbf, notBefore := r.date("nbf")
	iat, issuedAt := r.date("iat")
	if !r.has("exp") || exp+60 < now-5 || nbf-60 > now || iat-60 > now || nbf > exp {
		r.t.Errorf("accepted at %v with exp %v, nbf %v and iat %v", now, exp, nbf, iat)
	}
	for _, date := range []struct{ got, want time.Time }{{claims.ExpiresAt, expiresAt}, {claims.NotBefore, notBefore}, {claims.IssuedAt, issuedAt}} {
		if !date.got.Equal(date.want) {
			r.t.Errorf("got date %v, want %v", date.got, date.want)
		}
	}
}

func checkIssuer(r reading, rules configuration) {
	tid, iss, ver := r.text("tid"), r.text("iss"), r.text("ver")
	personal := tid == entra.PersonalAccounts
	if !guid.MatchString(tid) || personal && !rules.personal || !personal && rules.tenants != nil && !slices.Contains(rules.tenants, tid) {
		r.t.Errorf("accepted with tid %q, want a configured tenant", tid)
	}
	v2 := iss == "https://login.microsoftonline.com/"+tid+"/v2.0" && ver == "2.0"
	v1 := iss == "https://sts.windows.net/"+tid+"/" && ver == "1.0" && !personal
	if !v1 && !v2 {
		r.t.Errorf("accepted with issuer %q of version %q for tenant %q", iss, ver, tid)
	}
	aud := strings.TrimSuffix(r.audience(), "/")
	if aud != entratest.APIClientID && aud != entratest.APIURI {
		r.t.Errorf("accepted with audience %q", aud)
	}
}

func checkKind(r reading, rules configuration, claims *entra.Claims) {
	kind := r.kind()
	switch {
	case kind == 0 || kind != claims.Kind:
		r.t.Errorf("accepted as %v, want %v", claims.Kind, kind)
	case r.has("cnf"):
		r.t.Errorf("accepted with cnf %s", r.members["cnf"])
	case kind == entra.IDToken && (!rules.idTokens || strings.TrimSuffix(r.audience(), "/") != entratest.APIClientID || r.has("scp") || r.has("idtyp")):
		r.t.Errorf("accepted as an ID token, with audience %q, scp %q and idtyp %q", r.audience(), r.text("scp"), r.text("idtyp"))
	case kind == entra.AppToken && len(r.texts("roles")) == 0 && !rules.unpermitted:
		r.t.Error("accepted without roles")
	case r.text("oid") == "" || r.text("sub") == "":
		r.t.Errorf("accepted with oid %q and sub %q", r.text("oid"), r.text("sub"))
	}
}

func checkFields(r reading, claims *entra.Claims) {
	client, proof := r.client()
	for name, field := range map[string]struct{ got, want string }{
		"TenantID": {claims.TenantID, r.text("tid")}, "ObjectID": {claims.ObjectID, r.text("oid")}, "Subject": {claims.Subject, r.text("sub")},
		"ClientID": {claims.ClientID, client}, "ClientAuth": {claims.ClientAuth, proof}, "Issuer": {claims.Issuer, r.text("iss")},
		"Audience": {claims.Audience, r.audience()}, "Version": {claims.Version, r.text("ver")}, "TokenID": {claims.TokenID, r.text("uti")},
		"SessionID": {claims.SessionID, r.text("sid")}, "Name": {claims.Name, r.text("name")}, "Email": {claims.Email, r.text("email")},
		"LoginHint": {claims.LoginHint, r.text("login_hint")}, "IdentityProvider": {claims.IdentityProvider, r.text("idp")},
		"AgentBlueprint": {claims.AgentBlueprint, r.text("xms_par_app_azp")},
	} {
		if field.got != field.want {
			r.t.Errorf("got %s %q, want %q", name, field.got, field.want)
		}
	}
	for name, field := range map[string]struct{ got, want []string }{
		"Scopes": {claims.Scopes, r.scopes()}, "Roles": {claims.Roles, r.texts("roles")}, "Groups": {claims.Groups, r.texts("groups")},
		"DirectoryRoles": {claims.DirectoryRoles, r.texts("wids")}, "AuthContexts": {claims.AuthContexts, r.texts("acrs")},
		"ClientCapabilities": {claims.ClientCapabilities, r.texts("xms_cc")},
	} {
		if !slices.Equal(field.got, field.want) {
			r.t.Errorf("got %s %q, want %q", name, field.got, field.want)
		}
	}
}

// checkSignature checks a token that was accepted: that it is the only text of itself, that nothing in its header asks
// for another reading, and that the key signed it.
func checkSignature(t *testing.T, token, kid string, key *rsa.PublicKey) (payload string) {
	segments := strings.Split(token, ".")
	if len(segments) != 3 || len(token) > 16<<10 {
		t.Fatalf("accepted with %d segments and %d bytes", len(segments), len(token))
	}
	var plain [3][]byte
	for i, segment := range segments {
		var err error
		plain[i], err = base64.RawURLEncoding.DecodeString(segment)
		if err != nil || base64.RawURLEncoding.EncodeToString(plain[i]) != segment {
			t.Fatalf("accepted with the segment %q, which is not canonical: %v", segment, err)
		}
	}
	members, err := plainjson.Object(string(plain[0]))
	if err != nil {
		t.Fatalf("accepted, but a strict reading of the header by encoding/json says %v", err)
	}
	r := reading{t, members}
	if typ := strings.ToLower(r.text("typ")); r.text("alg") != "RS256" || r.text("kid") != kid || r.has("typ") && typ != "jwt" && typ != "at+jwt" {
		t.Errorf("accepted with the header %s", plain[0])
	}
	for _, name := range []string{"crit", "b64", "zip", "cty", "nonce", "enc"} {
		if r.has(name) {
			t.Errorf("accepted with %s in the header", name)
		}
	}
	digest := sha256.Sum256([]byte(segments[0] + "." + segments[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], plain[2]); err != nil {
		t.Errorf("accepted with a signature of which crypto/rsa says %v", err)
	}
	return string(plain[1])
}
