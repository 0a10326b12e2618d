package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

func TestTheCallerLearnsWhoItIs(t *testing.T) {
	tenant := entratest.New(t)
	api, err := newAPI(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(), // the fake tenant in place of Entra
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, authorization string
		status              int
		kind                string
	}{
		{"a user with the scope", "Bearer " + tenant.Token(), 200, "user token"},
		{"an application with the role", "Bearer " + tenant.Token(entratest.App(entratest.RoleDaemon)), 200, "application token"},
		{"a user with another scope", "Bearer " + tenant.Token(entratest.Scopes(entratest.ScopeWrite)), 403, ""},
		{"an application without a role", "Bearer " + tenant.Token(entratest.App()), 401, ""},
		{"nobody", "", 401, ""},
		{"a variable that was not replaced", "Bearer {{token}}", 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/bearer", nil)
			if row.authorization != "" {
				request.Header.Set("Authorization", row.authorization)
			}
			answer := httptest.NewRecorder()
			api.ServeHTTP(answer, request)
			var who struct{ Kind string }
			if err := json.Unmarshal(answer.Body.Bytes(), &who); err != nil || answer.Code != row.status || who.Kind != row.kind {
				t.Errorf("got %d and %s, want %d for a %q", answer.Code, answer.Body, row.status, row.kind)
			}
		})
	}
}

// Imported into Postman, the collection works with the emulator's sample tenant as it is.
func TestTheCollectionNamesTheSampleTenant(t *testing.T) {
	text, err := os.ReadFile("bearer.postman_collection.json")
	if err != nil {
		t.Fatal(err)
	}
	var collection struct {
		Info     struct{ Schema string }
		Variable []struct{ Key, Value string }
	}
	if err := json.Unmarshal(text, &collection); err != nil {
		t.Fatal(err)
	}
	if want := "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"; collection.Info.Schema != want {
		t.Errorf("got schema %s, want %s", collection.Info.Schema, want)
	}
	got := make(map[string]string)
	for _, variable := range collection.Variable {
		got[variable.Key] = variable.Value
	}
	for key, want := range map[string]string{
		"login": "http://localhost:8085", "api": "http://localhost:8080", "tenantId": entratest.TenantID, "apiUri": entratest.APIURI,
		"clientId": entratest.ClientID, "clientSecret": entratest.ClientSecret, "user": "alice@" + entratest.TenantDomain,
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
}
