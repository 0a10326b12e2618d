package rig

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/soak/invariants"
)

// junk makes a request that is refused before any key is looked up.
func junk(r *rand.Rand) *credential {
	kinds := []func(*rand.Rand) *credential{
		anonymous, basic, twoHeaders, grammarless, wordless, oversized, fiveSegments, headerless,
	}
	return kinds[r.IntN(len(kinds))](r)
}

func plain(class string, status int, reason string, values ...string) *credential {
	return &credential{class: class, path: ordersPath, values: values, token: invariants.Token{Merit: invariants.Answer{Status: status, Reason: reason}}}
}

func anonymous(*rand.Rand) *credential { return plain("no token", 401, "no_token") }

func basic(*rand.Rand) *credential {
	return plain("another scheme", 401, "no_token", "Basic YWxpY2U6c2VjcmV0")
}

func twoHeaders(r *rand.Rand) *credential {
	return plain("two Authorization headers", 400, "invalid_request", "Bearer "+noise(r, 9), "Bearer "+noise(r, 9))
}

func grammarless(*rand.Rand) *credential {
	return plain("outside the grammar", 400, "invalid_request", "Bearer a token, you see")
}

func wordless(r *rand.Rand) *credential {
	return plain("no JWS", 401, "malformed", "Bearer "+noise(r, 30))
}

func oversized(r *rand.Rand) *credential {
	return plain("too large", 401, "too_large", "Bearer "+strings.Repeat(noise(r, 30), 17<<10/40+1))
}

func fiveSegments(r *rand.Rand) *credential {
	return plain("encrypted", 401, "encrypted", "Bearer "+strings.Join([]string{noise(r, 9), noise(r, 9), noise(r, 9), noise(r, 9), noise(r, 9)}, "."))
}

func headerless(r *rand.Rand) *credential {
	return plain("header that is no JSON", 401, "malformed", "Bearer "+segment("{"+noise(r, 9))+"."+noise(r, 9)+"."+noise(r, 9))
}

// junkKeyID makes a token that names an invented key.
func junkKeyID(r *rand.Rand) *credential {
	id := fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
	header := segment(`{"typ":"JWT","alg":"RS256","kid":"` + id + `"}`)
	c := bearing("junk key ID", header+"."+segment(`{"aud":"anyone"}`)+"."+noise(r, 255))
	// Were its key ever held, the token would still be a forgery.
	c.token = invariants.Token{KeyID: id, Merit: unauthorized("signature")}
	c.hasty = time.Now().Add(newFor)
	return c
}

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// noise returns random bytes as base64url; n must be divisible by 3 so that the encoding is canonical.
func noise(r *rand.Rand, n int) string {
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(r.Uint32())
	}
	return base64.RawURLEncoding.EncodeToString(bytes)
}
