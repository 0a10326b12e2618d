package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/benchmarks/paired"
	"github.com/entra-go/entra/internal/benchmarks/sample"
)

// hostile is a token that is refused before its signature is checked.
type hostile struct{ name, token string }

func (lab *laboratory) hostiles() []hostile {
	token := sample.Token(lab.tenant)
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	minted := func(option entratest.TokenOption) string { return sample.Token(lab.tenant, option) }
	return []hostile{
		{"too large, 20 KB", header + "." + payload + strings.Repeat("A", 20<<10) + "." + signature},
		{"two segments", header + "." + payload},
		{"header that is no JSON", header[4:] + "." + rest},
		{"payload that is no base64url", header + "." + payload + "+." + signature},
		{"signature that is no base64url", token + "+"},
		{"wrong algorithm", minted(entratest.Header("alg", "RS384"))},
		{"unsigned", minted(entratest.Header("alg", "none")) + signature},
		{"token for Microsoft Graph", minted(entratest.Graph())},
		{"unknown key", minted(entratest.SignedBy(lab.tenant.UnknownKey()))},
	}
}

// refusal is what refusing a token costs, as multiples of the bare signature check.
type refusal struct {
	name              string
	decided, answered float64 // the decision alone; with the whole answer
}

var errAccepted = errors.New("a hostile token was accepted")

// refuse measures refusals that come before the signature check: the decision alone, and with the whole answer.
func (lab *laboratory) refuse(ctx context.Context) ([]refusal, error) {
	verifier, err := sample.Verifier(ctx, lab.tenant, 0)
	if err != nil {
		return nil, err
	}
	// A Verifier in use remembers the header segment of valid tokens, which hostile ones may carry too.
	if _, err := verifier.Verify(ctx, lab.tokens[0]); err != nil {
		return nil, err
	}
	handler := verifier.Authenticate(http.NotFoundHandler())
	works := []paired.Work{lab.work(lab.bare, 1)}
	hostiles := lab.hostiles()
	for _, h := range hostiles {
		works = append(works,
			paired.Work{Name: h.name, Cores: 1, Do: func(int) error {
				if _, err := verifier.Verify(ctx, h.token); err == nil {
					return errAccepted
				}
				return nil
			}},
			paired.Work{Name: h.name + ", answered", Cores: 1, Do: serve(handler, h.token, http.StatusUnauthorized)})
	}
	result, err := lab.run(400, 2*time.Millisecond, works)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(lab.out, "\n| refused token | decision | with the answer |\n|---|--:|--:|\n")
	var refusals []refusal
	for i, h := range hostiles {
		r := refusal{h.name, result.Ratio(2*i+1, 0), result.Ratio(2*i+2, 0)}
		refusals = append(refusals, r)
		fmt.Fprintf(lab.out, "| %s | %.3f | %.3f |\n", r.name, r.decided, r.answered)
	}
	return refusals, nil
}

// serve returns work that serves a request with the token and expects this status.
func serve(handler http.Handler, token string, status int) func(int) error {
	request := httptest.NewRequest(http.MethodGet, "https://api.example/orders", nil)
	request.Header.Set("Authorization", "Bearer "+token)
	return func(int) error {
		answer := reply{header: make(http.Header)}
		handler.ServeHTTP(&answer, request)
		if answer.status != status {
			return fmt.Errorf("got status %d, want %d", answer.status, status)
		}
		return nil
	}
}

// reply is a ResponseWriter that keeps the status only.
type reply struct {
	header http.Header
	status int
}

func (r *reply) Header() http.Header         { return r.header }
func (r *reply) Write(p []byte) (int, error) { return len(p), nil }
func (r *reply) WriteHeader(status int)      { r.status = status }
