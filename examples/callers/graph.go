package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/entra-go/entra"
)

const (
	maxNotification = 4 << 20 // bytes of a request
	maxTokens       = 100     // Graph sends one for each pair of application and tenant
	maxWaiting      = 100     // requests that wait for work
)

// notification is what this program reads of a change.
type notification struct {
	SubscriptionID string `json:"subscriptionId"`
	TenantID       string `json:"tenantId"`
	ChangeType     string `json:"changeType"`
}

// notifications receives changes from Microsoft Graph and hands over those that are genuine.
type notifications struct {
	verifier *entra.Verifier
	waiting  chan []byte
	handle   func(notification)
}

func newNotifications(verifier *entra.Verifier, handle func(notification)) *notifications {
	return &notifications{verifier, make(chan []byte, maxWaiting), handle}
}

// receive answers 202 to every notification, before anything is verified, as Microsoft asks: whoever sends a forged one
// learns nothing. It stands outside of Authenticate, because Graph sends no Authorization header.
func (n *notifications) receive(w http.ResponseWriter, r *http.Request) {
	if text := r.URL.Query().Get("validationToken"); text != "" { // Graph asks whether this is the right place
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff") // anybody can ask this, with any text
		io.WriteString(w, text)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotification))
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	select {
	case n.waiting <- body:
		w.WriteHeader(http.StatusAccepted)
	default: // Graph comes back
		w.Header().Set("Retry-After", "10")
		http.Error(w, "", http.StatusServiceUnavailable)
	}
}

// work verifies what was received until ctx ends.
func (n *notifications) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case body := <-n.waiting:
			n.process(ctx, body)
		}
	}
}

func (n *notifications) process(ctx context.Context, body []byte) {
	for {
		items, err := n.genuine(ctx, body)
		switch {
		case err == nil:
			for _, item := range items {
				n.handle(item)
			}
			return
		case !errors.Is(err, entra.ErrKeysUnavailable):
			// Not genuine. Anybody can send such: what their tokens lack the Verifier has logged, with a limit.
			return
		}
		select { // Entra is away, and no key is held yet: it has been accepted, so it must not be lost
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Second):
		}
	}
}

// genuine returns the changes in a notification if every token in it is Graph's, for this application, and every change
// belongs to a tenant that one of the tokens is of.
func (n *notifications) genuine(ctx context.Context, body []byte) ([]notification, error) {
	var collection struct {
		Value            []notification `json:"value"`
		ValidationTokens []string       `json:"validationTokens"`
	}
	if err := json.Unmarshal(body, &collection); err != nil {
		return nil, err
	}
	if count := len(collection.ValidationTokens); count == 0 || count > maxTokens {
		return nil, fmt.Errorf("%d validation tokens", count)
	}
	tenants := make(map[string]bool)
	for _, token := range collection.ValidationTokens {
		authenticated, err := n.verifier.AuthenticateContext(ctx, "Bearer "+token)
		if err != nil {
			return nil, err
		}
		if err := entra.Permit(authenticated, entra.ClientIn(graphNotifications)); err != nil {
			return nil, err
		}
		claims, _ := entra.ClaimsFromContext(authenticated)
		tenants[claims.TenantID] = true
	}
	for _, item := range collection.Value {
		if !tenants[item.TenantID] {
			return nil, fmt.Errorf("no token is of the tenant %q", item.TenantID)
		}
	}
	return collection.Value, nil
}
