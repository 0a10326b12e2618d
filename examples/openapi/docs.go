package main

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

//go:embed web
var web embed.FS

// settings are what the description and its page must know. Nothing of it is secret.
type settings struct {
	TenantID string `json:"tenantId"`
	APIID    string `json:"apiId"`    // of the API's registration
	PageID   string `json:"clientId"` // of the page's
	login    string
}

// newDocs serves the description and Swagger UI, from the folder beside it, below /docs/.
func newDocs(s settings, ui string) (http.Handler, error) {
	if s.PageID == "" {
		return nil, errors.New("set ENTRA_PAGE_CLIENT_ID to the client ID of the page's own registration")
	}
	if _, err := os.Stat(filepath.Join(ui, "swagger-ui-bundle.js")); err != nil {
		return nil, fmt.Errorf("no Swagger UI: run npm ci --ignore-scripts in examples/openapi, or name its folder with -ui: %w", err)
	}
	description, err := s.description()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /docs/", http.StripPrefix("/docs/", http.FileServer(http.Dir(ui))))
	for path, name := range map[string]string{"/docs/{$}": "web/index.html", "/docs/init.js": "web/init.js", "/docs/page.css": "web/page.css"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, web, name) })
	}
	mux.HandleFunc("GET /docs/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(description)
	})
	mux.HandleFunc("GET /docs/config.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s)
	})
	return s.secured(mux), nil
}

// description is web/openapi.json for this tenant and these registrations.
func (s settings) description() ([]byte, error) {
	text, err := web.ReadFile("web/openapi.json")
	if err != nil {
		return nil, err
	}
	filled := strings.NewReplacer(
		"https://login.microsoftonline.com", cmp.Or(s.login, "https://login.microsoftonline.com"),
		"<tenant ID>", s.TenantID,
		"<API client ID>", s.APIID,
	).Replace(string(text))
	if !json.Valid([]byte(filled)) {
		return nil, fmt.Errorf("the description is no JSON with tenant %q and API %q", s.TenantID, s.APIID)
	}
	return []byte(filled), nil
}

// secured allows the page to run its own scripts and to reach Entra and this API, and nothing else: no other script can
// then get at a token. Swagger UI sets styles in place and shows pictures from data URLs.
func (s settings) secured(next http.Handler) http.Handler {
	policy := strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "base-uri 'none'",
		"form-action 'none'", "connect-src 'self' " + s.login, "frame-ancestors 'none'",
	}, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
