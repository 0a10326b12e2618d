package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/internal/advice"
)

// api is the API that a token is judged for.
type api struct {
	options      entra.Options
	requirements []entra.Requirement
}

// judgement is what package entra answers to a request.
type judgement struct {
	err       error         // nil if the token is accepted
	claims    *entra.Claims // nil unless the token itself is valid
	status    int
	challenge string

	issuerAssumed bool // the authority's issuer is not known
}

func (j judgement) reason() entra.Reason { return entra.ReasonOf(j.err) }

// step returns the check at which the token was refused.
func (j judgement) step() advice.Step { return advice.On(j.err, j.claims).Step }

// judge sends a request with these values of the Authorization header through package entra's own middleware, which
// fetches its keys over network.
func (a api) judge(ctx context.Context, network http.RoundTripper, authorization []string) (judgement, error) {
	var j judgement
	options := a.options
	options.HTTPClient = &http.Client{Transport: network}
	options.ErrorHandler = func(_ http.ResponseWriter, r *http.Request, err error) {
		j.err = err
		j.claims, _ = entra.ClaimsFromContext(r.Context())
	}
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return j, err
	}
	var route http.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		j.claims, _ = entra.ClaimsFromContext(r.Context())
	})
	if len(a.requirements) > 0 {
		route = entra.Require(a.requirements...)(route)
	}
	request := (&http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: "/"}, Host: "localhost",
		Header: http.Header{"Authorization": authorization}, Body: http.NoBody,
	}).WithContext(ctx)
	answer := &answer{header: make(http.Header), status: http.StatusOK}
	verifier.Authenticate(route).ServeHTTP(answer, request)
	if err := ctx.Err(); err != nil {
		return j, err
	}
	j.status, j.challenge = answer.status, answer.header.Get("WWW-Authenticate")
	return j, nil
}

// answer is an http.ResponseWriter that keeps status and header.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }

// assumption is what a judgement takes for granted that was not found out.
type assumption struct {
	signature bool      // the signature is good, and made with one of Entra's keys
	at        time.Time // it is this time; zero for now
}

// judgeIf judges the token as package entra would if the assumption held. It lets package entra itself do so: it signs the
// token's own text with a key of this process, and serves the key documents with that key in place of the one that the
// token names. To judge at another time it moves the token's dates by the difference to now.
func (a api) judgeIf(ctx context.Context, given assumption, fetched map[string][]byte, authorization []string) (judgement, error) {
	standIn, err := newStandIn(fetched, given.signature)
	if err != nil {
		return judgement{}, err
	}
	j, err := a.judgeOver(ctx, standIn, given.at, authorization)
	j.issuerAssumed = standIn.inventedIssuer.Load()
	return j, err
}

// judgeOver judges the token over a stand-in, at a time unless that is zero.
func (a api) judgeOver(ctx context.Context, standIn *standIn, at time.Time, authorization []string) (judgement, error) {
	token, ok := tokenOf(authorization)
	if !ok {
		return a.judge(ctx, standIn, authorization)
	}
	standIn.kid, standIn.issuer = member(token.header, "kid"), member(token.payload, "iss")
	// The original is judged first, because its signature segment may be malformed. The stand-in's key did not make its
	// signature, so the original is refused for that once it has passed every check before.
	original, err := a.judge(ctx, standIn, authorization)
	if err != nil || original.reason() != entra.ReasonSignature {
		return original, err
	}
	signed := token.text
	var dates movedDates
	if !at.IsZero() {
		signed, dates = token.movedBy(untilSeconds(at))
	}
	signature, err := standIn.sign(signed)
	if err != nil {
		return judgement{}, err
	}
	scheme, _, _ := strings.Cut(authorization[0], " ")
	j, err := a.judge(ctx, standIn, []string{scheme + " " + signed + "." + signature})
	if j.err != nil && !at.IsZero() {
		j.err = movedBack{j.err, dates}
	}
	return j, err
}

// untilSeconds returns the time until then in whole seconds, rounded up so that then has come once they have passed.
func untilSeconds(then time.Time) time.Duration {
	until := time.Until(then)
	seconds := until.Truncate(time.Second)
	if seconds < until {
		seconds += time.Second
	}
	return seconds
}

// parsedToken is a token in three segments, of which header and payload are JSON objects. What cannot be decoded is
// nil; only package entra decides whether a token is well formed.
type parsedToken struct {
	text            string // the first two segments
	header, payload []byte
}

// tokenOf returns the token of an Authorization header, if it has one.
func tokenOf(authorization []string) (t parsedToken, ok bool) {
	if len(authorization) != 1 {
		return t, false
	}
	_, token, _ := strings.Cut(authorization[0], " ")
	segments := strings.Split(token, ".")
	if len(segments) != 3 {
		return t, false
	}
	t.text = segments[0] + "." + segments[1]
	t.header, _ = base64.RawURLEncoding.DecodeString(segments[0])  // nil is a header without members
	t.payload, _ = base64.RawURLEncoding.DecodeString(segments[1]) // likewise
	return t, true
}

// member returns a member of a JSON object that is a string, or "".
func member(object []byte, name string) string {
	var members map[string]json.RawMessage
	var value string
	if json.Unmarshal(object, &members) == nil {
		_ = json.Unmarshal(members[name], &value) // "" if it is no string
	}
	return value
}

// movedDates are dates of a token that were moved, to judge it at another time.
type movedDates struct {
	passed   time.Duration
	original map[string]string // by the date in its place; both as package entra's texts write them
}

// movedBy returns the token's text with the dates of its payload earlier by the duration. Package entra then judges it as
// if the duration had passed. All other text of the payload stays as it is.
func (t parsedToken) movedBy(passed time.Duration) (text string, dates movedDates) {
	dates = movedDates{passed, make(map[string]string)}
	decoder := json.NewDecoder(bytes.NewReader(t.payload))
	if _, err := decoder.Token(); err != nil {
		return t.text, dates
	}
	var moved []byte
	end := 0
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil {
			return t.text, dates
		}
		date, isNumber := numberOf(value)
		if !isNumber || name != "exp" && name != "nbf" && name != "iat" {
			continue
		}
		// A date before 1970 would be refused as malformed, not as past.
		other := max(0, date-passed.Seconds())
		dates.original[stamp(other)] = stamp(date)
		start := int(decoder.InputOffset()) - len(value)
		moved = append(moved, t.payload[end:start]...)
		moved = strconv.AppendFloat(moved, other, 'f', -1, 64)
		end = int(decoder.InputOffset())
	}
	moved = append(moved, t.payload[end:]...)
	header, _, _ := strings.Cut(t.text, ".")
	return header + "." + base64.RawURLEncoding.EncodeToString(moved), dates
}

func numberOf(value json.RawMessage) (float64, bool) {
	var number any
	_ = json.Unmarshal(value, &number) // nil if it is too large a number
	float, ok := number.(float64)
	return float, ok
}

// stamp writes a date as package entra's texts do.
func stamp(seconds float64) string {
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
}

var stampPattern = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// movedBack is an error whose text names the token's own dates again.
type movedBack struct {
	error
	dates movedDates
}

func (m movedBack) Unwrap() error { return m.error }

func (m movedBack) Error() string {
	return stampPattern.ReplaceAllStringFunc(m.error.Error(), func(text string) string {
		if original, ok := m.dates.original[text]; ok {
			return original
		}
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return text
		}
		return moment.Add(m.dates.passed).Format(time.RFC3339)
	})
}
