package tour

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/internal/whatif"
)

// asked is a token that the reader pasted, and the API that it should be for.
type asked struct {
	Token         string `json:"token"`
	TenantID      string `json:"tenantID"`
	ClientID      string `json:"clientID"`
	Audiences     string `json:"audiences"` // separated by commas or blanks
	Cloud         string `json:"cloud"`     // the name of an entra.Cloud; "" for Worldwide
	Authority     string `json:"authority"`
	AllowIDTokens bool   `json:"allowIDTokens"`
}

// verdict is what package entra says of a token if an assumption holds.
type verdict struct {
	explanation
	Assuming      string `json:"assuming"`
	IssuerAssumed bool   `json:"issuerAssumed"` // only the authority's metadata names the issuer
	Kind          string `json:"kind,omitempty"`
}

// judge answers what an API would say of a pasted token. It fetches nothing, and the token stays in this process.
func judge(w http.ResponseWriter, r *http.Request) {
	var a asked
	if !decode(w, r, &a) {
		return
	}
	verdicts, err := a.verdicts(r.Context())
	if err != nil {
		complain(w, http.StatusUnprocessableEntity, err)
		return
	}
	reply(w, http.StatusOK, verdicts)
}

func (a asked) options() (entra.Options, error) {
	options := entra.Options{
		ClientID: a.ClientID, Authority: a.Authority, AllowIDTokens: a.AllowIDTokens, CacheSize: -1, Logger: slog.New(slog.DiscardHandler),
		Audiences: strings.FieldsFunc(a.Audiences, func(r rune) bool { return r == ',' || r == ' ' }),
	}
	if a.TenantID != "" {
		options.Tenants = []string{a.TenantID}
	}
	for _, cloud := range []entra.Cloud{entra.Worldwide, entra.USGovernment, entra.China} {
		if a.Cloud == cloud.String() || a.Cloud == "" {
			options.Cloud = cloud
			return options, nil
		}
	}
	return options, fmt.Errorf("entra: Options.Cloud: %q is no cloud", a.Cloud)
}

// verdicts returns the verdict on the token if its signature is good, since only the real Entra has its key. If that is
// about the lifetime, as with most tokens in a bug report, a second verdict is for the time at which it was issued; if it
// is about the issuer, a second one is for a key that Entra does not have, since other issuers have keys of their own.
func (a asked) verdicts(ctx context.Context) ([]verdict, error) {
	options, err := a.options()
	if err != nil {
		return nil, err
	}
	api := whatif.API{Options: options}
	authorization := []string{"Bearer " + a.Token}
	first := whatif.Assumed{Assumption: whatif.Assumption{Signature: true}}
	if first.Judgement, err = api.JudgeIf(ctx, first.Assumption, nil, authorization); err != nil {
		return nil, err
	}
	otherwise, err := api.Otherwise(ctx, first, nil, authorization)
	if err != nil {
		return nil, err
	}
	list := []verdict{newVerdict(first)}
	for _, other := range otherwise {
		list = append(list, newVerdict(other))
	}
	return list, nil
}

func newVerdict(j whatif.Assumed) verdict {
	v := verdict{explanation: explanationOf(j.Err, j.Claims), Assuming: "the signature is good", IssuerAssumed: j.IssuerAssumed}
	if j.Stranger {
		v.Assuming = "the key is none of Entra’s"
	}
	if !j.At.IsZero() {
		v.Assuming += " and the token was issued just now"
	}
	if j.Err == nil {
		v.Kind = j.Claims.Kind.String()
	}
	return v
}
