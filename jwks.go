package entra

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/keyset"
)

// newKeys returns the cached key set of the configured authority: its general document and, with Options.AppKeys, the
// one of the application's own keys.
func newKeys(s *settings, client *fetch.Client, log *slog.Logger) *keyset.Set {
	sources := []keyset.Source{s.keySource("")}
	if s.appKeys {
		sources = append(sources, s.keySource("?appid="+s.clientID))
	}
	return keyset.New(client, log, sources...)
}

// keySource is where a document of the configured authority stands.
func (s *settings) keySource(query string) keyset.Source {
	if s.authority != nil {
		return keyset.Source{MetadataURL: s.authority.metadataURL() + query, Check: s.authority.check}
	}
	return keyset.Source{KeysURL: "https://" + s.cloud.loginHost + "/" + s.signInTenant() + "/discovery/v2.0/keys" + query}
}

// findKey returns the key kid, or an error as a caller of the Verifier sees it.
func (v *Verifier) findKey(ctx context.Context, kid string) (*keyset.Key, error) {
	k, err := v.keys.Find(ctx, kid)
	var unknown *keyset.UnknownError
	if errors.As(err, &unknown) {
		return nil, unknownKey(unknown.KeyID, unknown.Held)
	}
	return k, unavailable(err)
}

// unavailable turns the error of a key set that holds no key into the caller's.
func unavailable(err error) error {
	var none *keyset.UnavailableError
	if errors.As(err, &none) {
		return keysUnavailable(none.RetryAfter, none.Causes)
	}
	return err
}

// signsFor reports whether issuer is the key's, with tenant in place of {tenantid} if it is a template.
func signsFor(keyIssuer, issuer, tenant string) bool {
	before, after, template := strings.Cut(keyIssuer, "{tenantid}")
	switch {
	case !template:
		return issuer == keyIssuer
	// Personal accounts have keys of their own, listed under their issuer: {tenantid} stands for the other tenants.
	case tenant == PersonalAccounts:
		return false
	}
	rest, ok := strings.CutPrefix(issuer, before)
	return ok && strings.HasPrefix(rest, tenant) && rest[len(tenant):] == after
}
