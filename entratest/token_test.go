package entratest_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra/entratest"
)

func TestTokensAreSignedByAPublishedKey(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name    string
		options []entratest.TokenOption
		segment string
		issuer  string // of the key
	}{
		{"a default token", nil, entratest.TenantID, "https://login.microsoftonline.com/{tenantid}/v2.0"},
		{"a version 1.0 token", []entratest.TokenOption{entratest.V1()}, "organizations", "https://login.microsoftonline.com/{tenantid}/v2.0"},
		{"an app token", []entratest.TokenOption{entratest.App("x")}, "common", "https://login.microsoftonline.com/{tenantid}/v2.0"},
		{"a personal account's token", []entratest.TokenOption{entratest.Personal()}, "consumers",
			"https://login.microsoftonline.com/" + entratest.PersonalTenantID + "/v2.0"},
		{"a personal account's token, by common", []entratest.TokenOption{entratest.Personal()}, "common",
			"https://login.microsoftonline.com/" + entratest.PersonalTenantID + "/v2.0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			token := tenant.Token(row.options...)
			key := published(t, tenant.Client(), loginHost+row.segment+keysPath, token)
			if !verifies(t, publicKey(t, key), token) {
				t.Error("the published key does not verify the token")
			}
			if key["issuer"] != row.issuer {
				t.Errorf("got key issuer %v, want %v", key["issuer"], row.issuer)
			}
		})
	}
}

