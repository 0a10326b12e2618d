package keyset

import (
	"context"
	"fmt"
	"time"

	"github.com/entra-go/entra/internal/fetch"
	"github.com/entra-go/entra/internal/keydoc"
)

// Source says where a key document is: at KeysURL or, if MetadataURL is set, where the authority's OpenID metadata says.
type Source struct {
	KeysURL     string
	MetadataURL string
	// Check returns why metadata cannot be the authority's, given its issuer and jwks_uri, or nil.
	Check func(issuer, keysURL string) error
}

func (s Source) url() string {
	if s.MetadataURL != "" {
		return s.MetadataURL
	}
	return s.KeysURL
}

// fetched is what a good fetch brought.
type fetched struct {
	keys    []*Key
	issuer  string
	skipped keydoc.Skipped

	at             time.Time // when the fetch had ended
	metadata, text []byte    // the documents as they came
}

// get fetches the document, and leaves out the distrusted keys. Metadata and keys succeed or fail together.
func (s Source) get(ctx context.Context, client *fetch.Client, distrusted map[string]bool) (got *fetched, err error) {
	// A panicking transport would take down the process here, where no server recovers it.
	defer func() {
		if p := recover(); p != nil {
			got, err = nil, fmt.Errorf("the HTTP client panicked: %v", p)
		}
	}()
	got = new(fetched)
	url := s.KeysURL
	if s.MetadataURL != "" {
		body, err := client.Get(ctx, s.MetadataURL)
		if err != nil {
			return nil, err
		}
		if url, err = got.readMetadata(s, body); err != nil {
			return nil, fmt.Errorf("%s: %w", s.MetadataURL, err)
		}
	}
	body, err := client.Get(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := got.read(body, distrusted); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return got, nil
}

// readMetadata returns where the keys are.
func (got *fetched) readMetadata(s Source, body []byte) (keysURL string, err error) {
	metadata, err := keydoc.ParseMetadata(body)
	if err == nil {
		err = s.Check(metadata.Issuer, metadata.KeysURL)
	}
	if err != nil {
		return "", err
	}
	got.metadata, got.issuer = body, metadata.Issuer
	return metadata.KeysURL, nil
}

func (got *fetched) read(body []byte, distrusted map[string]bool) error {
	keys, skipped, err := keydoc.Parse(body)
	got.text, got.skipped = body, skipped
	if err != nil {
		return err
	}
	for _, doc := range keys {
		if distrusted[doc.ID] {
			continue
		}
		k, err := newKey(doc)
		if err != nil {
			got.skipped.AddKey(doc, err)
			continue
		}
		got.keys = append(got.keys, k)
	}
	switch {
	case len(got.keys) > 0:
		return nil
	case got.skipped.Count > 0:
		return fmt.Errorf("the key document names %d keys and none is usable; the first: %w", len(keys), got.skipped.First[0])
	default:
		return fmt.Errorf("the key document names %d keys and all of them are among Options.DistrustedKeys", len(keys))
	}
}
