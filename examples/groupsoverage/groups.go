package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/entra-go/entra"
	"github.com/maypok86/otter/v2"
)

const (
	// maxAge is how late a change in the directory may be noticed here.
	maxAge = 5 * time.Minute
	// maxKnown is how many group IDs are remembered, of all users together; one user can have 11,000.
	maxKnown = 200_000
)

type user struct{ tenant, object string }

// groups knows which groups users are in: from their tokens or, where those cannot name them all, from Microsoft Graph.
type groups struct {
	clientID   string
	credential confidential.Credential
	client     *http.Client
	known      *otter.Cache[user, []string]
}

func newGroups(options entra.Options, secret string) (*groups, error) {
	credential, err := confidential.NewCredFromSecret(secret)
	if err != nil {
		return nil, err
	}
	known, err := otter.New(&otter.Options[user, []string]{
		MaximumWeight:    maxKnown,
		Weigher:          func(_ user, ids []string) uint32 { return uint32(len(ids)) + 1 },
		ExpiryCalculator: otter.ExpiryCreating[user, []string](maxAge),
	})
	return &groups{options.ClientID, credential, cmp.Or(options.HTTPClient, &http.Client{Timeout: 10 * time.Second}), known}, err
}

var guid = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// in returns a requirement that users meet who are in the group with this object ID, directly or through other groups. Who
// is not gets 403. While Graph cannot be asked, users whose groups are not known get 500: nobody knows that they are not
// in it.
func (g *groups) in(id string) (entra.Requirement, error) {
	if !guid.MatchString(id) {
		return nil, fmt.Errorf("group %q: expected the object ID of a group; names can be given to other groups", id)
	}
	return func(ctx context.Context, claims *entra.Claims) error {
		if claims.Kind != entra.UserToken {
			return fmt.Errorf("an %s is in no group of users: %w", claims.Kind, entra.ErrForbidden)
		}
		list, err := claims.Groups, error(nil)
		if claims.GroupsOverage {
			// Only one request for each user is under way, and it is made again if the caller who made it has left.
			list, err = g.known.Get(ctx, user{claims.TenantID, claims.ObjectID}, otter.LoaderFunc[user, []string](g.ask))
		}
		switch {
		case err != nil:
			return err
		case !slices.ContainsFunc(list, func(known string) bool { return strings.EqualFold(known, id) }):
			return fmt.Errorf("the user is not in the group %s: %w", id, entra.ErrForbidden)
		}
		return nil
	}, nil
}

// ask asks Graph for the groups of the user whose token ctx carries.
//
// Source: https://learn.microsoft.com/graph/api/directoryobject-getmemberobjects
func (g *groups) ask(ctx context.Context, u user) ([]string, error) {
	assertion, _ := entra.TokenFromContext(ctx) // always there behind Authenticate
	// The client caches tokens without end, and one answer is all that is wanted of it.
	app, err := confidential.New("https://login.microsoftonline.com/"+u.tenant, g.clientID, g.credential,
		confidential.WithHTTPClient(g.client), confidential.WithInstanceDiscovery(false)) // this host needs none
	if err != nil {
		return nil, err
	}
	token, err := app.AcquireTokenOnBehalfOf(ctx, assertion, []string{"https://graph.microsoft.com/User.Read"})
	if err != nil {
		return nil, noToken(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://graph.microsoft.com/v1.0/me/getMemberObjects",
		strings.NewReader(`{"securityEnabledOnly":true}`))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	request.Header.Set("Content-Type", "application/json")
	response, err := g.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no answer from Graph: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("no answer from Graph: %s", response.Status)
	}
	var answer struct {
		Value []string
		Next  string `json:"@odata.nextLink"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("reading Graph's answer: %w", err)
	}
	if answer.Value == nil || answer.Next != "" {
		return nil, errors.New("the answer of Graph is not the whole list of groups")
	}
	return answer.Value, nil
}

// noToken says why Entra gives none, without naming anybody. If it wants the user, for a second factor perhaps, its claims
// go to the client.
func noToken(err error) error {
	var call msal.CallErr
	if !errors.As(err, &call) {
		return fmt.Errorf("no token to Graph: %w", err)
	}
	var answer struct {
		Claims string
		Codes  []int `json:"error_codes"` // AADSTS…
	}
	if json.NewDecoder(call.Resp.Body).Decode(&answer) == nil && answer.Claims != "" {
		return entra.ClaimsChallenge(answer.Claims)
	}
	return fmt.Errorf("no token to Graph: %s, AADSTS%d", call.Resp.Status, answer.Codes)
}
