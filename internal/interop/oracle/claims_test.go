package oracle_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/entra-go/entra"
)

// compare looks for claims whose fields say something else than the plain decoding.
func compare(plain map[string]any, c *entra.Claims) error {
	client := first(plain, "azp", "appid")
	if plain["ver"] == "1.0" {
		client = first(plain, "appid", "azp")
	}
	rows := []struct {
		name      string
		got, want any
	}{
		{"TenantID", c.TenantID, text(plain["tid"])},
		{"ObjectID", c.ObjectID, text(plain["oid"])},
		{"Subject", c.Subject, text(plain["sub"])},
		{"ClientID", c.ClientID, client},
		{"ClientAuth", c.ClientAuth, first(plain, "azpacr", "appidacr")},
		{"Issuer", c.Issuer, text(plain["iss"])},
		{"Version", c.Version, text(plain["ver"])},
		{"TokenID", c.TokenID, text(plain["uti"])},
		{"SessionID", c.SessionID, text(plain["sid"])},
		{"Scopes", c.Scopes, scopes(plain)},
		{"Roles", c.Roles, texts(plain["roles"])},
		{"Groups", c.Groups, texts(plain["groups"])},
		{"DirectoryRoles", c.DirectoryRoles, texts(plain["wids"])},
		{"AuthContexts", c.AuthContexts, texts(plain["acrs"])},
		{"ClientCapabilities", c.ClientCapabilities, texts(plain["xms_cc"])},
		{"Name", c.Name, text(plain["name"])},
		{"PreferredUsername", c.PreferredUsername, first(plain, "preferred_username", "upn", "unique_name")},
		{"Email", c.Email, text(plain["email"])},
		{"ExpiresAt", seconds(c.ExpiresAt), date(plain["exp"])},
		{"NotBefore", seconds(c.NotBefore), date(plain["nbf"])},
		{"IssuedAt", seconds(c.IssuedAt), date(plain["iat"])},
	}
	for _, r := range rows {
		if got, ok := r.got.([]string); ok && len(got) == 0 && len(r.want.([]string)) == 0 {
			continue
		}
		if !reflect.DeepEqual(r.got, r.want) {
			return fmt.Errorf("%s is %#v, and a plain decoding gives %#v", r.name, r.got, r.want)
		}
	}
	return compareKind(plain, c)
}

// compareKind repeats the rules of what a token lets its bearer be.
func compareKind(plain map[string]any, c *entra.Claims) error {
	delegated := len(scopes(plain)) > 0
	anonymous := first(plain, "azp", "appid") == ""
	var want entra.Kind
	switch {
	case plain["cnf"] != nil:
	case anonymous && !delegated, (plain["nonce"] != nil || plain["at_hash"] != nil || plain["c_hash"] != nil) && !delegated:
		want = entra.IDToken
	case delegated && (plain["idtyp"] == nil || plain["idtyp"] == "user") && !anonymous:
		want = entra.UserToken
	case !delegated && len(texts(plain["roles"])) > 0 && (plain["idtyp"] == "app" || plain["idtyp"] == nil && text(plain["oid"]) == text(plain["sub"])):
		want = entra.AppToken
	}
	if want == 0 || c.Kind != want {
		return fmt.Errorf("the kind is %v, and a plain reading gives %v", c.Kind, want)
	}
	if text(plain["oid"]) == "" || text(plain["sub"]) == "" {
		return errors.New("oid or sub is missing")
	}
	return nil
}

// compareWhole checks that Decode gives what encoding/json does, errors included.
func compareWhole(payload []byte, c *entra.Claims) error {
	var got, want map[string]any
	err, errPlain := c.Decode(&got), json.Unmarshal(payload, &want)
	if (err == nil) != (errPlain == nil) {
		return fmt.Errorf("Decode says %v, and encoding/json %v", err, errPlain)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		return fmt.Errorf("Decode gives %v, and encoding/json %v", got, want)
	}
	return nil
}

// scopes splits scp at spaces; "/" alone is how agents say that they have none.
func scopes(plain map[string]any) []string {
	names := slices.DeleteFunc(strings.Split(text(plain["scp"]), " "), func(name string) bool { return name == "" })
	if slices.Equal(names, []string{"/"}) {
		return nil
	}
	return names
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func first(plain map[string]any, names ...string) string {
	for _, name := range names {
		if s := text(plain[name]); s != "" {
			return s
		}
	}
	return ""
}

// texts returns the strings of a list; anything else in it shows up as a difference.
func texts(v any) []string {
	list, _ := v.([]any)
	out := make([]string, 0, len(list))
	for _, e := range list {
		out = append(out, text(e))
	}
	return out
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// date returns whole seconds since 1970, and 0 for a date that is missing.
func date(v any) int64 {
	n, _ := number(v)
	return int64(n)
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
