package rig

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/soak/invariants"
)

// credential is what a client sends, and which answer it deserves.
type credential struct {
	class  string
	path   string
	values []string // of the Authorization header
	token  invariants.Token
	who    identity  // of the token
	hasty  time.Time // until then some clients do not wait for the answer
}

// identity tells one token from another. The handler must see that of the very token sent, remembered or not.
type identity struct {
	TenantID string `json:"tid"`
	ObjectID string `json:"oid"`
	TokenID  string `json:"uti"`
}

// The routes of the API.
const (
	ordersPath = "/orders" // for users with the scope ScopeRead
	jobsPath   = "/jobs"   // for applications with the permission RoleDaemon
)

// recipe makes credentials of one class.
type recipe struct {
	class string
	merit invariants.Answer
	path  string // "" for ordersPath
	early bool   // refused before a key is looked up
	make  func(*forge) string
}

// forge is what tokens are made with.
type forge struct {
	tenant *entratest.Server
	key    *entratest.Key
	other  *entratest.Key // the attacker's
}

func (f *forge) token(options ...entratest.TokenOption) string {
	options = append([]entratest.TokenOption{entratest.SignedBy(f.key), unique()}, options...)
	return f.tenant.Token(options...)
}

// unique gives a token an ID of its own.
func unique() entratest.TokenOption { return entratest.Claim("uti", rand.Text()) }

var letIn = invariants.Answer{Status: 200}

func unauthorized(reason string) invariants.Answer {
	return invariants.Answer{Status: 401, Reason: reason}
}
func forbidden(reason string) invariants.Answer {
	return invariants.Answer{Status: 403, Reason: reason}
}

// validClasses is how many recipes, the first ones, make good tokens.
const validClasses = 4

// recipes returns all classes. Of each, every generation of keys gets one token.
func recipes() []recipe {
	as := func(options ...entratest.TokenOption) func(*forge) string {
		return func(f *forge) string { return f.token(options...) }
	}
	header := func(name string, value any) func(*forge) string { return as(entratest.Header(name, value)) }
	return []recipe{
		{class: "valid, user", merit: letIn, make: as()},
		{class: "valid, another user", merit: letIn, make: as(entratest.User("bob"))},
		{class: "valid, version 1.0", merit: letIn, make: as(entratest.V1())},
		{class: "valid, application", merit: letIn, path: jobsPath, make: as(entratest.App(entratest.RoleDaemon))},

		{class: "permitted something else, user", merit: forbidden("scope"), make: as(entratest.Scopes(entratest.ScopeWrite))},
		{class: "permitted something else, application", merit: forbidden("app_permission"), path: jobsPath, make: as(entratest.App("Orders.Delete.All"))},
		{class: "user where applications may", merit: forbidden("app_permission"), path: jobsPath, make: as(entratest.Roles(entratest.RoleDaemon))},
		{class: "application where users may", merit: forbidden("scope"), make: as(entratest.App(entratest.ScopeRead))},

		{class: "expired", merit: unauthorized("expired"), make: as(entratest.Expired())},
		{class: "not yet valid", merit: unauthorized("not_yet_valid"), make: as(entratest.NotYetValid())},
		{class: "without end", merit: unauthorized("claims"), make: as(entratest.Without("exp"))},
		{class: "foreign tenant", merit: unauthorized("tenant"), make: as(entratest.Tenant(entratest.OtherTenantID))},
		{class: "foreign tenant under our issuer", merit: unauthorized("issuer"), make: as(entratest.Claim("tid", entratest.OtherTenantID))},
		{class: "foreign issuer", merit: unauthorized("issuer"), make: as(entratest.Claim("iss", "https://issuer.example/"+entratest.TenantID+"/v2.0"))},
		{class: "wrong audience", merit: unauthorized("audience"), make: as(entratest.Audience(entratest.SPAClientID))},
		{class: "for Graph by its audience", merit: unauthorized("audience"), make: as(entratest.Audience(entratest.GraphClientID))},
		{class: "ID token", merit: unauthorized("id_token"), make: as(entratest.IDToken())},
		{class: "application without permissions", merit: unauthorized("no_permissions"), path: jobsPath, make: as(entratest.App())},
		{class: "bound to a certificate", merit: unauthorized("bound_token"), make: as(entratest.Bound())},

		{class: "forged: payload of another token", merit: unauthorized("signature"), make: swapped},
		{class: "forged: a bit of the signature", merit: unauthorized("signature"), make: bitFlipped},
		{class: "forged: other key, same key ID", merit: unauthorized("signature"), make: underFalseName},
		{class: "forged: brings its own key", merit: unauthorized("signature"), make: withOwnKey},

		{class: "algorithm none", merit: unauthorized("algorithm"), early: true, make: unsigned},
		{class: "algorithm HS256 with the public key", merit: unauthorized("algorithm"), early: true, make: header("alg", "HS256")},
		{class: "algorithm PS256", merit: unauthorized("algorithm"), early: true, make: header("alg", "PS256")},
		{class: "algorithm RS512", merit: unauthorized("algorithm"), early: true, make: header("alg", "RS512")},
		{class: "critical extension", merit: unauthorized("header"), early: true, make: header("crit", []string{"exp"})},
		{class: "token of Graph's own", merit: unauthorized("microsoft_api_token"), early: true, make: header("nonce", "n")},
		{class: "no signature", merit: unauthorized("malformed"), early: true, make: header("alg", "none")},
	}
}