func TestClaimSets(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		name    string
		options []entratest.TokenOption
		claims  string // the names, sorted
		values  map[string]any
	}{
		{
			"version 2.0, delegated", nil,
			"aio aud azp azpacr exp iat iss name nbf oid preferred_username rh scp sid sub tid uti ver",
			map[string]any{"aud": entratest.APIClientID, "iss": "https://login.microsoftonline.com/" + entratest.TenantID + "/v2.0",
				"azp": entratest.ClientID, "azpacr": "0", "scp": "Orders.Read", "oid": entratest.AliceObjectID, "ver": "2.0",
				"tid": entratest.TenantID, "preferred_username": "alice@contoso.example", "name": "Alice Example"},
		},
		{
			"version 1.0, delegated", []entratest.TokenOption{entratest.V1()},
			"acr aio amr appid appidacr aud exp family_name given_name iat ipaddr iss name nbf oid rh scp sid sub tid unique_name upn uti ver",
			map[string]any{"aud": entratest.APIURI, "iss": "https://sts.windows.net/" + entratest.TenantID + "/",
				"appid": entratest.ClientID, "appidacr": "0", "acr": "1", "ver": "1.0", "upn": "alice@contoso.example"},
		},
		{
			"version 2.0, app-only", []entratest.TokenOption{entratest.App("Orders.Read.All")},
			"aio aud azp azpacr exp iat idtyp iss nbf oid rh roles sub tid uti ver",
			map[string]any{"idtyp": "app", "azpacr": "1", "roles": []any{"Orders.Read.All"}},
		},
		{
			"version 1.0, app-only without roles", []entratest.TokenOption{entratest.App(), entratest.V1()},
			"aio appid appidacr aud exp iat idp idtyp iss nbf oid rh sub tid uti ver",
			map[string]any{"idp": "https://sts.windows.net/" + entratest.TenantID + "/", "appidacr": "1"},
		},
		{
			"version 2.0, ID token", []entratest.TokenOption{entratest.IDToken(), entratest.Nonce("n")},
			"aio aud exp iat iss name nbf nonce oid preferred_username rh sid sub tid uti ver",
			map[string]any{"aud": entratest.APIClientID, "nonce": "n"},
		},
		{
			"an ID token for the calling app", []entratest.TokenOption{entratest.IDToken(), entratest.CallingApp(entratest.SPAClientID)},
			"aio aud exp iat iss name nbf oid preferred_username rh sid sub tid uti ver",
			map[string]any{"aud": entratest.SPAClientID},
		},
		{
			"a guest with roles", []entratest.TokenOption{entratest.Guest(), entratest.Roles("Orders.Admin"), entratest.User("bob")},
			"acct aio aud azp azpacr email exp iat idp iss name nbf oid preferred_username rh roles scp sid sub tid uti ver",
			map[string]any{"acct": 1.0, "roles": []any{"Orders.Admin"}, "oid": entratest.BobObjectID},
		},
		{
			"overage drops groups", []entratest.TokenOption{entratest.Groups("g"), entratest.Overage()},
			"_claim_names _claim_sources aio aud azp azpacr exp iat iss name nbf oid preferred_username rh scp sid sub tid uti ver",
			map[string]any{"_claim_names": map[string]any{"groups": "src1"}},
		},
		{
			"step-up, capability, groups", []entratest.TokenOption{entratest.AuthContext("c1", "c2"), entratest.Capabilities("cp1"), entratest.Groups("g")},
			"acrs aio aud azp azpacr exp groups iat iss name nbf oid preferred_username rh scp sid sub tid uti ver xms_cc",
			map[string]any{"acrs": []any{"c1", "c2"}, "xms_cc": []any{"cp1"}, "groups": []any{"g"}},
		},
		{
			"bound, without scopes", []entratest.TokenOption{entratest.Bound(), entratest.Scopes()},
			"aio aud azp azpacr cnf exp iat iss name nbf oid preferred_username rh sid sub tid uti ver", nil,
		},
		{
			"another tenant, audience and client",
			[]entratest.TokenOption{entratest.Tenant(entratest.OtherTenantID), entratest.Audience("api://x"), entratest.CallingApp("y"), entratest.Scopes("A", "B")},
			"aio aud azp azpacr exp iat iss name nbf oid preferred_username rh scp sid sub tid uti ver",
			map[string]any{"aud": "api://x", "azp": "y", "tid": entratest.OtherTenantID, "scp": "A B",
				"iss": "https://login.microsoftonline.com/" + entratest.OtherTenantID + "/v2.0"},
		},
		{
			"claims changed, added and removed",
			[]entratest.TokenOption{entratest.Claim("tid", nil), entratest.Claim("x", 1), entratest.Without("uti", "rh", "aio")},
			"aud azp azpacr exp iat iss name nbf oid preferred_username scp sid sub tid ver x",
			map[string]any{"tid": nil, "x": 1.0},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, claims := split(t, tenant.Token(row.options...))
			if got := strings.Join(names(claims), " "); got != row.claims {
				t.Errorf("got claims  %s\nwant claims %s", got, row.claims)
			}
			for name, want := range row.values {
				if got := claims[name]; !reflect.DeepEqual(got, want) {
					t.Errorf("%s: got %v, want %v", name, got, want)
				}
			}
			if app := claims["idtyp"] == "app"; app != (claims["oid"] == claims["sub"]) {
				t.Errorf("idtyp %v, but oid %v and sub %v", claims["idtyp"], claims["oid"], claims["sub"])
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	tenant := entratest.New(t)
	kid := tenant.Key().ID()
	for _, row := range []struct {
		name    string
		options []entratest.TokenOption
		want    map[string]any
	}{
		{"version 2.0", nil, map[string]any{"typ": "JWT", "alg": "RS256", "kid": kid}},
		{"version 1.0 repeats the key ID as x5t", []entratest.TokenOption{entratest.V1()},
			map[string]any{"typ": "JWT", "alg": "RS256", "kid": kid, "x5t": kid}},
		{"changed", []entratest.TokenOption{entratest.Header("crit", []string{"x"}), entratest.WithoutHeader("kid", "typ")},
			map[string]any{"alg": "RS256", "crit": []any{"x"}}},
		{"signed by an unknown key", []entratest.TokenOption{entratest.SignedBy(tenant.UnknownKey())},
			map[string]any{"typ": "JWT", "alg": "RS256", "kid": tenant.UnknownKey().ID()}},
		{"raw", []entratest.TokenOption{entratest.RawHeader([]byte(`{"alg":"RS256","alg":"RS256"}`))}, map[string]any{"alg": "RS256"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, _ := split(t, tenant.Token(row.options...))
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
	token := tenant.Token(entratest.RawPayload([]byte(`{"a":1,"a":2}`)))
	if got := string(unbase64(t, strings.Split(token, ".")[1])); got != `{"a":1,"a":2}` {
		t.Errorf("RawPayload: got %s", got)
	}
	if !verifies(t, tenant.Key().PublicKey(), token) {
		t.Error("RawPayload: the signature does not verify")
	}
}

func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t)
		now := time.Now().Unix()
		at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, row := range []struct {
			name     string
			options  []entratest.TokenOption
			iat, exp int64
		}{
			{"default", nil, now, now + 3600},
			{"expired", []entratest.TokenOption{entratest.Expired()}, now - 7200, now - 3600},
			{"not yet valid", []entratest.TokenOption{entratest.NotYetValid()}, now + 3600, now + 7200},
			{"lifetime", []entratest.TokenOption{entratest.Lifetime(24 * time.Hour)}, now, now + 86400},
			{"issued at", []entratest.TokenOption{entratest.IssuedAt(at)}, at.Unix(), at.Unix() + 3600},
		} {
			_, claims := split(t, tenant.Token(row.options...))
			if claims["iat"] != float64(row.iat) || claims["nbf"] != float64(row.iat) || claims["exp"] != float64(row.exp) {
				t.Errorf("%s: got iat %v, nbf %v, exp %v; want %d, %d, %d",
					row.name, claims["iat"], claims["nbf"], claims["exp"], row.iat, row.iat, row.exp)
			}
		}
	})
}

func TestGraphTokensVerifyOnlyWithTheHashedNonce(t *testing.T) {
	tenant := entratest.New(t)
	token := tenant.Token(entratest.Graph())
	header, claims := split(t, token)
	if claims["aud"] != entratest.GraphClientID || claims["ver"] != "1.0" {
		t.Errorf("got aud %v, ver %v; want Graph's, 1.0", claims["aud"], claims["ver"])
	}
	if verifies(t, tenant.Key().PublicKey(), token) {
		t.Error("the token verifies as it is; Graph's do not")
	}
	parts := strings.Split(token, ".")
	raw := string(unbase64(t, parts[0]))
	nonce := header["nonce"].(string)
	digest := sha256.Sum256([]byte(nonce))
	parts[0] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(raw, nonce, base64.RawURLEncoding.EncodeToString(digest[:]), 1)))
	if !verifies(t, tenant.Key().PublicKey(), strings.Join(parts, ".")) {
		t.Error("the token does not verify with the hashed nonce either")
	}
}

