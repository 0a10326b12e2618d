package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/internal/advice"
	"github.com/entra-go/entra/internal/whatif"
)

// report is what explain says of a token.
type report struct {
	WhatItIs  string       `json:"whatItIs"` // by what the token says of itself
	Header    []shownClaim `json:"header"`
	Payload   []shownClaim `json:"payload"`
	Verdict   verdict      `json:"verdict"`
	Otherwise []verdict    `json:"otherwise,omitempty"` // what it would be under further assumptions
}

// shownClaim is a claim or header member.
type shownClaim struct {
	Name    string          `json:"name"`
	Value   json.RawMessage `json:"value,omitempty"` // missing if it is hidden
	Hidden  bool            `json:"hidden,omitempty"`
	Time    string          `json:"time,omitempty"` // of a date
	Meaning string          `json:"meaning,omitempty"`
	Decided bool            `json:"decided,omitempty"` // the verdict depends on it

	relative string // to now, of a date
}

// verdict is a judgement in words.
type verdict struct {
	Assuming   []string     `json:"assuming,omitempty"`   // what was taken for granted
	NotChecked []string     `json:"notChecked,omitempty"` // therefore
	Accepted   bool         `json:"accepted"`
	Kind       string       `json:"kind,omitempty"`
	Status     int          `json:"status"`
	Reason     entra.Reason `json:"reason,omitempty"`
	Check      string       `json:"check,omitempty"` // at which it is refused
	Text       string       `json:"text,omitempty"`
	Change     string       `json:"change,omitempty"`
	Challenge  string       `json:"challenge,omitempty"`
}

func newVerdict(j whatif.Assumed) verdict {
	on := j.Advice()
	v := verdict{Accepted: j.Err == nil, Status: j.Status, Reason: j.Reason(), Check: on.Step.String(), Change: on.Change, Challenge: j.Challenge}
	if j.Err != nil {
		v.Text = j.Err.Error()
	}
	if j.Claims != nil {
		v.Kind = j.Claims.Kind.String()
	}
	if j.Signature {
		v.Assuming = append(v.Assuming, "the signature is good")
		v.NotChecked = []string{"the signature and its key"}
	}
	if j.Stranger {
		v.Assuming = append(v.Assuming, "the key is none of Entra's")
	}
	if j.IssuerAssumed {
		v.NotChecked = append(v.NotChecked, "the issuer, which only the authority's metadata names")
	}
	if !j.At.IsZero() {
		v.Assuming = append(v.Assuming, "it is "+j.At.Format(time.RFC3339))
	}
	return v
}

func newReport(authorization []string, j whatif.Assumed, names bool) *report {
	r := &report{Verdict: newVerdict(j)}
	_, token, _ := strings.Cut(authorization[0], " ")
	segments := strings.Split(token, ".")
	if len(segments) < 3 {
		r.WhatItIs = "no signed token (JWT)"
		return r
	}
	header, payload := membersOf(segments[0]), membersOf(segments[1])
	r.WhatItIs = whatItIs(len(segments), header, payload)
	decided := j.Advice().Look
	r.Header = shown(header, advice.HeaderMember, advice.HeaderMembers(), decided, names)
	if len(segments) == 3 {
		r.Payload = shown(payload, advice.PayloadClaim, advice.PayloadClaims(), decided, names)
	}
	return r
}

// aMember is a member of a JSON object.
type aMember struct {
	name  string
	value json.RawMessage
}

// membersOf returns the members of a segment in their order, as far as they can be read.
func membersOf(segment string) (members []aMember) {
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return nil
	}
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil {
			return members
		}
		members = append(members, aMember{fmt.Sprint(name), value})
	}
	return members
}

func text(members []aMember, name string) string {
	for _, m := range members {
		var value string
		if m.name == name && json.Unmarshal(m.value, &value) == nil {
			return value
		}
	}
	return ""
}

func has(members []aMember, name string) bool {
	return slices.ContainsFunc(members, func(m aMember) bool { return m.name == name })
}

// whatItIs says what the token claims to be. Only the verdict says whether it is.
func whatItIs(segments int, header, payload []aMember) string {
	scope := strings.TrimSpace(text(payload, "scp"))
	kind := "an access token without scopes and roles"
	switch {
	case segments == 5:
		return "an encrypted token (JWE)"
	case segments != 3:
		return "no signed token (JWT)"
	case header == nil || payload == nil:
		return "no token of Entra: its segments are no JSON objects"
	case has(header, "nonce"):
		kind = "an access token for an API of Microsoft's own"
	case scope != "" && scope != "/":
		kind = "an access token of a user"
	case text(payload, "idtyp") == "app":
		kind = "an access token of an application"
	case !has(payload, "ver") && !has(payload, "tid"):
		kind = "a token without the claims of Entra's tokens"
	case !has(payload, "azp") && !has(payload, "appid"):
		kind = "an ID token"
	case has(payload, "roles"):
		kind = "an access token of an application, or of a user without scopes"
	}
	if version := text(payload, "ver"); version == "1.0" || version == "2.0" {
		kind += ", version " + version
	}
	return kind + ", by what it says of itself"
}

