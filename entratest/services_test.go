package entratest_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

const b2cAuthority = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/v2.0"

// checkClaims compares some claims; nil stands for one that is missing.
func checkClaims(t *testing.T, token string, want map[string]any) {
	t.Helper()
	_, claims := split(t, token)
	for name, value := range want {
		if !reflect.DeepEqual(claims[name], value) {
			t.Errorf("%s: got %v, want %v", name, claims[name], value)
		}
	}
}

// https://learn.microsoft.com/entra/agent-id/agent-token-claims
func TestAgentTokens(t *testing.T) {
	tenant := entratest.New(t)
	const blueprint = "b1b1b1b1-b1b1-4b1b-8b1b-b1b1b1b1b1b1"
	holds := func(claims map[string]any, name, number string) bool {
		text, _ := claims[name].(string)
		return strings.Contains(" "+text+" ", " "+number+" ")
	}
	for _, row := range []struct {
		name                           string
		options                        []entratest.TokenOption
		actor, subject, agentsAccount  bool
		idtyp, blueprint, proof, scope any
	}{
		{"no agent", nil, false, false, false, nil, nil, "0", "Orders.Read"},
		{"an agent by itself", []entratest.TokenOption{entratest.App("Orders.Read.All"), entratest.Agent()},
			true, true, false, "app", nil, "2", nil},
		{"an agent on behalf of a person", []entratest.TokenOption{entratest.Agent()},
			true, false, false, "user", nil, "2", "Orders.Read"},
		{"an agent with an account of its own", []entratest.TokenOption{entratest.AgentUser(), entratest.User("bob")},
			true, false, true, "user", nil, "2", "Orders.Read"},
		{"the same, with Agent beside it", []entratest.TokenOption{entratest.AgentUser(), entratest.Agent()},
			true, false, true, "user", nil, "2", "Orders.Read"},
		{"the blueprint alone", []entratest.TokenOption{entratest.App("Orders.Read.All"), entratest.AgentBlueprint(blueprint)},
			false, false, false, "app", blueprint, "1", nil},
		{"an agent with its blueprint, version 1.0", []entratest.TokenOption{entratest.V1(), entratest.Agent(), entratest.AgentBlueprint(blueprint)},
			true, false, false, "user", blueprint, nil, "Orders.Read"},
	} {
		t.Run(row.name, func(t *testing.T) {
			token := tenant.Token(row.options...)
			checkClaims(t, token, map[string]any{"idtyp": row.idtyp, "xms_par_app_azp": row.blueprint, "azpacr": row.proof, "scp": row.scope})
			_, claims := split(t, token)
			if got := holds(claims, "xms_act_fct", "11"); got != row.actor {
				t.Errorf("got xms_act_fct %v, want 11 in it: %v", claims["xms_act_fct"], row.actor)
			}
			if got := holds(claims, "xms_sub_fct", "11"); got != row.subject {
				t.Errorf("got xms_sub_fct %v, want 11 in it: %v", claims["xms_sub_fct"], row.subject)
			}
			if got := holds(claims, "xms_sub_fct", "13"); got != row.agentsAccount {
				t.Errorf("got xms_sub_fct %v, want 13 in it: %v", claims["xms_sub_fct"], row.agentsAccount)
			}
		})
	}
}

// https://learn.microsoft.com/graph/change-notifications-with-resource-data
func TestChangeNotificationTokens(t *testing.T) {
	tenant := entratest.New(t)
	token := tenant.Token(entratest.ChangeNotification())
	_, claims := split(t, token)
	if got, want := strings.Join(names(claims), " "), "aio appid appidacr aud exp iat idp iss nbf tid uti ver"; got != want {
		t.Errorf("got claims %s, want %s", got, want)
	}
	checkClaims(t, token, map[string]any{
		"aud":      entratest.APIClientID,
		"iss":      "https://sts.windows.net/" + entratest.TenantID + "/",
		"appid":    entratest.ChangeTrackingClientID,
		"appidacr": "2",
		"ver":      "1.0",
		"exp":      claims["iat"].(float64) + 8*3600,
	})
	newer := tenant.Token(entratest.ChangeNotification(), entratest.V2(), entratest.Tenant(entratest.OtherTenantID))
	checkClaims(t, newer, map[string]any{
		"aud": entratest.APIClientID, "azp": entratest.ChangeTrackingClientID, "azpacr": "2", "tid": entratest.OtherTenantID,
		"oid": nil, "sub": nil, "appid": nil, "idtyp": nil,
	})
}

// https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview
func TestB2CTokens(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{Authority: b2cAuthority})
	const nobody = "Not supported currently. Use oid claim."
	checkClaims(t, tenant.Token(), map[string]any{"sub": entratest.AliceObjectID, "oid": nil, "tfp": "B2C_1_signin", "ver": "1.0", "azpacr": nil})
	for user, id := range map[string]string{"alice": entratest.AliceObjectID, "bob": entratest.BobObjectID} {
		checkClaims(t, tenant.Token(entratest.SubjectNotSupported(), entratest.User(user)), map[string]any{"sub": nobody, "oid": id})
		checkClaims(t, tenant.Token(entratest.SubjectNotSupported(), entratest.User(user), entratest.IDToken()), map[string]any{"sub": nobody, "oid": id})
		checkClaims(t, tenant.Token(entratest.User(user), entratest.Claim("oid", id)), map[string]any{"sub": id, "oid": id})
	}
	_, daemon := split(t, tenant.Token(entratest.App("Orders.Read.All", "Orders.Write.All")))
	if got, want := strings.Join(names(daemon), " "), "aud azp azpacr exp iat iss nbf oid scp sub tid ver"; got != want {
		t.Errorf("an application: got claims %s, want %s", got, want)
	}
	if daemon["scp"] != "Orders.Read.All Orders.Write.All" || daemon["ver"] != "2.0" || daemon["azpacr"] != "1" || daemon["iss"] != "https://contoso.b2clogin.com/"+entratest.TenantID+"/v2.0/" {
		t.Errorf("an application: got %v", daemon)
	}
	if _, claims := split(t, tenant.Token(entratest.App())); claims["scp"] != nil {
		t.Errorf("an application without roles: got scp %v, want none", claims["scp"])
	}
	tb := &spyTB{}
	entratest.New(tb).Token(entratest.SubjectNotSupported())
	if len(tb.failures) != 1 || !strings.Contains(tb.failures[0], "B2C") {
		t.Errorf("without B2C: got failures %q, want one that names it", tb.failures)
	}
}