func swapped(f *forge) string {
	mine, others := strings.Split(f.token(), "."), strings.Split(f.token(entratest.User("bob")), ".")
	return mine[0] + "." + others[1] + "." + mine[2]
}

func bitFlipped(f *forge) string {
	parts := strings.Split(f.token(), ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		panic(err) // entratest encoded it a moment ago.
	}
	signature[len(signature)/2] ^= 1
	return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func underFalseName(f *forge) string {
	return f.tenant.Token(entratest.SignedBy(f.other.With("kid", f.key.ID())), unique())
}

func withOwnKey(f *forge) string {
	return f.tenant.Token(entratest.SignedBy(f.other), unique(), entratest.Header("kid", f.key.ID()),
		entratest.Header("jwk", f.other.JWK()), entratest.Header("jku", "https://keys.example/"), entratest.Header("x5c", f.other.JWK()["x5c"]))
}

func unsigned(f *forge) string {
	parts := strings.Split(f.token(entratest.Header("alg", "none")), ".")
	return parts[0] + "." + parts[1] + ".AA"
}

// mint makes one credential of each class.
func mint(f *forge, list []recipe) []*credential {
	made := make([]*credential, len(list))
	for i, r := range list {
		made[i] = r.credential(f)
	}
	return made
}

func (r recipe) credential(f *forge) *credential {
	token := r.make(f)
	c := bearing(r.class, token)
	c.token.Merit = r.merit
	if !r.early {
		c.token.KeyID = f.key.ID()
	}
	if r.path != "" {
		c.path = r.path
	}
	c.who = readIdentity(token)
	return c
}

func bearing(class, token string) *credential {
	return &credential{class: class, path: ordersPath, values: []string{"Bearer " + token}}
}

func readIdentity(token string) (who identity) {
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err == nil {
		err = json.Unmarshal(text, &who)
	}
	if err != nil {
		panic(fmt.Sprintf("soak: a token of entratest cannot be read: %v", err))
	}
	return who
}

// brief makes a token that begins to be valid after wait and ends after span more, both in whole seconds.
func brief(f *forge, now time.Time, wait, span time.Duration) *credential {
	from := now.Truncate(time.Second).Add(wait)
	r := recipe{class: "valid for seconds", merit: letIn, make: func(f *forge) string {
		return f.token(entratest.IssuedAt(from), entratest.Lifetime(span))
	}}
	c := r.credential(f)
	c.token.From, c.token.Until = from, from.Add(span)
	return c
}