// shown returns the members with what is known of them, in the order of all.
func shown(members []aMember, known func(string) (advice.Claim, bool), all []advice.Claim, decided []string, names bool) []shownClaim {
	rank := func(name string) int {
		i := slices.IndexFunc(all, func(c advice.Claim) bool { return c.Name == name })
		if i < 0 {
			return len(all)
		}
		return i
	}
	members = slices.Clone(members)
	slices.SortStableFunc(members, func(a, b aMember) int { return rank(a.name) - rank(b.name) })
	list := make([]shownClaim, 0, len(members))
	for _, m := range members {
		claim, isKnown := known(m.name)
		c := shownClaim{Name: m.name, Meaning: claim.Meaning}
		c.Decided = slices.Contains(decided, m.name) || slices.Contains(decided, m.name+"?")
		if claim.Personal && !names {
			c.Hidden = true
			if !isKnown {
				c.Meaning = "not one of Entra's usual claims"
			}
		} else {
			c.Value = m.value
		}
		if seconds, ok := whatif.NumberOf(m.value); ok && slices.Contains([]string{"exp", "nbf", "iat", "auth_time"}, m.name) {
			c.Time, c.relative = dateOf(seconds)
		}
		list = append(list, c)
	}
	return list
}

// dateOf writes a date and how far it is from now, or nothing for one that no calendar has.
func dateOf(seconds float64) (date, relative string) {
	if seconds < 0 || seconds >= 253402300800 { // the year 10000
		return "", ""
	}
	at := time.Unix(int64(seconds), 0).UTC()
	away := time.Until(at).Round(time.Second)
	if away < 0 {
		return at.Format(time.RFC3339), fmt.Sprintf("%v ago", -away)
	}
	return at.Format(time.RFC3339), fmt.Sprintf("in %v", away)
}

func (r *report) print(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Token\n  %s\n", r.WhatItIs)
	printClaims(&b, "Header", r.Header)
	printClaims(&b, "Payload", r.Payload)
	r.Verdict.print(&b, "Verdict")
	if r.Verdict.Challenge != "" {
		fmt.Fprintf(&b, "\n  What the client gets\n%s\n", wrap("  ", "  ", "WWW-Authenticate: "+r.Verdict.Challenge))
	}
	for _, v := range r.Otherwise {
		v.print(&b, "Apart from that")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// printJSON prints the report with every character escaped that a terminal would act on.
func (r *report) printJSON(out io.Writer) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return err
	}
	var escaped strings.Builder
	for _, char := range b.String() {
		if char == '\n' || unicode.IsPrint(char) {
			escaped.WriteRune(char)
			continue
		}
		for _, unit := range utf16.Encode([]rune{char}) {
			fmt.Fprintf(&escaped, `\u%04x`, unit)
		}
	}
	_, err := io.WriteString(out, escaped.String())
	return err
}

func printClaims(b *strings.Builder, title string, claims []shownClaim) {
	if len(claims) == 0 {
		return
	}
	width := 0
	for _, c := range claims {
		width = max(width, utf8.RuneCountInString(printable(c.Name, longestName)))
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, c := range claims {
		mark := " "
		if c.Decided {
			mark = ">"
		}
		line := c.text()
		if c.Meaning != "" {
			line += "  (" + c.Meaning + ")"
		}
		name := printable(c.Name, longestName)
		indent := strings.Repeat(" ", width+4)
		b.WriteString(wrap(fmt.Sprintf("%s %s%s  ", mark, name, strings.Repeat(" ", width-utf8.RuneCountInString(name))), indent, line) + "\n")
	}
}

const (
	longestName  = 40
	longestValue = 200
)

// text returns the value as it is printed: strings without quotes, and nothing that a terminal would act on.
func (c shownClaim) text() string {
	if c.Hidden {
		return "hidden; -names shows it"
	}
	var s string
	if json.Unmarshal(c.Value, &s) != nil {
		s = string(c.Value)
	}
	s = printable(s, longestValue)
	if c.Time != "" {
		s += " = " + c.Time + ", " + c.relative
	}
	return s
}

// printable returns text that fits the limit of characters and holds none that a terminal would act on.
func printable(text string, limit int) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(text) || text == "" {
		text = strconv.QuoteToASCII(text)
	}
	if runes := []rune(text); len(runes) > limit {
		return fmt.Sprintf("%s… (%d characters)", string(runes[:limit]), len(runes))
	}
	return text
}

func (v verdict) print(b *strings.Builder, title string) {
	if len(v.Assuming) > 0 {
		title += ", if " + strings.Join(v.Assuming, " and ")
	}
	fmt.Fprintf(b, "\n%s\n", title)
	if v.Accepted {
		fmt.Fprintf(b, "  accepted as %s\n", v.Kind)
	} else {
		fmt.Fprintf(b, "  refused: status %d, reason %s, at the check %q\n", v.Status, v.Reason, v.Check)
		fmt.Fprintf(b, "%s\n", wrap("  ", "  ", v.Text))
		fmt.Fprintf(b, "\n  How to change it\n%s\n", wrap("  ", "  ", v.Change))
	}
	if len(v.NotChecked) > 0 {
		fmt.Fprintf(b, "\n  Not checked: %s.\n", strings.Join(v.NotChecked, "; "))
	}
}

const columns = 110

// wrap breaks text between words into lines of at most columns characters; a longer word gets a line of its own.
func wrap(first, rest, text string) string {
	var b strings.Builder
	line, empty := first, true
	for word := range strings.FieldsSeq(text) {
		switch {
		case empty:
			line, empty = line+word, false
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns:
			b.WriteString(line + "\n")
			line = rest + word
		default:
			line += " " + word
		}
	}
	return b.String() + line
}
