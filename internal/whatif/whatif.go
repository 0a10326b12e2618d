// Package whatif says what package entra answers to a request, as it is, and as it would be if the token's signature were
// good or another time had come. It lets package entra itself judge, so that the two never disagree.
package whatif

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

// API is the API that a token is judged for. HTTPClient and ErrorHandler of its options are not used.
type API struct {
	Options      entra.Options
	Requirements []entra.Requirement // of the route
}

// Judgement is what package entra answers to a request.
type Judgement struct {
	Err       error         // nil if the token is accepted
	Claims    *entra.Claims // nil unless the token itself is valid
	Status    int
	Challenge string // the value of WWW-Authenticate

	// IssuerAssumed says that the authority's issuer is not known, and the token's own was taken for it.
	IssuerAssumed bool
}

// Reason returns why the token is refused, "" if it is accepted.
func (j Judgement) Reason() entra.Reason { return entra.ReasonOf(j.Err) }

// Advice says what to change.
func (j Judgement) Advice() advice.Advice { return advice.On(j.Err, j.Claims) }

// Judge sends a request with these values of the Authorization header through package entra's own middleware, which
// fetches its keys over network. The error says what is wrong with the options, or that ctx ended.
func (a API) Judge(ctx context.Context, network http.RoundTripper, authorization []string) (Judgement, error) {
	var j Judgement
	options := a.Options
	options.HTTPClient = &http.Client{Transport: network}
	options.ErrorHandler = func(_ http.ResponseWriter, r *http.Request, err error) {
		j.Err = err
		j.Claims, _ = entra.ClaimsFromContext(r.Context())
	}
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return j, err
	}
	var route http.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		j.Claims, _ = entra.ClaimsFromContext(r.Context())
	})
	if len(a.Requirements) > 0 {
		route = entra.Require(a.Requirements...)(route)
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
	j.Status, j.Challenge = answer.status, answer.header.Get("WWW-Authenticate")
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

// Assumption is what a judgement takes for granted.
type Assumption struct {
	Signature bool      // the signature is good, and made with one of Entra's keys
	Stranger  bool      // the key is none of Entra's; excludes Signature
	At        time.Time // it is this time, at most [Furthest] from now; zero for now
}

// Furthest bounds how far from now a token is judged, so that moved dates stay within those that a token may have.
const Furthest = 40 * 365 * 24 * time.Hour

// Assumed is a judgement under an assumption.
type Assumed struct {
	Assumption
	Judgement
}

// Otherwise says what else is wrong with a token that was judged under an assumption: if its key is not known or cannot be
// had, what follows if the signature is good, and if it is then too old or too new, what follows at the time of its issue.
// Most tokens in a bug report are old, and most wrong options show as a key that is not known: for a token of another
// issuer whose signature was assumed to be good, it also says what is said of such a key.
func (a API) Otherwise(ctx context.Context, last Assumed, fetched map[string][]byte, authorization []string) (list []Assumed, err error) {
	ask := func(given Assumption) bool {
		last = Assumed{Assumption: given}
		if last.Judgement, err = a.JudgeIf(ctx, given, fetched, authorization); err == nil {
			list = append(list, last)
		}
		return err == nil
	}
	if last.Signature && last.Advice().Step == advice.Issuer {
		ask(Assumption{Stranger: true, At: last.At})
		return list, err
	}
	if reason := last.Reason(); reason == entra.ReasonUnknownKey || reason == entra.ReasonKeysUnavailable {
		if !ask(Assumption{Signature: true, At: last.At}) {
			return nil, err
		}
	}
	issued := issuedAt(authorization)
	if reason := last.Reason(); last.At.IsZero() && !issued.IsZero() && (reason == entra.ReasonExpired || reason == entra.ReasonNotYetValid) {
		if !ask(Assumption{Signature: last.Signature, At: issued}) {
			return nil, err
		}
	}
	return list, nil
}

// issuedAt returns when the token began to be valid, by its nbf or else its iat, or the zero time.
func issuedAt(authorization []string) time.Time {
	token, _ := tokenOf(authorization)
	var payload map[string]json.RawMessage
	if json.Unmarshal(token.payload, &payload) != nil {
		return time.Time{}
	}
	for _, name := range []string{"nbf", "iat"} {
		if seconds, ok := NumberOf(payload[name]); ok && time.Until(unix(seconds)).Abs() < Furthest {
			return unix(seconds)
		}
	}
	return time.Time{}
}

func unix(seconds float64) time.Time { return time.Unix(int64(seconds), 0).UTC() }

// JudgeIf judges the token as package entra would if the assumption held. It lets package entra itself do so: it signs the
// token's own text with a key of this process, and serves the key documents with that key in place of the one that the
// token names. To judge at another time it moves the token's dates by the difference to now. fetched has the documents that
// were fetched for [API.Judge], by their URLs; others are made up under an assumption about the key.
func (a API) JudgeIf(ctx context.Context, given Assumption, fetched map[string][]byte, authorization []string) (Judgement, error) {
	standIn, err := newStandIn(fetched, given.Signature || given.Stranger)
	if err != nil {
		return Judgement{}, err
	}
	standIn.stranger = given.Stranger
	j, err := a.judgeOver(ctx, standIn, given.At, authorization)
	j.IssuerAssumed = standIn.inventedIssuer.Load()
	return j, err
}

// judgeOver judges the token over a stand-in, at a time unless that is zero.
func (a API) judgeOver(ctx context.Context, standIn *standIn, at time.Time, authorization []string) (Judgement, error) {
	token, ok := tokenOf(authorization)
	if !ok {
		return a.Judge(ctx, standIn, authorization)
	}
	standIn.kid, standIn.issuer = member(token.header, "kid"), member(token.payload, "iss")
	// The original is judged first, because its signature segment may be malformed. The stand-in's key did not make its
	// signature, so the original is refused for that once it has passed every check before.
	original, err := a.Judge(ctx, standIn, authorization)
	if err != nil || original.Reason() != entra.ReasonSignature {
		return original, err
	}
	signed := token.text
	var dates movedDates
	if !at.IsZero() {
		signed, dates = token.movedBy(untilSeconds(at))
	}
	signature, err := standIn.sign(signed)
	if err != nil {
		return Judgement{}, err
	}
	scheme, _, _ := strings.Cut(authorization[0], " ")
	j, err := a.Judge(ctx, standIn, []string{scheme + " " + signed + "." + signature})
	if j.Err != nil && !at.IsZero() {
		j.Err = movedBack{j.Err, dates}
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
		date, isNumber := NumberOf(value)
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

// NumberOf returns a JSON value that is a number, such as a date of a token.
func NumberOf(value json.RawMessage) (float64, bool) {
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
