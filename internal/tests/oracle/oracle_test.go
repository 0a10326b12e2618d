package oracle_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/oracle"
)

func newOracle(tenant *entratest.Server) *oracle.Oracle {
	return &oracle.Oracle{
		Tenants: []string{entratest.TenantID}, Personal: true, ClientID: entratest.APIClientID, IDTokens: true, ClockSkew: time.Minute,
		Keys: oracle.Keys(tenant.Key(), tenant.PersonalKey(), tenant.Key().With("kid", "gov").With("cloud_instance_name", "microsoftonline.us")),
	}
}

func verify(t *testing.T, tenant *entratest.Server, token string) *entra.Claims {
	t.Helper()
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants: []string{entratest.TenantID, entra.PersonalAccounts}, ClientID: entratest.APIClientID, AllowIDTokens: true,
		HTTPClient: tenant.Client(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("Verify: got %v, want no error", err)
	}
	return claims
}

// Good tokens with the library's claims: there is nothing to object to.
func TestGoodTokens(t *testing.T) {
	tenant := entratest.New(t)
	for name, options := range map[string][]entratest.TokenOption{
		"user, version 2.0":    {},
		"user, version 1.0":    {entratest.V1()},
		"application":          {entratest.App(entratest.RoleDaemon)},
		"ID token":             {entratest.IDToken()},
		"personal account":     {entratest.Personal()},
		"guest":                {entratest.Guest(), entratest.Roles("A", "B"), entratest.Groups("g")},
		"audience in an array": {entratest.Claim("aud", []string{"api://" + entratest.APIClientID + "/"})},
		"a fraction of exp":    {entratest.Claim("exp", 4102444800.5)},
		"claims of its own":    {entratest.Claim("x", map[string]any{"y": []any{1, nil}})},
	} {
		t.Run(name, func(t *testing.T) {
			token := tenant.Token(options...)
			if err := newOracle(tenant).Judge(token, verify(t, tenant, token), time.Now(), time.Now()); err != nil {
				t.Errorf("got %v, want no objection", err)
			}
		})
	}
}

// Bad tokens, accepted as if they were the good one.
func TestBadTokens(t *testing.T) {
	tenant := entratest.New(t)
	good := tenant.Token()
	claims := verify(t, tenant, good)
	parts := strings.Split(good, ".")
	minted := func(options ...entratest.TokenOption) string { return tenant.Token(options...) }
	stranger := entratest.NewKey()
	for name, row := range map[string]struct{ token, want string }{
		"two segments":                 {parts[0] + "." + parts[1], "2 segments"},
		"a bit that encodes nothing":   {good[:len(good)-1] + string(good[len(good)-1]+1), "canonical"},
		"another token's payload":      {parts[0] + "." + strings.Split(minted(), ".")[1] + "." + parts[2], "of the signature"},
		"a key that nobody lists":      {minted(entratest.SignedBy(stranger)), "no key has the ID"},
		"a stranger's key under an ID": {minted(entratest.SignedBy(stranger.With("kid", tenant.Key().ID()))), "of the signature"},
		"a key of another cloud":       {minted(entratest.SignedBy(tenant.Key().With("kid", "gov"))), "no key has the ID"},
		"alg RS384":                    {minted(entratest.Header("alg", "RS384")), "alg is"},
		"another typ":                  {minted(entratest.Header("typ", "dpop+jwt")), "typ is"},
		"crit":                         {minted(entratest.Header("crit", []string{"exp"})), "crit stands in the header"},
		"a name twice":                 {tenant.Key().Sign([]byte(`{"alg":"RS256","kid":"`+tenant.Key().ID()+`"}`), []byte(`{"a":1,"a":2}`)), "the payload: "},
		"expired":                      {minted(entratest.Expired()), "exp is"},
		"without exp":                  {minted(entratest.Without("exp")), "exp is"},
		"exp in quotes":                {minted(entratest.Claim("exp", "4102444800")), "want a number"},
		"not yet valid":                {minted(entratest.NotYetValid()), "nbf is"},
		"another tenant":               {minted(entratest.Tenant(entratest.OtherTenantID)), "is not configured"},
		"another issuer":               {minted(entratest.Claim("iss", "https://issuer.example/")), "does not fit ver"},
		"the version of another one":   {minted(entratest.Claim("ver", "1.0")), "does not fit ver"},
		"a key of personal accounts":   {minted(entratest.SignedBy(tenant.PersonalKey())), "the key signs for"},
		"another audience":             {minted(entratest.Audience(entratest.SPAClientID)), "aud is"},
		"two audiences":                {minted(entratest.Claim("aud", []string{entratest.APIClientID, "x"})), "want one"},
		"bound to a key":               {minted(entratest.Bound()), "bound to a key"},
		"an application without roles": {minted(entratest.App()), "has no roles"},
		"an application without proof": {minted(entratest.App("A"), entratest.Without("idtyp"), entratest.Claim("azpacr", "0")), "the kind is"},
		"an ID token of another page":  {minted(entratest.IDToken(), entratest.Nonce("n"), entratest.Claim("azp", entratest.SPAClientID)), "ID token"},
		"nobody's":                     {minted(entratest.Without("oid")), "oid is"},
		"no kind at all":               {minted(entratest.Claim("idtyp", "device")), "the kind is"},
		"roles that are no list":       {minted(entratest.Claim("roles", "Orders.Admin")), "want an array"},
	} {
		t.Run(name, func(t *testing.T) {
			err := newOracle(tenant).Judge(row.token, claims, time.Now(), time.Now())
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an objection with %q", err, row.want)
			}
		})
	}
}

