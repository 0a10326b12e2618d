package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/entra-go/entra"
)

type customer struct {
	tenantID string
	plan     string
}

var errNoCustomer = errors.New("no such customer")

// customers stands for a table in your database. Its key is the tenant ID, because names and domains of tenants can
// change hands.
type customers struct {
	mu       sync.RWMutex
	byTenant map[string]customer
}

func newCustomers() *customers { return &customers{byTenant: make(map[string]customer)} }

// mayCall is an entra.Requirement. An error that wraps ErrForbidden is answered with 403; any other, such as a database
// that cannot be reached, with 500, so that a lookup that fails lets nobody in.
func (c *customers) mayCall(ctx context.Context, claims *entra.Claims) error {
	_, err := c.find(ctx, claims.TenantID)
	if errors.Is(err, errNoCustomer) {
		return fmt.Errorf("tenant %s is no customer: %w", claims.TenantID, entra.ErrForbidden)
	}
	return err
}

func (c *customers) find(ctx context.Context, tenantID string) (customer, error) {
	if err := ctx.Err(); err != nil {
		return customer{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	found, ok := c.byTenant[tenantID]
	if !ok {
		return customer{}, errNoCustomer
	}
	return found, nil
}

// add makes a tenant a customer. It changes nothing for a tenant that is one already.
func (c *customers) add(ctx context.Context, added customer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byTenant[added.tenantID]; !ok {
		c.byTenant[added.tenantID] = added
	}
	return nil
}
