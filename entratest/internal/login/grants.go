package login

import (
	"sync"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
)

// grants is what users have allowed so far. All of it is in memory.
type grants struct {
	sessions vault[session]
	codes    vault[authorizationCode]
	refresh  vault[refreshToken]
	devices  vault[deviceRequest] // by device code
	users    vault[string]        // device codes by user code
}

// Lifetimes as Entra's defaults; see
// https://learn.microsoft.com/entra/identity-platform/refresh-tokens.
const (
	codeLifetime       = 10 * time.Minute
	refreshLifetime    = 90 * 24 * time.Hour
	refreshLifetimeSPA = 24 * time.Hour
)

// consent is what a user granted a client.
type consent struct {
	client string
	tenant string // directory ID
	user   directory.User
	scopes scopeSet
	claims claimsRequest

	profile  bool      // an earlier request of this grant asked for that scope
	authTime time.Time // of the sign-in, where the client asked for it by max_age
	platform platform  // of the redirect URI
	pkce     bool      // the code was bound by PKCE
	version  int       // of the endpoint, and so of ID tokens
}

// needsSecret reports whether the client must prove itself to get tokens: not a
// page, and not a program on this machine that used PKCE instead.
func (c consent) needsSecret(client directory.App) bool {
	switch {
	case c.platform == spaPlatform, !client.Confidential():
		return false
	}
	return c.platform != loosePlatform || !c.pkce
}

type session struct {
	id            string // a GUID, sent as session_state
	user          directory.User
	authenticated time.Time // when the user last signed in
}

type authorizationCode struct {
	consent
	redirectURI     string
	redirectImplied bool // the request named none
	nonce           string
	challenge       string
	challengeMethod string
	expires         time.Time
	redeemed        bool
}

type refreshToken struct {
	consent
	expires time.Time
}

const vaultSize = 10_000

// vault keeps values under random names, the latest vaultSize of them. Its zero
// value is ready, and it is safe for concurrent use.
type vault[T any] struct {
	mu      sync.Mutex
	entries map[string]T
	order   []string
}

// put keeps the value under a new random name.
func (v *vault[T]) put(value T) (name string) {
	name = "1." + base64url(directory.RandomBytes(48))
	v.putAs(name, value)
	return name
}

func (v *vault[T]) putAs(name string, value T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.entries == nil {
		v.entries = map[string]T{}
	}
	v.entries[name] = value
	v.order = append(v.order, name)
	if len(v.order) > vaultSize {
		delete(v.entries, v.order[0])
		v.order = v.order[1:]
	}
}

func (v *vault[T]) get(name string) (T, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	value, ok := v.entries[name]
	return value, ok
}

// swap stores what change makes of the value, and returns the value as it was, in
// one step.
func (v *vault[T]) swap(name string, change func(T) T) (before T, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if before, ok = v.entries[name]; ok {
		v.entries[name] = change(before)
	}
	return before, ok
}

func (v *vault[T]) drop(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.entries, name)
}