func TestOptionsThatAreOff(t *testing.T) {
	tenant := entratest.New(t)
	strict := newOracle(tenant)
	strict.Personal, strict.IDTokens = false, false
	for name, options := range map[string][]entratest.TokenOption{"ID token": {entratest.IDToken()}, "personal account": {entratest.Personal()}} {
		token := tenant.Token(options...)
		if err := strict.Judge(token, verify(t, tenant, token), time.Now(), time.Now()); err == nil {
			t.Errorf("%s: got no objection, want one", name)
		}
	}
}

// The good token with claims that say something else.
func TestOtherClaims(t *testing.T) {
	tenant := entratest.New(t)
	token := tenant.Token(entratest.Roles("A"), entratest.Groups("g"))
	for name, change := range map[string]func(*entra.Claims){
		"Kind":              func(c *entra.Claims) { c.Kind = entra.AppToken },
		"TenantID":          func(c *entra.Claims) { c.TenantID = entratest.OtherTenantID },
		"ObjectID":          func(c *entra.Claims) { c.ObjectID = c.Subject },
		"ClientID":          func(c *entra.Claims) { c.ClientID = entratest.APIClientID },
		"ClientAuth":        func(c *entra.Claims) { c.ClientAuth = "2" },
		"PreferredUsername": func(c *entra.Claims) { c.PreferredUsername = c.Name },
		"Scopes":            func(c *entra.Claims) { c.Scopes = append(c.Scopes, "Orders.Write") },
		"Roles":             func(c *entra.Claims) { c.Roles = nil },
		"Groups":            func(c *entra.Claims) { c.Groups[0] = "G" },
		"ExpiresAt":         func(c *entra.Claims) { c.ExpiresAt = c.ExpiresAt.Add(time.Second) },
		"Decode":            func(c *entra.Claims) { *c = entra.Claims{} },
	} {
		claims := verify(t, tenant, token)
		change(claims)
		if err := newOracle(tenant).Judge(token, claims, time.Now(), time.Now()); err == nil {
			t.Errorf("%s: got no objection, want one", name)
		}
	}
}

// A token may be judged at any time from its arrival on until it was answered.
func TestTimes(t *testing.T) {
	tenant := entratest.New(t)
	from := time.Now().Truncate(time.Second)
	token := tenant.Token(entratest.IssuedAt(from), entratest.Lifetime(time.Hour))
	claims := verify(t, tenant, token)
	o := newOracle(tenant)
	o.ClockSkew = 0
	for _, row := range []struct {
		name              string
		arrived, answered time.Duration // after from
		want              bool
	}{
		{"within", time.Second, 2 * time.Second, true},
		{"arrived before its begin", -time.Minute, time.Second, true},
		{"answered before its begin", -time.Minute, -time.Second, false},
		{"answered after its end", 59 * time.Minute, 61 * time.Minute, true},
		{"arrived after its end", 61 * time.Minute, 61 * time.Minute, false},
	} {
		if err := o.Judge(token, claims, from.Add(row.arrived), from.Add(row.answered)); (err == nil) != row.want {
			t.Errorf("%s: got %v, want it accepted: %v", row.name, err, row.want)
		}
	}
}
