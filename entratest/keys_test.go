package entratest_test

import (
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/entratest"
)

// R15
func TestKeyDocumentsHaveEntrasShape(t *testing.T) {
	tenant := entratest.New(t)
	for _, row := range []struct {
		path    string
		members string
	}{
		{"common" + keysPath, "cloud_instance_name e issuer kid kty n use x5c x5t"},
		{entratest.TenantID + keysPath, "cloud_instance_name e issuer kid kty n use x5c x5t"},
		{entratest.TenantDomain + keysPath, "cloud_instance_name e issuer kid kty n use x5c x5t"},
		{"common" + keysV1Path, "e kid kty n use x5c x5t"},
		{entratest.TenantID + keysV1Path, "e kid kty n use x5c x5t"},
	} {
		keys := keyList(t, tenant.Client(), loginHost+row.path)
		if len(keys) < 2 {
			t.Errorf("%s: got %d keys, want several", row.path, len(keys))
		}
		for _, key := range keys {
			if got := strings.Join(names(key), " "); got != row.members {
				t.Errorf("%s: got members %s, want %s", row.path, got, row.members)
			}
			checkCertificate(t, key)
		}
	}
	_, body := get(t, tenant.Client(), loginHost+"common"+keysPath)
	order := []string{`"kty"`, `"use"`, `"kid"`, `"x5t"`, `"n"`, `"e"`, `"x5c"`, `"cloud_instance_name"`, `"issuer"`}
	if !slices.IsSortedFunc(order, func(a, b string) int { return strings.Index(string(body), a) - strings.Index(string(body), b) }) {
		t.Errorf("members are not in Entra's order %s: %s", order, body)
	}
}

func checkCertificate(t *testing.T, key map[string]any) {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(key["x5c"].([]any)[0].(string))
	if err != nil {
		t.Fatal(err)
	}
	if want := thumbprint(der); key["kid"] != want || key["x5t"] != want {
		t.Errorf("got kid %v, x5t %v; want the certificate's thumbprint %s", key["kid"], key["x5t"], want)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := certificate.NotAfter, certificate.NotBefore.AddDate(5, 0, 0); !got.Equal(want) {
		t.Errorf("certificate ends %v, want five years after its start: %v", got, want)
	}
	if public := publicKey(t, key); !public.Equal(certificate.PublicKey) || public.N.BitLen() != 2048 || public.E != 65537 {
		t.Error("n and e are not the certificate's RSA-2048 key with exponent 65537")
	}
	if err := certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature); err != nil {
		t.Errorf("the certificate is not self-signed: %v", err)
	}
}

func TestPersonalKeyIsListedForPersonalAccountsOnly(t *testing.T) {
	tenant := entratest.New(t)
	personal := tenant.PersonalKey().ID()
	for segment, want := range map[string]bool{
		"common": true, "consumers": true, entratest.PersonalTenantID: true, "organizations": false, entratest.TenantID: false,
	} {
		ids := kids(t, tenant.Client(), loginHost+segment+keysPath)
		if got := slices.Contains(ids, personal); got != want {
			t.Errorf("%s: personal key listed: %v, want %v", segment, got, want)
		}
		if work := slices.Contains(ids, tenant.Key().ID()); work == (segment == "consumers" || segment == entratest.PersonalTenantID) {
			t.Errorf("%s: work key listed: %v", segment, work)
		}
	}
}

func TestWorldwideDocumentsListAGovernmentKey(t *testing.T) {
	clouds := map[any]int{}
	for _, key := range keyList(t, entratest.New(t).Client(), loginHost+"common"+keysPath) {
		clouds[key["cloud_instance_name"]]++
		if !strings.HasPrefix(key["issuer"].(string), "https://login.microsoftonline.com/") {
			t.Errorf("got issuer %v, want the worldwide one", key["issuer"])
		}
	}
	if clouds["microsoftonline.us"] != 1 || clouds["microsoftonline.com"] < 2 {
		t.Errorf("got keys by cloud %v, want one of the US government and several worldwide", clouds)
	}
}

