package tour

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// show prints what the API answers to a daemon and to each of samples. It prints nothing that it did not just try.
type show struct {
	out              io.Writer
	tenant           *entratest.Server
	entraURL, apiURL string
	refused          *refusals
}

func (s *show) run(ctx context.Context) error {
	s.printf("A fake Entra tenant, and an API that accepts its tokens. Both on this machine only.\n\n")
	s.printf("  Entra  %s   tenant %s\n", s.entraURL, entratest.TenantID)
	s.printf("  API    %s   GET  /orders   scope %s,\n", s.apiURL, entratest.ScopeRead)
	s.printf("         %*s                  or application permission %s\n", len(s.apiURL), "", entratest.RoleDaemon)
	s.printf("         %*s   POST /orders   scope %s\n", len(s.apiURL), "", entratest.ScopeWrite)
	if err := s.accepted(ctx); err != nil {
		return err
	}
	if err := s.refusals(ctx); err != nil {
		return err
	}
	s.commands()
	return nil
}

func (s *show) accepted(ctx context.Context) error {
	a, err := callAsDaemon(ctx, s.entraURL, s.apiURL)
	if err != nil {
		return err
	}
	s.heading("Accepted: a daemon gets a token with its secret and calls the API")
	s.printf("  POST %s\n  GET  %s/orders\n\n", tokenURL(s.entraURL), s.apiURL)
	s.printf("  200  %s\n\n  The claims that the API saw:\n\n", strings.Join(a.Orders, "; "))
	for _, claim := range [][2]string{
		{"Kind", a.Caller.Kind},
		{"TenantID", a.Caller.TenantID},
		{"ObjectID", a.Caller.ObjectID},
		{"ClientID", a.Caller.ClientID},
		{"Roles", strings.Join(a.Caller.Roles, " ")},
		{"Version", a.Caller.Version},
		{"ExpiresAt", a.Caller.ExpiresAt.Format(time.RFC3339)},
	} {
		s.printf("       %-10s %s\n", claim[0], claim[1])
	}
	return nil
}

func (s *show) refusals(ctx context.Context) error {
	s.heading("Refused: what the client learns (<), and what the API's operator reads in the log (#)")
	common := ""
	for _, a := range samples(s.tenant) {
		if a.reason == "" {
			continue
		}
		status, challenge, err := send(ctx, a.method, s.apiURL+"/orders", a.authorization())
		if err != nil {
			return err
		}
		if common == "" {
			// The first sample sends no token, and all other challenges begin like its challenge.
			common = challenge
			s.printf("  Every challenge (WWW-Authenticate) begins like this one; <tenant> is the tenant's ID.\n")
			challenge = strings.ReplaceAll(challenge, entratest.TenantID, "<tenant>")
		}
		refused := s.refused.of("").err // the show's requests carry no request ID
		if status != a.status || entra.ReasonOf(refused) != a.reason {
			return fmt.Errorf("%s: got status %d, want %d with reason %s", a.name, status, a.status, a.reason)
		}
		s.printf("\n  %d  %-19s  %s\n", status, a.reason, a.name)
		s.printf("%s\n", wrap("       < ", "         ", strings.TrimPrefix(challenge, common+", ")))
		s.printf("%s\n", wrap("       # ", "         ", refused.Error()))
	}
	return nil
}

func (s *show) commands() {
	s.heading("Your turn: a user's token and an application's, good for an hour")
	for _, token := range []string{s.tenant.Token(), s.tenant.Token(entratest.App(entratest.RoleDaemon))} {
		s.printf("  curl -i %s/orders -H 'Authorization: Bearer %s'\n\n", s.apiURL, token)
	}
	s.printf("  As the daemon, with a token of its own:\n\n")
	s.printf("  token=$(curl -s %s \\\n", tokenURL(s.entraURL))
	s.printf("    -d grant_type=client_credentials -d client_id=%s \\\n", entratest.ClientID)
	s.printf("    --data-urlencode client_secret=%s \\\n", entratest.ClientSecret)
	s.printf("    -d scope=%s/.default \\\n", entratest.APIURI)
	s.printf("    | sed 's/.*\"access_token\":\"//; s/\".*//')\n")
	s.printf("  curl -i %s/orders -H \"Authorization: Bearer $token\"\n", s.apiURL)
}

func (s *show) heading(text string) {
	s.printf("\n%s\n%s\n\n", text, strings.Repeat("─", len([]rune(text))))
}

func (s *show) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

const columns = 100

// wrap breaks text between words into lines that fit the terminal; a word that is longer gets a line of its own.
func wrap(first, rest, text string) string {
	var b strings.Builder
	line := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > columns:
			b.WriteString(line + "\n")
			line = rest + word
		default:
			line += " " + word
		}
	}
	return b.String() + line
}
