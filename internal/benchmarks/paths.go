package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/benchmarks/paired"
	"github.com/entra-go/entra/internal/benchmarks/sample"
)

// path is one way through a Verifier: with tokens that it has seen or not, alone or with another authority before it.
type path struct {
	name     string
	verifier *entra.Verifier
	tokens   []string
	base     int // the path that does the same alone; itself if it is alone
}

// The paths of a Verifier alone. Path 0 is the bare check; those of combined Verifiers follow in the same order.
const (
	pathSeen = iota + 1
	pathNew
	pathTakenIn
)

// others returns a Verifier of another authority, whose keys are held.
func others(ctx context.Context) (*entra.Verifier, *entratest.Server, error) {
	const authority = "https://contoso.ciamlogin.com/" + entratest.TenantID + "/v2.0"
	tenant, err := entratest.NewServer(entratest.Config{Authority: authority})
	if err != nil {
		return nil, nil, err
	}
	verifier, err := entra.NewVerifier(entra.Options{
		Authority:  authority,
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, err
	}
	if err := verifier.Ready(ctx); err != nil {
		return nil, nil, err
	}
	_, err = verifier.Verify(ctx, tenant.Token())
	return verifier, tenant, err
}

// paths measures what the memory of tokens costs and saves, alone and with several authorities combined.
func (lab *laboratory) paths(ctx context.Context) error {
	other, customers, err := others(ctx)
	if err != nil {
		return err
	}
	defer customers.Close()
	// So many more tokens than the memory holds that none is met again while it is remembered.
	const few, many = 8, 800
	tokens := sample.Tokens(lab.tenant, many)
	all := []path{
		pathSeen - 1:    {"seen before", nil, lab.tokens, pathSeen},
		pathNew - 1:     {"new, no memory", nil, tokens, pathNew},
		pathTakenIn - 1: {"new, taken into the memory", nil, tokens, pathTakenIn},
	}
	for i, size := range []int{0, -1, few} {
		if all[i].verifier, err = sample.Verifier(ctx, lab.tenant, size); err != nil {
			return err
		}
		combined, err := entra.Combine(other, all[i].verifier)
		if err != nil {
			return err
		}
		all = append(all, path{all[i].name + ", with another authority", combined, all[i].tokens, all[i].base})
	}
	works := []paired.Work{lab.work(lab.bare, 1)}
	for _, p := range all {
		next := 0 // Each slice goes on where the last one ended, lest it begin with tokens that are remembered.
		works = append(works, paired.Work{Name: p.name, Cores: 1, Do: func(int) error {
			next++
			_, err := p.verifier.Verify(ctx, p.tokens[next%len(p.tokens)])
			return err
		}})
	}
	result, err := lab.run(1000, 2*time.Millisecond, works)
	if err != nil {
		return err
	}
	fmt.Fprint(lab.out, "\n| one token | of the bare check | of the same alone |\n|---|--:|--:|\n")
	for i, p := range all {
		fmt.Fprintf(lab.out, "| %s | %s | %.3f |\n", p.name, multiple(result.Ratio(i+1, 0)), result.Ratio(i+1, p.base))
	}
	return nil
}