func TestRotationAndFlapping(t *testing.T) {
	tenant := entratest.New(t)
	url := loginHost + entratest.TenantID + keysPath
	listed := func(k *entratest.Key) bool { return slices.Contains(kids(t, tenant.Client(), url), k.ID()) }
	first := tenant.Key()
	second := tenant.RotateKeys()
	if second.ID() == first.ID() || tenant.Key() != second || !listed(first) || !listed(second) {
		t.Errorf("after RotateKeys: signing %s, first listed %v, second listed %v; want %s, true, true",
			tenant.Key().ID(), listed(first), listed(second), second.ID())
	}
	if key := published(t, tenant.Client(), url, tenant.Token()); key["kid"] != second.ID() {
		t.Errorf("got a token signed by %v, want %v", key["kid"], second.ID())
	}
	tenant.Withdraw(second)
	if listed(second) {
		t.Error("still listed after Withdraw")
	}
	tenant.Publish(second, second.With("use", "enc"))
	if !listed(second) {
		t.Error("not listed after Publish")
	}
	extra := entratest.NewKey()
	tenant.SetKeys(extra)
	if got := kids(t, tenant.Client(), url); len(got) != 1 || got[0] != extra.ID() {
		t.Errorf("after SetKeys: got %v, want %v alone", got, extra.ID())
	}
	if key := keyList(t, tenant.Client(), url)[0]; key["issuer"] != "https://login.microsoftonline.com/{tenantid}/v2.0" ||
		key["cloud_instance_name"] != "microsoftonline.com" {
		t.Errorf("got issuer %v and cloud %v, want the server's own", key["issuer"], key["cloud_instance_name"])
	}
	tenant.SetKeys()
	if got := keyList(t, tenant.Client(), url); len(got) != 0 {
		t.Errorf("got %v, want no keys", got)
	}
	if listed(tenant.UnknownKey()) {
		t.Error("the unknown key is listed")
	}
}

func TestKeysWithChangedMembers(t *testing.T) {
	tenant := entratest.New(t)
	key := tenant.Key()
	for _, row := range []struct {
		name   string
		member string
		value  any
	}{
		{"another issuer", "issuer", "https://login.microsoftonline.com/" + entratest.OtherTenantID + "/v2.0"},
		{"no issuer", "issuer", nil},
		{"no cloud", "cloud_instance_name", nil},
		{"another use", "use", "enc"},
		{"another kid", "kid", "odd"},
		{"a number as kid", "kid", 7.0},
	} {
		t.Run(row.name, func(t *testing.T) {
			changed := key.With(row.member, row.value)
			tenant.SetKeys(changed)
			got := keyList(t, tenant.Client(), loginHost+"organizations"+keysPath)[0]
			if got[row.member] != row.value {
				t.Errorf("got %s %v, want %v", row.member, got[row.member], row.value)
			}
			if _, present := changed.JWK()[row.member]; present != (row.value != nil) {
				t.Errorf("JWK has %s: %v", row.member, present)
			}
			if row.member != "kid" && changed.ID() != key.ID() {
				t.Errorf("got ID %q, want %q", changed.ID(), key.ID())
			}
		})
	}
	if key.JWK()["use"] != "sig" || key.With("kid", "odd").ID() != "odd" || key.With("kid", 7).ID() != "" {
		t.Error("With changed the key itself, or ID does not follow the member kid")
	}
}

// R14
func TestApplicationKeysAreListedUnderAppIDOnly(t *testing.T) {
	tenant := entratest.New(t, entratest.Config{Apps: []entratest.AppRegistration{
		{ClientID: entratest.APIClientID, Scopes: []string{"x"}, OwnKey: true},
		{ClientID: entratest.ClientID},
	}})
	own := tenant.AppKey(entratest.APIClientID)
	base := loginHost + entratest.TenantID
	for _, path := range []string{keysPath, keysV1Path} {
		if got := kids(t, tenant.Client(), base+path+"?appid="+entratest.APIClientID); len(got) != 1 || got[0] != own.ID() {
			t.Errorf("%s?appid=: got %v, want %s alone", path, got, own.ID())
		}
		for _, query := range []string{"", "?appid=" + entratest.ClientID} {
			if got := kids(t, tenant.Client(), base+path+query); slices.Contains(got, own.ID()) || len(got) < 2 {
				t.Errorf("%s%s: got %v, want the general keys", path, query, got)
			}
		}
	}
	header, _ := split(t, tenant.Token())
	if header["kid"] != own.ID() {
		t.Errorf("got a token signed by %v, want the application's key %s", header["kid"], own.ID())
	}
	if tenant.AppKey(entratest.ClientID) != nil {
		t.Error("got a key for an application without one")
	}
	metadata := getJSON(t, tenant.Client(), base+configPath+"?appid="+entratest.APIClientID)
	if got, want := metadata["jwks_uri"], base+keysPath+"?appid="+entratest.APIClientID; got != want {
		t.Errorf("got jwks_uri %v, want %v", got, want)
	}
}
