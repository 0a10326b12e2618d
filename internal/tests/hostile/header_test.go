package hostile_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// cut returns the three segments of a token.
func cut(token string) (header, payload, signature string) {
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ = strings.Cut(rest, ".")
	return header, payload, signature
}

// encode returns text as base64url.
func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// changedParts returns a change of a token that changes its segments.
func changedParts(change func(header, payload, signature string) (string, string, string)) func(string) string {
	return func(valid string) string {
		header, payload, signature := change(cut(valid))
		return header + "." + payload + "." + signature
	}
}

// setSpareBits sets the bits of a segment's last character that encode nothing, where there are such bits.
func setSpareBits(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, segment[len(segment)-1])
	return segment[:len(segment)-1] + string(alphabet[last|1])
}

// segmentRows are texts that are no JWS in compact form, or not the only text of one.
func segmentRows() []row {
	const (
		malformed = entra.ReasonMalformed
		compact   = "RFC 7515 section 7.1"
		canonical = "RFC 7515 section 2, R3"
	)
	text := func(name, reference string, reason entra.Reason, token string) row {
		return edited(name, reference, reason, func(string) string { return token })
	}
	return []row{
		text("an opaque token", compact, malformed, "EwBwA8l6BAAU"),
		text("dots alone", "CVE-2025-30204", malformed, strings.Repeat(".", 16_000)),
		text("more dots than the limit", "CVE-2025-30204, CVE-2025-27144", entra.ReasonTooLarge, strings.Repeat(".", 1<<20)),
		edited("longer than the limit", "R2, CVE-2024-28122", entra.ReasonTooLarge, func(valid string) string { return valid + strings.Repeat("A", 16<<10) }),
		text("one dot", compact, malformed, "e30.e30"),
		edited("four segments", compact, malformed, func(valid string) string { return valid + ".e30" }),
		edited("an empty segment in front", compact, malformed, func(valid string) string { return "." + valid }),
		text("an encrypted token", "CVE-2026-34986, CVE-2024-28180, R3", entra.ReasonEncrypted, encode(`{"alg":"dir","enc":"A128GCM"}`)+"..AAAA.AAAA.AAAA"),
		text("an encrypted token with many iterations", "CVE-2023-49290", entra.ReasonEncrypted, encode(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AA"}`)+".AA.AA.AA.AA"),
		edited("six segments", compact, malformed, func(valid string) string { return valid + "." + valid }),
		edited("no header", compact, malformed, changedParts(func(_, p, s string) (string, string, string) { return "", p, s })),
		edited("no payload", compact, malformed, changedParts(func(h, _, s string) (string, string, string) { return h, "", s })),
		edited("no signature", "RFC 8725 section 3.2", malformed, changedParts(func(h, p, _ string) (string, string, string) { return h, p, "" })),
		edited("no signature and no dot", "RFC 8725 section 3.2", malformed, func(valid string) string { return valid[:strings.LastIndexByte(valid, '.')] }),

		edited("padding", canonical, malformed, func(valid string) string { return valid + "==" }),
		edited("a signature in the other alphabet", canonical, malformed, changedParts(func(h, p, s string) (string, string, string) { return h, p, "+/" + s[2:] })),
		edited("spare bits in the signature", canonical, malformed, changedParts(func(h, p, s string) (string, string, string) { return h, p, setSpareBits(s) })),
		{name: "spare bits in the payload, signed so", reference: canonical, reason: malformed, edit: func(tenant *entratest.Server, _ string) string {
			return resigned(tenant, func(h, p string) (string, string) { return h, setSpareBits(p) })
		}},
		{name: "spare bits in the header, signed so", reference: canonical, reason: malformed, edit: func(tenant *entratest.Server, _ string) string {
			return resigned(tenant, func(h, p string) (string, string) { return setSpareBits(h), p })
		}},
		{name: "the other alphabet in the payload, signed so", reference: canonical, reason: malformed, edit: func(tenant *entratest.Server, _ string) string {
			return resigned(tenant, func(h, _ string) (string, string) { return h, "++//" })
		}},
		edited("a length that no text has", canonical, malformed, func(valid string) string { return valid + "AAA" }),
		text("a header that is no base64url", canonical, malformed, "~~~~.e30.AAAA"),
	}
}

// resigned returns a token whose encoded segments were changed before they were signed. Their lengths leave bits to spare.
func resigned(tenant *entratest.Server, change func(header, payload string) (string, string)) string {
	header, payload := `{"alg":"RS256","kid":"`+tenant.Key().ID()+`"}`, `{"x":1}`
	for len(header)%3 == 0 {
		header += " "
	}
	h, p := change(encode(header), encode(payload))
	return signEncoded(tenant, h+"."+p)
}

// headerRows are headers of well signed tokens that must be refused all the same.
func headerRows() []row {
	const (
		algorithm = entra.ReasonAlgorithm
		header    = entra.ReasonHeader
		malformed = entra.ReasonMalformed
		pinned    = "RFC 8725 section 3.1, R7"
	)
	member := func(name, reference string, reason entra.Reason, member string, value any) row {
		return minted(name, reference, reason, entratest.Header(member, value))
	}
	raw := func(name, reference string, reason entra.Reason, text string) row {
		return row{name: name, reference: reference, reason: reason, edit: func(tenant *entratest.Server, _ string) string {
			return tenant.Token(entratest.RawHeader([]byte(strings.ReplaceAll(text, "KID", tenant.Key().ID()))))
		}}
	}
	return []row{
		edited("alg none, and something as signature", "RFC 8725 section 2.1", algorithm, changedParts(func(_, p, s string) (string, string, string) {
			return encode(`{"alg":"none","typ":"JWT"}`), p, s
		})),
		member("alg none", "RFC 8725 section 3.2", malformed, "alg", "none"),
		edited("alg nOnE", "RFC 8725 section 3.2", algorithm, changedParts(func(_, p, s string) (string, string, string) {
			return encode(`{"alg":"nOnE","kid":"x"}`), p, s
		})),
		member("HS256 with the public key as secret", "CVE-2015-9235, RFC 8725 section 2.1", algorithm, "alg", "HS256"),
		{name: "HS256 with an empty secret", reference: "RFC 8725 section 2.2", reason: algorithm, edit: func(tenant *entratest.Server, valid string) string {
			_, payload, _ := cut(valid)
			text := encode(`{"alg":"HS256","kid":"`+tenant.Key().ID()+`"}`) + "." + payload
			mac := hmac.New(sha256.New, nil)
			mac.Write([]byte(text))
			return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		}},
		member("RS512", pinned, algorithm, "alg", "RS512"),
		member("PS256", pinned+", seeds", algorithm, "alg", "PS256"),
		member("ES256 with a signature of zeros", "CVE-2022-21449", algorithm, "alg", "ES256"),
		member("alg in lower case", pinned, algorithm, "alg", "rs256"),
		member("several algorithms", pinned, algorithm, "alg", []string{"RS256", "none"}),
		minted("no alg", "RFC 7515 section 4.1.1", algorithm, entratest.WithoutHeader("alg")),

		member("an unknown critical extension", "RFC 7515 section 4.1.11, CVE-2025-59420, S2b", header, "crit", []string{"exp"}),
		member("an empty crit", "RFC 7515 section 4.1.11", header, "crit", []string{}),
		raw("crit under an escaped name", "RFC 7515 section 4.1.11, GHSA-hm7r", header, `{"alg":"RS256","kid":"KID","\u0063rit":["exp"]}`),
		member("a payload that is not encoded", "RFC 7797 section 7", header, "b64", false),
		member("a compressed payload", "RFC 8725 section 3.6, CVE-2024-28180", header, "zip", "DEF"),
		member("a nested token", "RFC 7519 section 5.2", header, "cty", "JWT"),
		member("an encryption in a signed token", "RFC 8725 section 3.3", header, "enc", "A128GCM"),
		minted("a token for Microsoft Graph", "R5", entra.ReasonMicrosoftAPIToken, entratest.Graph()),

		member("a DPoP proof", "RFC 8725 section 3.11, S2e", header, "typ", "dpop+jwt"),
		member("a logout token", "RFC 8725 section 3.11", header, "typ", "logout+jwt"),
		member("a security event", "RFC 8725 section 3.11", header, "typ", "secevent+jwt"),
		member("a signed request", "RFC 8725 section 3.11, R93", header, "typ", "pop"),
		member("typ as an object", "RFC 7515 section 4.1.9", header, "typ", map[string]string{"typ": "JWT"}),

		minted("no kid", "RFC 7515 section 4.1.4, S2c, R8", header, entratest.WithoutHeader("kid")),
		minted("no kid but x5t", "R8", header, entratest.V1(), entratest.WithoutHeader("kid")),
		member("kid as an array", "R8", header, "kid", []string{"x"}),
		member("kid null", "R8", header, "kid", nil),

		raw("alg twice", "RFC 7515 section 4", malformed, `{"alg":"none","alg":"RS256","kid":"KID"}`),
		raw("kid twice, once escaped", "RFC 7515 section 4", malformed, `{"\u006bid":"x","alg":"RS256","kid":"KID"}`),
		raw("a name twice inside a member", "RFC 7515 section 4", header, `{"alg":"RS256","kid":"KID","x":{"a":1,"a":2}}`),
		raw("ALG for alg", "RFC 7515 section 4, encoding/json", algorithm, `{"ALG":"RS256","kid":"KID"}`),
		raw("kıd for kid", "encoding/json, CVE-2026-27896", header, `{"alg":"RS256","kıd":"KID","Kid":"KID"}`),
		raw("invalid UTF-8", "RFC 8725 section 3.7", header, "{\"alg\":\"RS256\",\"kid\":\"KID\",\"x\":\"\xff\"}"),
		raw("a byte order mark", "RFC 8725 section 3.7", malformed, "\ufeff{\"alg\":\"RS256\",\"kid\":\"KID\"}"),
		raw("a second object behind", "RFC 7515 section 4", malformed, `{"alg":"RS256","kid":"KID"}{"alg":"none"}`),
		raw("an array", "CVE-2024-21664", malformed, `["RS256"]`),
		raw("null", "CVE-2024-21664", malformed, `null`),
		raw("nothing that ends", "CVE-2019-12995", malformed, `{"alg":"RS256","kid":"KID"`),
		raw("three thousand arrays in each other", "CVE-2019-12995", header, `{"alg":"RS256","kid":"KID","x":`+strings.Repeat("[", 3000)),
	}
}
