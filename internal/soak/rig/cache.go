package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/entra-go/entra"
)

// cache is the cache of one Verifier: a folder that all of them share. It records in the ledger what they find there.
type cache struct {
	entra.KeyCache
	api      *api
	instance int
}

// Get records the keys of an entry before the Verifier has them.
func (c *cache) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := c.KeyCache.Get(ctx, name)
	if err == nil && c.api.ledger.Restored(c.instance, time.Now(), entryKeyIDs(data)) {
		c.api.report.restored(c.api.entra.troubled())
	}
	return data, err
}

// entryKeyIDs returns the key IDs of the document in an entry. Its first line is JSON that holds the document as base64.
func entryKeyIDs(data []byte) []string {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	var entry struct{ Keys []byte }
	if json.Unmarshal(line, &entry) != nil {
		return nil
	}
	return keyIDs(entry.Keys)
}