func TestSignFollowsTheHeader(t *testing.T) {
	key := entratest.New(t).Key()
	for alg, check := range map[string]func(input string, signature []byte) error{
		"PS256": func(input string, signature []byte) error {
			digest := sha256.Sum256([]byte(input))
			return rsa.VerifyPSS(key.PublicKey(), crypto.SHA256, digest[:], signature, nil)
		},
		"RS512": func(input string, signature []byte) error {
			h := crypto.SHA512.New()
			h.Write([]byte(input))
			return rsa.VerifyPKCS1v15(key.PublicKey(), crypto.SHA512, h.Sum(nil), signature)
		},
	} {
		header, _ := json.Marshal(map[string]string{"alg": alg})
		token := key.Sign(header, []byte("{}"))
		i := strings.LastIndexByte(token, '.')
		if err := check(token[:i], unbase64(t, token[i+1:])); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	if token := key.Sign([]byte(`{"alg":"none"}`), nil); !strings.HasSuffix(token, ".") {
		t.Errorf("none: got %s, want an empty signature", token)
	}
	if got := len(unbase64(t, strings.Split(key.Sign([]byte(`{"alg":"HS256"}`), nil), ".")[2])); got != 32 {
		t.Errorf("HS256: got %d bytes, want 32", got)
	}
	if !verifies(t, key.PublicKey(), key.Sign([]byte("no JSON"), []byte{0xff})) {
		t.Error("raw bytes are not signed as RS256")
	}
}

func TestTokenIDsDiffer(t *testing.T) {
	tenant := entratest.New(t)
	var ids []string
	for range 3 {
		_, claims := split(t, tenant.Token())
		ids = append(ids, claims["uti"].(string))
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 3 {
		t.Errorf("got token IDs %q, want three different ones", ids)
	}
}
