package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/internal/advice"
)

const explainHelp = `Usage: entra explain [flags] < token

Reads an access token, or a whole Authorization header, from standard input and says what the token is, what its
claims mean, whether an API with these options accepts it, and if not, why and what to change.

It fetches Entra's keys, as the API does, and so judges the signature too. Nothing else is sent, and nothing is kept. With
-offline it fetches nothing and says what the answer would be if the signature were good.

People's names and claims that it does not know are hidden unless -names is given. The exit status is 0 if the token is
accepted, 1 if it is refused, 2 for wrong usage.

Examples:
  entra explain -tenant 72f988bf-86f1-41af-91ab-2d7cd011db47 -client 6e74172b-be56-4843-9ff4-e66a39bb12e3 < token.txt
  pbpaste | ENTRA_TENANT_ID=… ENTRA_CLIENT_ID=… entra explain -scope Orders.Read     # what a route requires
  entra explain -offline -at 2026-11-26T09:30:00Z -tenant … -client … < token.txt    # an old token, without a network
  entra explain -authority https://contoso.ciamlogin.com/<tenant ID>/v2.0 -client … < token.txt
  entra explain -json -tenant … -client … < token.txt | jq .verdict.reason
`

type explainFlags struct {
	api                  apiFlags
	offline, names, json bool
	at                   timeFlag
}

func explain(ctx context.Context, args []string, s surroundings) (int, error) {
	var f explainFlags
	set := newFlags("explain", explainHelp, s.stdout)
	f.api.register(set.FlagSet)
	set.BoolVar(&f.offline, "offline", false, "fetch nothing; assume that the signature is good")
	set.Var(&f.at, "at", "judge as if it were this `time`, such as 2026-11-26T09:30:00Z or Unix seconds; default now")
	set.BoolVar(&f.names, "names", false, "show people's names and claims that are not known")
	set.BoolVar(&f.json, "json", false, "print JSON")
	// An argument may be a token: it is not repeated.
	err := set.parse(args, "it takes no arguments: send the token to standard input, since other users of this machine can read arguments")
	if err == nil {
		err = readEnvironment(set.FlagSet, s.env)
	}
	if err != nil {
		return misuse, err
	}
	a := api{options: f.api.options()}
	if a.requirements, err = f.api.requirements(); err != nil {
		return misuse, err
	}
	if _, err := entra.NewVerifier(a.options); err != nil {
		return misuse, withHint(err, f.api.tenants)
	}
	askForToken(s)
	authorization, err := readAuthorization(s.stdin)
	if err != nil {
		return misuse, err
	}
	r, err := f.explain(ctx, a, s, authorization)
	if err != nil {
		fmt.Fprintln(s.stderr, "entra explain:", err)
		return bad, nil
	}
	write := r.print
	if f.json {
		write = r.printJSON
	}
	if err := write(s.stdout); err != nil {
		fmt.Fprintln(s.stderr, "entra explain:", err)
		return bad, nil
	}
	if !r.Verdict.Accepted {
		return bad, nil
	}
	return good, nil
}

// withHint adds how to find the ID of a tenant that was given by its domain name.
func withHint(err error, tenants list) error {
	for _, tenant := range tenants {
		if strings.Contains(tenant, ".") {
			return fmt.Errorf("%w\nTo find the tenant's ID: entra doctor -tenant %s", err, tenant)
		}
	}
	return err
}

// askForToken tells somebody at a terminal what is awaited.
func askForToken(s surroundings) {
	file, ok := s.stdin.(*os.File)
	if !ok {
		return
	}
	if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintln(s.stderr, "Paste the token, press Enter, then Ctrl+D (on Windows Ctrl+Z and Enter).")
	}
}

// explain judges the token, first as it is, then as it would be judged without what was found: most tokens in a bug report
// are old, and most wrong options show as a key that is not known.
func (f *explainFlags) explain(ctx context.Context, a api, s surroundings, authorization []string) (*report, error) {
	given := assumption{signature: f.offline, at: time.Time(f.at)}
	network := newRecorder(s.newNetwork(), s.stderr)
	var first judgement
	var err error
	if f.offline {
		first, err = a.judgeIf(ctx, given, nil, authorization)
	} else {
		first, err = a.judge(ctx, network, authorization)
		// What comes before the claims does not depend on the time, and what comes after knows the signature to be good.
		if err == nil && !given.at.IsZero() && first.step() >= advice.Claims {
			first, err = a.judgeIf(ctx, given, network.documents, authorization)
		}
	}
	if err != nil {
		return nil, err
	}
	r := newReport(authorization, first, given, f.names)
	last := first
	if reason := last.reason(); reason == entra.ReasonUnknownKey || reason == entra.ReasonKeysUnavailable {
		given.signature = true
		if last, err = a.judgeIf(ctx, given, network.documents, authorization); err != nil {
			return nil, err
		}
		r.Otherwise = append(r.Otherwise, newVerdict(last, given))
	}
	issued := issuedAt(authorization)
	if reason := last.reason(); given.at.IsZero() && !issued.IsZero() && (reason == entra.ReasonExpired || reason == entra.ReasonNotYetValid) {
		given.at = issued
		if last, err = a.judgeIf(ctx, given, network.documents, authorization); err != nil {
			return nil, err
		}
		r.Otherwise = append(r.Otherwise, newVerdict(last, given))
	}
	return r, nil
}

// issuedAt returns when the token began to be valid, by its nbf or else its iat, or the zero time.
func issuedAt(authorization []string) time.Time {
	token, _ := tokenOf(authorization)
	var payload map[string]json.RawMessage
	if json.Unmarshal(token.payload, &payload) != nil {
		return time.Time{}
	}
	for _, name := range []string{"nbf", "iat"} {
		if seconds, ok := numberOf(payload[name]); ok && time.Until(unix(seconds)).Abs() < furthest {
			return unix(seconds)
		}
	}
	return time.Time{}
}

func unix(seconds float64) time.Time { return time.Unix(int64(seconds), 0).UTC() }

// furthest bounds how far from now a token is judged, so that moved dates stay within those that a token may have.
const furthest = 40 * 365 * 24 * time.Hour

// timeFlag is a moment, the zero time for now.
type timeFlag time.Time

func (t *timeFlag) String() string {
	if time.Time(*t).IsZero() {
		return ""
	}
	return time.Time(*t).Format(time.RFC3339)
}

func (t *timeFlag) Set(text string) error {
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		seconds, notSeconds := strconv.ParseInt(text, 10, 64)
		if notSeconds != nil {
			return errors.New("is no time; expected one such as 2026-11-26T09:30:00Z, or Unix seconds such as 1764149400")
		}
		moment = time.Unix(seconds, 0)
	}
	if time.Until(moment).Abs() > furthest {
		return errors.New("is more than 40 years away; expected a time at which the token was sent")
	}
	*t = timeFlag(moment.UTC())
	return nil
}
