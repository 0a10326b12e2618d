package oracle

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/entra-go/entra"
)

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func v2Issuer(tenant string) string { return "https://login.microsoftonline.com/" + tenant + "/v2.0" }

// checkIssuer compares issuer, tenant, version and audience with the closed sets that the configuration allows, and the
// issuer with that of the key.
func (o *Oracle) checkIssuer(r *reading, key Key) {
	tid, iss, ver := r.text("tid"), r.text("iss"), r.text("ver")
	personal := tid == entra.PersonalAccounts
	if !guid.MatchString(tid) || personal && !o.Personal || !personal && o.Tenants != nil && !slices.Contains(o.Tenants, tid) {
		r.object("tid %q is not configured", tid)
	}
	v2 := iss == v2Issuer(tid) && ver == "2.0"
	v1 := iss == "https://sts.windows.net/"+tid+"/" && ver == "1.0" && !personal
	if !v1 && !v2 {
		r.object("iss %q does not fit ver %q and tid %q", iss, ver, tid)
	}
	// Key documents name version 2.0 issuers, and the keys sign version 1.0 tokens of the same tenant too.
	if owner := strings.ReplaceAll(key.Issuer, "{tenantid}", tid); owner != v2Issuer(tid) {
		r.object("the key signs for %q, and tid is %q", key.Issuer, tid)
	}
	if aud := r.audience(); aud != o.ClientID && aud != "api://"+o.ClientID {
		r.object("aud is %s", r.members["aud"])
	}
}

func (o *Oracle) checkKind(r *reading, got entra.Kind) {
	want := kind(r)
	client, _ := r.client()
	if want == 0 || want != got {
		r.object("the kind is %v, and a plain reading gives %v", got, want)
	}
	switch {
	case r.has("cnf"):
		r.object("it is bound to a key: cnf is %s", r.members["cnf"])
	case want == entra.IDToken && (!o.IDTokens || r.audience() != o.ClientID || r.has("scp") || r.has("idtyp") || client != "" && client != o.ClientID):
		r.object("it is an ID token for %q, issued to %q, with scp %q and idtyp %q", r.audience(), client, r.text("scp"), r.text("idtyp"))
	case want == entra.AppToken && len(r.texts("roles")) == 0 && !o.Unpermitted:
		r.object("it is an application's and has no roles")
	case r.text("oid") == "" || r.text("sub") == "":
		r.object("oid is %q and sub %q", r.text("oid"), r.text("sub"))
	}
}

// kind returns what the claims let the bearer be, or 0.
func kind(r *reading) entra.Kind {
	client, _ := r.client()
	ofIDTokens := r.has("nonce") || r.has("at_hash") || r.has("c_hash")
	idtyp, scoped := r.text("idtyp"), len(r.scopes()) > 0
	switch {
	case client == "" || ofIDTokens && !r.has("scp"):
		return entra.IDToken
	case idtyp == "app" && !scoped:
		return entra.AppToken
	case scoped && (!r.has("idtyp") || idtyp == "user"):
		return entra.UserToken
	case !r.has("idtyp") && !r.has("scp") && r.text("oid") == r.text("sub") && r.proved():
		return entra.AppToken
	}
	return 0
}

// compareFields objects to fields that say something else than the text.
func compareFields(r *reading, c *entra.Claims) {
	client, proof := r.client()
	for name, field := range map[string]struct{ got, want string }{
		"TenantID": {c.TenantID, r.text("tid")}, "ObjectID": {c.ObjectID, r.text("oid")}, "Subject": {c.Subject, r.text("sub")},
		"ClientID": {c.ClientID, client}, "ClientAuth": {c.ClientAuth, proof},
		"Issuer": {c.Issuer, r.text("iss")}, "Audience": {c.Audience, r.oneAudience()}, "Version": {c.Version, r.text("ver")},
		"TokenID": {c.TokenID, r.text("uti")}, "SessionID": {c.SessionID, r.text("sid")}, "Name": {c.Name, r.text("name")},
		"PreferredUsername": {c.PreferredUsername, r.first("preferred_username", "upn", "unique_name")},
		"Email":             {c.Email, r.text("email")}, "LoginHint": {c.LoginHint, r.text("login_hint")},
		"IdentityProvider": {c.IdentityProvider, r.text("idp")}, "AgentBlueprint": {c.AgentBlueprint, r.text("xms_par_app_azp")},
	} {
		if field.got != field.want {
			r.object("%s is %q, and a plain reading gives %q", name, field.got, field.want)
		}
	}
	for name, field := range map[string]struct{ got, want []string }{
		"Scopes": {c.Scopes, r.scopes()}, "Roles": {c.Roles, r.texts("roles")}, "Groups": {c.Groups, r.texts("groups")},
		"DirectoryRoles": {c.DirectoryRoles, r.texts("wids")}, "AuthContexts": {c.AuthContexts, r.texts("acrs")},
		"ClientCapabilities": {c.ClientCapabilities, r.texts("xms_cc")},
	} {
		if !slices.Equal(field.got, field.want) {
			r.object("%s is %q, and a plain reading gives %q", name, field.got, field.want)
		}
	}
	for name, got := range map[string]time.Time{"exp": c.ExpiresAt, "nbf": c.NotBefore, "iat": c.IssuedAt} {
		if _, want := r.date(name); !got.Equal(want) {
			r.object("the date of %s is %v, and a plain reading gives %v", name, got, want)
		}
	}
}

// compareDecoding objects if Claims.Decode gives anything else than encoding/json, errors included.
func compareDecoding(r *reading, payload string, c *entra.Claims) {
	var got, want map[string]any
	err, plainErr := c.Decode(&got), json.Unmarshal([]byte(payload), &want)
	switch {
	case (err == nil) != (plainErr == nil):
		r.object("Decode says %v, and encoding/json %v", err, plainErr)
	case err == nil && !reflect.DeepEqual(got, want):
		r.object("Decode gives other claims than encoding/json")
	}
}