// anyPath answers every path of the authority as the sample policy's.
type anyPath struct {
	tenant *entratest.Server
	name   string
}

func (a anyPath) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Path = strings.Replace(r.URL.Path, "/"+a.name+"/", "/B2C_1_signin/", 1)
	return a.tenant.Transport().RoundTrip(r)
}

func TestAVerifierHasTheSamePoliciesInMind(t *testing.T) {
	issuer := entratest.New(t, entratest.Config{Authority: b2cAuthority})
	for name, want := range map[string]bool{
		"B2C_1_signin": true, "b2c_1_signin": true, "B2C_1A_signup": true, "b2c_1a_Signup": true, "B2C_1_sign-in_2": true,
		"B2C_1_": false, "B2C_1A_": false, "B2C_1A": false, "B2C_1": false, "B2C_1_sign.in": false,
		"B2C_1_ſignin": false, "B2C_1signin": false, "B2C_2_signin": false, "signin": false, "xB2C_1_signin": false,
	} {
		authority := "https://contoso.b2clogin.com/contoso.onmicrosoft.com/" + name + "/v2.0"
		server, err := entratest.NewServer(entratest.Config{Authority: authority})
		if err == nil {
			server.Close()
		}
		if got := err == nil; got != want {
			t.Errorf("%s: the fake tenant takes it for a policy: %v (%v), want %v", name, got, err, want)
		}
		verifier, err := entra.NewVerifier(entra.Options{
			Authority: authority, ClientID: entratest.APIClientID, HTTPClient: &http.Client{Transport: anyPath{issuer, name}},
		})
		if err != nil {
			t.Fatal(err)
		}
		// Where the path names a policy, a token of another one is refused.
		_, err = verifier.Verify(t.Context(), issuer.Token(entratest.Claim("tfp", "B2C_1_another")))
		if got := err != nil; got != want {
			t.Errorf("%s: a Verifier takes it for a policy: %v (%v), want %v", name, got, err, want)
		}
	}
}

// RFC 7515 section 4: names are compared exactly.
func TestSignReadsTheAlgorithmExactly(t *testing.T) {
	key := entratest.NewKey()
	for _, row := range []struct {
		header string
		signed bool // with RS256
	}{
		{`{"alg":"RS256"}`, true},
		{`{"alg":"none"}`, false},
		{`{"ALG":"none"}`, true},
		{`{"Alg":"none"}`, true},
		{`{"alg":"RS256","ALG":"none"}`, true},
		{`{"ALG":"none","alg":"RS256"}`, true},
		{`{"alg":"NONE"}`, true},
		{`{"alg":"none "}`, true},
		{`{"\u0061lg":"none"}`, false},
		{`{"alg":"none","alg":"RS256"}`, true},
		{`{"alg":"RS256","alg":"none"}`, false},
		{`{"alg":["none"]}`, true},
		{`{"alg":"none"} x`, true},
		{`"none"`, true},
		{``, true},
	} {
		token := key.Sign([]byte(row.header), []byte(`{}`))
		signature := token[strings.LastIndexByte(token, '.')+1:]
		if got := signature != "" && verifies(t, key.PublicKey(), token); got != row.signed {
			t.Errorf("%s: signed with RS256: %v, want %v", row.header, got, row.signed)
		}
		if want := base64.RawURLEncoding.EncodeToString([]byte(row.header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{}`)) + "."; !strings.HasPrefix(token, want) {
			t.Errorf("%s: got %s, want exactly these bytes signed", row.header, token)
		}
	}
}

// A validation token comes in the body of a notification, not in a header.
func ExampleChangeNotification() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	payload(tenant.Token(entratest.ChangeNotification()), "appid", "oid", "ver")
	// Output:
	// appid 0bf30f3b-4a52-48df-9a82-234910c4a086
	// oid <nil>
	// ver 1.0
}

// The three forms in which an agent identity calls an API.
func ExampleAgent() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	payload(tenant.Token(entratest.App(entratest.RoleDaemon), entratest.Agent()), "idtyp", "xms_act_fct", "xms_sub_fct")
	payload(tenant.Token(entratest.Agent()), "idtyp", "xms_act_fct", "xms_sub_fct")
	payload(tenant.Token(entratest.AgentUser()), "idtyp", "xms_act_fct", "xms_sub_fct")
	// Output:
	// idtyp app
	// xms_act_fct 3 9 11
	// xms_sub_fct 9 3 11
	// idtyp user
	// xms_act_fct 3 9 11
	// xms_sub_fct 3
	// idtyp user
	// xms_act_fct 3 9 11
	// xms_sub_fct 3 13
}
