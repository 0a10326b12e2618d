package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/internal/advice"
	"github.com/entra-go/entra/internal/whatif"
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
	a := whatif.API{Options: f.api.options()}
	if a.Requirements, err = f.api.requirements(); err != nil {
		return misuse, err
	}
	if _, err := entra.NewVerifier(a.Options); err != nil {
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

// explain judges the token, first as it is, then as it would be judged without what was found.
func (f *explainFlags) explain(ctx context.Context, a whatif.API, s surroundings, authorization []string) (*report, error) {
	given := whatif.Assumption{Signature: f.offline, At: time.Time(f.at)}
	network := newRecorder(s.newNetwork(), s.stderr)
	var first whatif.Judgement
	var err error
	if f.offline {
		first, err = a.JudgeIf(ctx, given, nil, authorization)
	} else {
		first, err = a.Judge(ctx, network, authorization)
		// What comes before the claims does not depend on the time, and what comes after knows the signature to be good.
		if err == nil && !given.At.IsZero() && first.Advice().Step >= advice.Claims {
			first, err = a.JudgeIf(ctx, given, network.documents, authorization)
		}
	}
	if err != nil {
		return nil, err
	}
	judged := whatif.Assumed{Assumption: given, Judgement: first}
	otherwise, err := a.Otherwise(ctx, judged, network.documents, authorization)
	if err != nil {
		return nil, err
	}
	r := newReport(authorization, judged, f.names)
	for _, other := range otherwise {
		r.Otherwise = append(r.Otherwise, newVerdict(other))
	}
	return r, nil
}

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
	if time.Until(moment).Abs() > whatif.Furthest {
		return errors.New("is more than 40 years away; expected a time at which the token was sent")
	}
	*t = timeFlag(moment.UTC())
	return nil
}
