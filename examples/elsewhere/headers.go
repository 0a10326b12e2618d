package main

import (
	"net/http"
	"strings"
)

// fromAppService takes the access token from the header into which the built-in sign-in of App Service (Easy Auth) puts it.
// The token is added to Authorization and does not replace it: a request with a token in both places gets 400.
//
// The browser's session cookie is what makes App Service do so, and browsers send cookies with the requests of other
// sites' pages too. CrossOriginProtection refuses those that change something.
func fromAppService(next http.Handler) http.Handler {
	const platform = "X-MS-TOKEN-AAD-ACCESS-TOKEN"
	moved := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.Header.Get(platform); token != "" {
			r = r.Clone(r.Context())
			r.Header.Del(platform)
			r.Header.Add("Authorization", "Bearer "+token)
		}
		next.ServeHTTP(w, r)
	})
	return http.NewCrossOriginProtection().Handler(moved)
}

// fromStaticWebApps takes the token from a header of the page's own choice. Authorization is overwritten on the way from
// Azure Static Web Apps to its functions, so what stands there is not the page's.
func fromStaticWebApps(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.Header.Del("Authorization")
		for _, value := range r.Header.Values("X-Orders-Authorization") {
			r.Header.Add("Authorization", value)
		}
		next.ServeHTTP(w, r)
	})
}

// fromSubprotocol takes the token from the one header of a WebSocket that a browser's script can fill, the list of
// subprotocols: "orders.v1, bearer.<token>". Tokens consist of characters that may stand there (RFC 6455, section 4.1).
// The entry is taken out, so that nothing behind this handler selects, answers or logs it.
func fromSubprotocol(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var protocols, tokens []string
		for _, value := range r.Header.Values("Sec-WebSocket-Protocol") {
			for protocol := range strings.SplitSeq(value, ",") {
				protocol = strings.TrimSpace(protocol)
				if token, found := strings.CutPrefix(protocol, "bearer."); found {
					tokens = append(tokens, token)
				} else {
					protocols = append(protocols, protocol)
				}
			}
		}
		if len(tokens) > 0 {
			r = r.Clone(r.Context())
			r.Header.Set("Sec-WebSocket-Protocol", strings.Join(protocols, ", "))
			for _, token := range tokens {
				r.Header.Add("Authorization", "Bearer "+token)
			}
		}
		next.ServeHTTP(w, r)
	})
}
