package tour

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// asked is a token that the reader pasted, and the API that it should be for.
type asked struct {
	Token    string `json:"token"`
	TenantID string `json:"tenantID"`
	ClientID string `json:"clientID"`
	Audience string `json:"audience"` // Application ID URI of one's own; may be empty
}

// verdict is what package entra says of a token if an assumption holds.
type verdict struct {
	explanation
	Assuming string `json:"assuming"` // "" for nothing
	Kind     string `json:"kind,omitempty"`
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

// verdicts returns the verdict on the token as it is. If that is about the key, which only the real Entra has, a second
// verdict assumes that the signature is good; if that is about the lifetime, as with most tokens in a bug report, a
// third assumes that the token was issued just now.
func (a asked) verdicts(ctx context.Context) ([]verdict, error) {
	options := entra.Options{Tenants: []string{a.TenantID}, ClientID: a.ClientID, Logger: slog.New(slog.DiscardHandler)}
	if a.Audience != "" {
		options.Audiences = []string{a.Audience}
	}
	if _, err := entra.NewVerifier(options); err != nil {
		return nil, err
	}
	tenant, err := entratest.NewServer(entratest.Config{TenantID: a.TenantID})
	if err != nil {
		return nil, err
	}
	defer tenant.Close()
	signer := signerForAnyIssuer(tenant)
	options.HTTPClient = tenant.Client()
	verifier, err := entra.NewVerifier(options)
	if err != nil {
		return nil, err
	}

	list := []verdict{verdictOn(ctx, verifier, a.Token, "")}
	reason := list[0].Reason
	if reason == entra.ReasonUnknownKey {
		if token, ok := resigned(a.Token, signer, 0); ok {
			list = append(list, verdictOn(ctx, verifier, token, "the signature is good"))
			reason = list[len(list)-1].Reason
		}
	}
	if reason == entra.ReasonExpired || reason == entra.ReasonNotYetValid {
		if token, ok := resigned(a.Token, signer, agoOf(a.Token)); ok {
			list = append(list, verdictOn(ctx, verifier, token, "the signature is good and the token was issued just now"))
		}
	}
	return list, nil
}

func verdictOn(ctx context.Context, verifier *entra.Verifier, token, assuming string) verdict {
	claims, err := verifier.Verify(ctx, token)
	v := verdict{explanation: explanationOf(err, nil), Assuming: assuming}
	if err == nil {
		v.Kind = claims.Kind.String()
	}
	return v
}

// signerForAnyIssuer returns a key that the tenant publishes without saying whose it is, so that it signs for all.
func signerForAnyIssuer(tenant *entratest.Server) *entratest.Key {
	key := tenant.Key().With("kid", "set-aside").With("issuer", nil)
	tenant.Publish(key)
	return key
}

// resigned returns the token with its header and claims as they are, but signed by key and with dates that are later.
func resigned(token string, key *entratest.Key, later time.Duration) (string, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", false
	}
	header, payload := members(parts[0]), members(parts[1])
	if header == nil || payload == nil {
		return "", false
	}
	header["kid"], _ = json.Marshal(key.ID())
	newHeader, err := json.Marshal(header)
	if err != nil {
		return "", false
	}
	newPayload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if later != 0 {
		newPayload, err = postponed(payload, later)
	}
	if err != nil {
		return "", false
	}
	return key.Sign(newHeader, newPayload), true
}

func members(segment string) map[string]json.RawMessage {
	text, err := base64.RawURLEncoding.DecodeString(segment)
	var object map[string]json.RawMessage
	if err != nil || json.Unmarshal(text, &object) != nil {
		return nil
	}
	return object
}

func postponed(payload map[string]json.RawMessage, later time.Duration) ([]byte, error) {
	for _, name := range []string{"iat", "nbf", "exp"} {
		var at float64
		if json.Unmarshal(payload[name], &at) == nil {
			payload[name], _ = json.Marshal(int64(at + later.Seconds()))
		}
	}
	return json.Marshal(payload)
}

// agoOf returns how long ago the token became valid.
func agoOf(token string) time.Duration {
	var begin float64
	if parts := strings.Split(token, "."); len(parts) == 3 {
		payload := members(parts[1])
		if json.Unmarshal(payload["nbf"], &begin) != nil {
			_ = json.Unmarshal(payload["iat"], &begin) // zero if it has neither
		}
	}
	if begin == 0 {
		return 0
	}
	return time.Since(time.Unix(int64(begin), 0))
}
