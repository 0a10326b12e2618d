package entra

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/jws"
	"github.com/entra-go/entra/internal/keyset"
	"github.com/entra-go/entra/internal/policy"
	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/golang-jwt/jwt/v5"
)

// Combine returns a Verifier that accepts what any of verifiers accepts, such as the tokens of staff (Entra ID) beside
// those of customers (External ID, Azure AD B2C). Each token is judged by the one Verifier that is configured for its
// issuer, and by no other: an authority that is away or hangs costs its own users a 503, and the others nothing. The order
// makes no difference to what is accepted.
//
// The issuer is read before the signature is checked, to choose and for nothing else: the chosen Verifier compares it
// again, and a token of an issuer that nobody expects is refused with [ReasonIssuer] before any key is looked for. What
// answers, logs and counts is the chosen Verifier's; where there is none to choose, the first one's. [Verifier.Stats] adds
// up, [Verifier.Ready] is nil once any Verifier holds keys, and [Verifier.ResourceMetadata] describes the first Resource
// with the authorization servers of all. The combined Verifiers can be used by themselves too, and share keys, memory and
// counts with the result.
//
// The issuer of an [Options.Authority] is known once its metadata has been read. Until then a token is thought to be its
// own if the issuer is on the authority's host or, as with External ID, on the host named after the directory.
//
// Combine returns an error that names every mistake: no Verifier, one that is nil or zero, two that would accept tokens of
// one issuer.
func Combine(verifiers ...*Verifier) (*Verifier, error) {
	var wrong []error
	var authorities []*authority
	var from []int // the argument that each authority comes from, counted from 1
	for i, v := range verifiers {
		if v == nil || v.isZero() {
			wrong = append(wrong, fmt.Errorf("entra: Combine: Verifier %d of %d is nil or zero; make it with entra.NewVerifier", i+1, len(verifiers)))
			continue
		}
		for _, a := range v.authorities {
			authorities, from = append(authorities, a), append(from, i+1)
		}
	}
	if len(verifiers) == 0 {
		wrong = append(wrong, errors.New("entra: Combine: got no Verifier; give the Verifier of each authority"))
	}
	for i, a := range authorities {
		for j, b := range authorities[:i] {
			if why := policy.Overlap(b.policy, a.policy); why != "" {
				wrong = append(wrong, fmt.Errorf("entra: Combine: Verifiers %d and %d %s; each issuer needs exactly one", from[j], from[i], why))
			}
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return newVerifier(authorities...), nil
}

// verifyAmong lets the authority judge that the token's issuer belongs to, and returns it. size is the token's length.
func (v *Verifier) verifyAmong(ctx context.Context, t *candidate, size int) (*Claims, *authority, error) {
	// A remembered token needs no choice: the authority that remembers it has accepted its issuer.
	now := time.Now()
	for _, a := range v.authorities {
		if size > a.maxTokenSize {
			continue
		}
		if claims, err := a.recall(t, now); claims != nil || err != nil {
			return claims, a, err
		}
	}
	a, err := v.choose(ctx, t)
	if err != nil {
		return nil, v.authorities[0], err
	}
	if size > a.maxTokenSize {
		return nil, a, jws.TooLarge(size, a.maxTokenSize)
	}
	// The choice may have waited for metadata.
	claims, err := a.verifyNew(ctx, t, time.Now())
	return claims, a, err
}

// choose returns the authority that the token's issuer belongs to.
func (v *Verifier) choose(ctx context.Context, t *candidate) (*authority, error) {
	if _, err := t.Decode(make([]byte, keyset.MaxSignature)); err != nil {
		return nil, err
	}
	issuer, err := claimset.Issuer(t.Payload)
	if err != nil {
		return nil, err
	}
	chosen, perhaps := v.expecting(issuer)
	if len(chosen) == 0 && len(perhaps) > 1 {
		// Which one it is, their metadata says. Others do not wait for this.
		if err := readyAll(ctx, perhaps); err != nil {
			return nil, err
		}
		chosen, perhaps = v.expecting(issuer)
	}
	if len(chosen) == 0 {
		chosen = perhaps
	}
	switch {
	case len(chosen) == 1:
		return chosen[0], nil
	case len(chosen) > 1:
		return nil, refuse.New(refuse.Issuer, "the metadata of several authorities names the issuer %s; each issuer needs exactly one Verifier in Combine", quote.Text(issuer))
	}
	// A header that no Entra token has says more than the issuer does.
	if _, err := jws.KeyID(t.Header); err != nil {
		return nil, err
	}
	_, audience := claimset.Unverified(t.Payload)
	return nil, v.unexpected(issuer, audience)
}

// expecting returns the authorities whose token this issuer makes it, and those whose it may be.
func (v *Verifier) expecting(issuer string) (sure, perhaps []*authority) {
	for _, a := range v.authorities {
		switch a.policy.Expects(issuer, a.keys.Issuer()) {
		case policy.Yes:
			sure = append(sure, a)
		case policy.Perhaps:
			perhaps = append(perhaps, a)
		}
	}
	return sure, perhaps
}

func (v *Verifier) unexpected(issuer, audience string) error {
	expected := make([]string, len(v.authorities))
	for i, a := range v.authorities {
		expected[i] = a.policy.ExpectedIssuers(a.keys.Issuer())
	}
	refused := refuse.New(refuse.Issuer, "none of the combined Verifiers is configured for the token's issuer; expected %s: add a Verifier for that authority to Combine, or let the client get a token from one of these; ",
		strings.Join(expected, "; ")).Because(jwt.ErrTokenInvalidIssuer)
	refused.Text += v.authorities[0].policy.Unverified(issuer, audience)
	return refused
}

// readyAny fetches the keys of all authorities side by side, and returns nil once any of them holds keys.
func readyAny(ctx context.Context, authorities []*authority) error {
	errs := make(chan error, len(authorities))
	for _, a := range authorities {
		go func() { errs <- a.keys.ready(ctx) }()
	}
	var failed []error
	for range authorities {
		err := <-errs
		if err == nil {
			return nil
		}
		failed = append(failed, err)
	}
	return combined(failed)
}

// readyAll fetches the keys of all authorities side by side, and returns nil if any of them holds keys then.
func readyAll(ctx context.Context, authorities []*authority) error {
	errs := make([]error, len(authorities))
	var wait sync.WaitGroup
	for i, a := range authorities {
		wait.Go(func() { errs[i] = a.keys.ready(ctx) })
	}
	wait.Wait()
	for _, err := range errs {
		if err == nil {
			return nil
		}
	}
	return combined(errs)
}

// combined makes one error of those of several authorities: that of the caller's context or, since every one is away,
// ErrKeysUnavailable with what each says.
func combined(errs []error) error {
	all := &refusal{Sentinel: ErrKeysUnavailable, Reason: string(ReasonKeysUnavailable)}
	texts := make([]string, len(errs))
	for i, err := range errs {
		refused, ok := err.(*refusal)
		if !ok {
			return err
		}
		if texts[i] = refused.Text; i == 0 || refused.RetryAfter < all.RetryAfter {
			all.RetryAfter = refused.RetryAfter
		}
	}
	all.Text = strings.Join(texts, "; ")
	return all
}
