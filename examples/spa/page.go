package main

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/entra-go/entra/entratest"
)

//go:embed web
var web embed.FS

// settings are what the page must know. None of them is secret.
type settings struct {
	TenantID          string `json:"tenantId"`
	PageID            string `json:"clientId"` // of the page's registration
	APIID             string `json:"apiId"`    // of the API's
	API               string `json:"api"`
	AuthorityMetadata string `json:"authorityMetadata,omitempty"` // of the emulator
	login             string
}

// newPage returns the page, and MSAL.js from the folder beside it.
func newPage(s settings, msal string) (http.Handler, error) {
	if _, err := os.Stat(filepath.Join(msal, "msal-browser.min.js")); err != nil {
		return nil, fmt.Errorf("no MSAL.js: run npm ci in examples/spa, or name its folder with -msal: %w", err)
	}
	files, err := fs.Sub(web, "web")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.Handle("GET /msal/", http.StripPrefix("/msal/", http.FileServer(http.Dir(msal))))
	mux.HandleFunc("GET /config.json", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s) })
	return s.secured(mux), nil
}

// secured lets the page run its own scripts and reach Entra and the API, and nothing else, so that no other script can
// read a token.
func (s settings) secured(next http.Handler) http.Handler {
	policy := strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "base-uri 'none'", "form-action 'none'",
		"connect-src 'self' " + s.API + " " + s.login,
		"frame-src 'self' " + s.login, // MSAL.js renews in a hidden frame once its refresh token has expired
		"frame-ancestors 'self'",
	}, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// emulate points MSAL.js to the emulator by giving it the emulator's metadata. Settings that are missing become those of
// the emulator's sample tenant.
func (s *settings) emulate(emulator string) error {
	s.TenantID = cmp.Or(s.TenantID, entratest.TenantID)
	s.APIID, s.PageID = cmp.Or(s.APIID, entratest.APIClientID), cmp.Or(s.PageID, entratest.SPAClientID)
	response, err := http.Get(emulator + "/" + s.TenantID + "/v2.0/.well-known/openid-configuration")
	if err != nil {
		return fmt.Errorf("no emulator; start it with go run ./cmd/entra emulator: %w", err)
	}
	defer response.Body.Close()
	metadata, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil || response.StatusCode != http.StatusOK || !json.Valid(metadata) {
		return fmt.Errorf("%s answers no metadata for tenant %s: status %d, %v", emulator, s.TenantID, response.StatusCode, err)
	}
	s.AuthorityMetadata, s.login = string(metadata), emulator
	return nil
}

// emulated is an http.RoundTripper that sends all requests to the emulator at this URL.
type emulated string

func (e emulated) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(string(e))
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = base.Scheme, base.Host
	return http.DefaultTransport.RoundTrip(r)
}
