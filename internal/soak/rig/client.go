package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/entra-go/entra/internal/soak/invariants"
)

// patience is how long most clients wait for an answer: longer than the API may take.
const patience = 30 * time.Second

// client sends requests from one goroutine.
type client struct {
	api      *api
	keyring  *keyring
	ledger   *invariants.Ledger
	report   *report
	http     *http.Client
	flood    *atomic.Bool
	interval time.Duration // between requests, on average
	random   *rand.Rand
}

// run sends requests until ctx ends, and then waits for the last answer.
func (c *client) run(ctx context.Context) {
	for sleep(ctx, time.Duration(c.random.ExpFloat64()*float64(c.interval))) {
		c.exchange(c.pick())
	}
}

// sleep waits for d and returns true, or false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *client) pick() *credential {
	share := c.random.Float64()
	if c.flood.Load() {
		share *= 0.4
	}
	switch {
	case share < 0.06:
		return junkKeyID(c.random)
	case share < 0.12:
		return junk(c.random)
	case share < 0.16:
		return c.keyring.odd[c.random.IntN(len(c.keyring.odd))]
	case share < 0.24:
		briefs := *c.keyring.briefs.Load()
		return briefs[c.random.IntN(len(briefs))]
	}
	generations := *c.keyring.shown.Load()
	g := generations[len(generations)-1]
	if c.random.IntN(3) == 0 {
		g = generations[c.random.IntN(len(generations))]
	}
	// Half of these requests are good ones: the classes of good tokens come first.
	if c.random.IntN(2) == 0 {
		return g.tokens[c.random.IntN(validClasses)]
	}
	return g.tokens[c.random.IntN(len(g.tokens))]
}

// exchange sends one request and has its answer judged.
func (c *client) exchange(cr *credential) {
	limit := patience
	if time.Now().Before(cr.hasty) && c.random.IntN(2) == 0 {
		limit = time.Duration(1 + c.random.ExpFloat64()*float64(time.Second))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api.url+cr.path, nil)
	if err != nil {
		panic(err) // The URL is built from constants and the API's own address.
	}
	r.Header["Authorization"] = cr.values
	response, body, err := c.send(r)
	switch {
	case err == nil:
		c.judge(cr, response, body, time.Now())
	case limit < patience && errors.Is(err, context.DeadlineExceeded):
		c.report.left(cr.class)
	default:
		c.report.violation(brokenAnswer, fmt.Sprintf("%s: no answer: %v", cr.class, err))
	}
}

const bodyLimit = 64 << 10

func (c *client) send(r *http.Request) (*http.Response, []byte, error) {
	response, err := c.http.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	return response, body, err
}

func (c *client) judge(cr *credential, response *http.Response, body []byte, ended time.Time) {
	number, _ := strconv.Atoi(response.Header.Get(instanceHeader))
	arrived := c.api.arrived(response.Header)
	x := invariants.Exchange{
		Token:    cr.token,
		Verifier: number,
		Arrived:  arrived,
		Ended:    ended,
		Stalled:  c.report.stalls.since(arrived),
		Answer:   invariants.Answer{Status: response.StatusCode, Reason: reasonIn(response, body)},
	}
	verdict := c.ledger.Judge(x)
	c.report.exchange(cr, x, verdict)
	if flaw := inspect(cr, response, body); flaw != "" {
		c.report.violation(brokenAnswer, fmt.Sprintf("%s: %s: %s", cr.class, x.Answer, flaw))
	}
}

func reasonIn(response *http.Response, body []byte) string {
	var problem struct{ Reason string }
	if response.StatusCode != http.StatusOK && json.Unmarshal(body, &problem) != nil {
		return "(unreadable)"
	}
	return problem.Reason
}

// inspect returns what is wrong with the form of an answer, right or wrong as its status may be.
func inspect(cr *credential, response *http.Response, body []byte) string {
	header, status := response.Header, response.StatusCode
	if status == http.StatusOK {
		var who identity
		switch err := json.Unmarshal(body, &who); {
		case header.Get(reachedHeader) == "":
			return "status 200 without the handler"
		case err != nil || who != cr.who:
			return fmt.Sprintf("the handler saw %+v, the token says %+v", who, cr.who)
		}
		return ""
	}
	challenge := header.Get("WWW-Authenticate")
	switch {
	case header.Get(reachedHeader) != "":
		return "the handler ran for a request that was refused"
	case status != 503 && !strings.HasPrefix(challenge, `Bearer realm=""`):
		return "the challenge is " + strconv.Quote(challenge)
	case status == 503 && (challenge != "" || header.Get("Retry-After") == ""):
		return "status 503 with a challenge or without Retry-After"
	case header.Get("Cache-Control") != "no-store" || header.Get("Content-Type") != "application/problem+json":
		return fmt.Sprintf("headers %v", header)
	case holdsSecret(string(body)):
		return "the answer holds a part of a token or a name"
	}
	return ""
}
