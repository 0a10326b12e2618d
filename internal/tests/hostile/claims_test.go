package hostile_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
)

// signEncoded appends a signature to header and payload, which are encoded already.
func signEncoded(tenant *entratest.Server, text string) string {
	header, payload, _ := strings.Cut(text, ".")
	plain := func(segment string) []byte {
		decoded, err := base64.RawURLEncoding.DecodeString(segment)
		if err != nil {
			return nil
		}
		return decoded
	}
	// Where the text cannot be decoded, it gets the signature of another text by the same key.
	_, _, signature := cut(tenant.Key().Sign(plain(header), plain(payload)))
	return text + "." + signature
}

// keyRows are tokens that are signed with a wrong key, or that bring or point to one.
func keyRows() []row {
	const (
		unknown   = entra.ReasonUnknownKey
		signature = entra.ReasonSignature
		notHeld   = "RFC 8725 section 3.10"
	)
	forged := func(name, reference string, reason entra.Reason, options func(tenant *entratest.Server) []entratest.TokenOption) row {
		return row{name: name, reference: reference, reason: reason, edit: func(tenant *entratest.Server, _ string) string {
			return tenant.Token(append(options(tenant), entratest.SignedBy(tenant.UnknownKey()))...)
		}}
	}
	named := func(tenant *entratest.Server) entratest.TokenOption {
		return entratest.Header("kid", tenant.Key().ID())
	}
	brings := func(name, reference, member string, value func(*entratest.Key) any) []row {
		return []row{
			forged(name+", own key ID", reference, unknown, func(tenant *entratest.Server) []entratest.TokenOption {
				return []entratest.TokenOption{entratest.Header(member, value(tenant.UnknownKey()))}
			}),
			forged(name+", known key ID", reference, signature, func(tenant *entratest.Server) []entratest.TokenOption {
				return []entratest.TokenOption{entratest.Header(member, value(tenant.UnknownKey())), named(tenant)}
			}),
		}
	}
	constant := func(value any) func(*entratest.Key) any { return func(*entratest.Key) any { return value } }
	kid := func(name, reference, id string) row {
		return minted("a key ID that is "+name, reference, unknown, entratest.Header("kid", id))
	}
	bytes := func(name, reference string, change func(signature []byte) []byte) row {
		return edited(name, reference, signature, changedParts(func(h, p, s string) (string, string, string) {
			plain, _ := base64.RawURLEncoding.DecodeString(s) // A minted token's signature can be decoded.
			return h, p, base64.RawURLEncoding.EncodeToString(change(plain))
		}))
	}
	rows := []row{
		kid("a path", notHeld, "../../../../dev/null"),
		kid("a query", notHeld, "x' UNION SELECT 'secret"),
		kid("a command", notHeld, "x|/bin/sh"),
		kid("an address", notHeld, "http://169.254.169.254/"),
		kid("long", "CVE-2025-30204", strings.Repeat("k", 3000)),
		minted("a key ID that is longer than a header may be", "CVE-2025-30204", entra.ReasonHeader, entratest.Header("kid", strings.Repeat("k", 8000))),
		kid("made of control characters", "RFC 8725 section 3.7", "\x00\r\n\x1b[31m\u202e"),
		kid("new each time", "S3, R17", fmt.Sprint(time.Now().UnixNano())),
		{name: "a key ID in other case", reference: "R8", reason: unknown, edit: func(tenant *entratest.Server, _ string) string {
			return tenant.Token(entratest.Header("kid", swapCase(tenant.Key().ID())))
		}},
		{name: "a key ID with a blank", reference: "R8", reason: unknown, edit: func(tenant *entratest.Server, _ string) string {
			return tenant.Token(entratest.Header("kid", tenant.Key().ID()+" "))
		}},

		bytes("a bit changed in the signature", "S4", func(s []byte) []byte { s[100] ^= 1; return s }),
		bytes("a signature of zeros", "CVE-2022-21449", func(s []byte) []byte { return make([]byte, len(s)) }),
		bytes("a signature of one byte", "RFC 8017 section 8.2.2", func([]byte) []byte { return []byte{1} }),
		bytes("a signature that was cut", "RFC 8017 section 8.2.2", func(s []byte) []byte { return s[:len(s)-1] }),
		bytes("a signature with a zero in front", "RFC 8017 section 8.2.2", func(s []byte) []byte { return append([]byte{0}, s...) }),
		bytes("a signature with a zero behind", "RFC 8017 section 8.2.2", func(s []byte) []byte { return append(s, 0) }),
		bytes("a signature of the largest number", "RFC 8017 section 8.2.2", func(s []byte) []byte { return []byte(strings.Repeat("\xff", len(s))) }),
		{name: "the signature of another token", reference: "RFC 8725 section 2.1", reason: signature, edit: func(tenant *entratest.Server, valid string) string {
			header, payload, _ := cut(valid)
			_, _, other := cut(tenant.Token())
			return header + "." + payload + "." + other
		}},
		edited("claims changed after signing", "RFC 8725 section 2.1", signature, changedParts(func(h, p, s string) (string, string, string) {
			plain, _ := base64.RawURLEncoding.DecodeString(p) // A minted token's payload can be decoded.
			return h, encode(`{"roles":["Admin"],` + string(plain[1:])), s
		})),
		edited("expired and signed by nobody", "CVE-2024-51744", signature, changedParts(func(h, _, s string) (string, string, string) {
			return h, encode(`{"exp":1}`), s
		})),
		edited("the header changed after signing", "RFC 8725 section 2.1", signature, changedParts(func(h, p, s string) (string, string, string) {
			plain, _ := base64.RawURLEncoding.DecodeString(h) // A minted token's header can be decoded.
			return encode(strings.Replace(string(plain), "{", "{ ", 1)), p, s
		})),
		forged("a forger's key under a known key ID", "RFC 8725 section 3.10", signature, func(tenant *entratest.Server) []entratest.TokenOption {
			return []entratest.TokenOption{named(tenant)}
		}),
		forged("a forger's key under its own ID", "RFC 8725 section 3.10", unknown, func(*entratest.Server) []entratest.TokenOption { return nil }),
		{name: "a key of personal accounts", reference: "R38", reason: unknown, edit: func(tenant *entratest.Server, _ string) string {
			return tenant.Token(entratest.SignedBy(tenant.PersonalKey()))
		}},
	}
	rows = append(rows, brings("a key in the header", "CVE-2018-0114, RFC 8725 section 3.10", "jwk", func(k *entratest.Key) any { return k.JWK() })...)
	rows = append(rows, brings("the address of a key set", notHeld, "jku", constant("https://evil.example/keys"))...)
	rows = append(rows, brings("the address of a certificate", notHeld, "x5u", constant("https://evil.example/certificate"))...)
	return append(rows, brings("a certificate", notHeld, "x5c", func(k *entratest.Key) any { return k.JWK()["x5c"] })...)
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

// jsonRows are claim sets, well signed, that two readers could understand differently.
func jsonRows() []row {
	const claims = entra.ReasonClaims
	whole := func(name, reference, text string) row {
		return minted(name, reference, claims, entratest.RawPayload([]byte(text)))
	}
	// adding puts members in front of those of a valid claim set.
	adding := func(name, reference, members string) row {
		return row{name: name, reference: reference, reason: claims, edit: func(tenant *entratest.Server, valid string) string {
			_, payload, _ := cut(valid)
			plain, _ := base64.RawURLEncoding.DecodeString(payload) // A minted token's payload can be decoded.
			return tenant.Token(entratest.RawPayload([]byte("{" + members + "," + string(plain[1:]))))
		}}
	}
	const twice, text = "RFC 7519 section 4, R6", "RFC 8725 section 3.7"
	return []row{
		adding("tid twice", twice, `"tid":"`+entratest.OtherTenantID+`"`),
		adding("roles twice", twice, `"roles":["Admin"],"roles":[]`),
		adding("exp twice, once escaped", twice, `"\u0065xp":9999999999`),
		adding("an unknown claim twice", twice, `"x":1,"x":1`),
		adding("a name twice deep inside", "CVE-2026-33252, "+twice, `"x":[{"y":{"z":1,"\u007a":2}}]`),
		adding("invalid UTF-8 in a value", text, "\"x\":\"\xc3\x28\""),
		adding("invalid UTF-8 in a name", text, "\"x\xff\":1"),
		adding("overlong UTF-8", text, "\"x\":\"\xc0\xaf\""),
		adding("half a surrogate pair", text, `"x":"\udc00"`),
		adding("a number that is none", "RFC 8259 section 6", `"x":NaN`),
		adding("a control character", "RFC 8259 section 7", "\"x\":\"\n\""),
		whole("nothing", "RFC 7519 section 7.2", " "),
		whole("null", "CVE-2024-21664", "null"),
		whole("an array", "RFC 7519 section 7.2", `[{"exp":9999999999}]`),
		whole("a string", "RFC 7519 section 7.2", `"exp"`),
		whole("a nested token", "RFC 7519 section 5.2", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"),
		whole("a second object behind", "RFC 8259 section 2", `{"exp":9999999999}{}`),
		whole("a byte order mark", "RFC 8259 section 8.1", "\ufeff{}"),
		whole("UTF-16", "RFC 8259 section 8.1", "\xff\xfe{\x00}\x00"),
		whole("a comment", "RFC 8259 section 2", `{/**/}`),
		whole("a comma too many", "RFC 8259 section 4", `{"exp":9999999999,}`),
		whole("two thousand objects in each other", "CVE-2019-12995", strings.Repeat(`{"":`, 2000)),
		whole("eleven thousand arrays in each other", "CVE-2019-12995", `{"x":`+strings.Repeat("[", 11_000)+"}"),
		whole("compressed claims", "RFC 8725 section 3.6", "\x1f\x8b\x08\x00"),
	}
}

// claimRows are claim sets of a real issuer that do not mean this API, this tenant or this time.
func claimRows() []row {
	const (
		claims   = entra.ReasonClaims
		audience = entra.ReasonAudience
		issuer   = entra.ReasonIssuer
		tenant   = entra.ReasonTenant
		login    = "https://login.microsoftonline.com/"
		own      = entratest.TenantID
		dates    = "RFC 7519 section 2, golang-jwt"
		meant    = "RFC 8725 section 3.9, CVE-2023-22482"
		issued   = "RFC 8725 section 3.8, R26"
	)
	claim := func(title, reference string, reason entra.Reason, name string, value any) row {
		return minted(title, reference, reason, entratest.Claim(name, value))
	}
	number := func(text string) any { return json.RawMessage(text) }
	return []row{
		minted("no exp", "S2a, R49", claims, entratest.Without("exp")),
		minted("expired", "RFC 7519 section 4.1.4", entra.ReasonExpired, entratest.Expired()),
		minted("not yet valid", "RFC 7519 section 4.1.5", entra.ReasonNotYetValid, entratest.NotYetValid()),
		claim("issued tomorrow", "S2d, R51", entra.ReasonNotYetValid, "iat", time.Now().Unix()+86400),
		claim("exp as text", dates+", seeds", claims, "exp", "9999999999"),
		claim("exp null", dates, claims, "exp", nil),
		claim("exp true", dates, claims, "exp", true),
		claim("exp -1", dates, claims, "exp", -1),
		claim("exp 2^63", dates, claims, "exp", number("9223372036854775808")),
		claim("exp 1e300", dates, claims, "exp", number("1e300")),
		claim("exp beyond all numbers", dates, claims, "exp", number("1e999")),
		claim("exp in milliseconds", dates, claims, "exp", number("4102444800000")),
		claim("nbf 2^63", dates, claims, "nbf", number("9223372036854775808")),
		claim("nbf as text", dates, claims, "nbf", "0"),
		minted("nbf behind exp", "R53", claims, entratest.Lifetime(-30*time.Second)), // a time within the clock skew

		minted("no audience", meant, audience, entratest.Without("aud")),
		claim("an empty audience", meant, audience, "aud", ""),
		claim("no audience in an array", meant, audience, "aud", []string{}),
		claim("several audiences", "CVE-2020-26160, R45", audience, "aud", []string{entratest.APIClientID, "api://other"}),
		claim("an audience in an array in an array", "CVE-2020-26160", claims, "aud", [][]string{{entratest.APIClientID}}),
		claim("an audience null in an array", "encoding/json", claims, "aud", []any{nil}),
		claim("another API", "CVE-2024-5798, GHSA-hcxc-wf8j-23hv", audience, "aud", "api://other"),
		claim("Microsoft Graph", "R46", audience, "aud", entratest.GraphClientID),
		claim("an audience that only begins right", meant, audience, "aud", entratest.APIClientID+".evil"),
		claim("an audience that only ends right", meant, audience, "aud", "x"+entratest.APIClientID),
		claim("an audience in upper case", "R44", audience, "aud", strings.ToUpper(entratest.APIClientID)),
		claim("an audience with two slashes", "R44", audience, "aud", entratest.APIURI+"//"),
		claim("an audience with a NUL", "R44", audience, "aud", entratest.APIClientID+"\x00"),
		minted("AUD for aud", "encoding/json, CVE-2026-27896", audience, entratest.Without("aud"), entratest.Claim("AUD", entratest.APIClientID)),

		minted("no issuer", issued, issuer, entratest.Without("iss")),
		claim("another issuer", issued, issuer, "iss", "https://evil.example/"+own+"/v2.0"),
		claim("a host that only begins right", issued, issuer, "iss", "https://login.microsoftonline.com.evil.example/"+own+"/v2.0"),
		claim("user information that looks like a host", issued, issuer, "iss", "https://login.microsoftonline.com@evil.example/"+own+"/v2.0"),
		claim("the issuer of another tenant", "R28", issuer, "iss", login+entratest.OtherTenantID+"/v2.0"),
		claim("the issuer as a template", "R27", issuer, "iss", login+"{tenantid}/v2.0"),
		claim("an alias of the issuer", "R32", issuer, "iss", "https://login.windows.net/"+own+"/v2.0"),
		claim("an issuer with an application's ID", "R37", issuer, "iss", "https://sts.windows.net/"+own+"/"+entratest.ClientID+"/"),
		claim("the issuer in an array", "encoding/json", claims, "iss", []string{login + own + "/v2.0"}),
		minted("iſs for iss", "encoding/json, CVE-2026-27896", issuer, entratest.Without("iss"), entratest.Claim("iſs", login+own+"/v2.0")),
		minted("a token of another tenant", "R30", tenant, entratest.Tenant(entratest.OtherTenantID)),
		minted("a personal account", "R31", entra.ReasonUnknownKey, entratest.Personal()),
		minted("no tid", "R27", tenant, entratest.Without("tid")),
		minted("TID for tid", "encoding/json, CVE-2026-27896", tenant, entratest.Without("tid"), entratest.Claim("TID", own)),
		minted("a tid that climbs", "R27", tenant, entratest.Tenant("x/../"+own)),
		minted("a template as tid", "R27", tenant, entratest.Tenant("{tenantid}")),
		claim("version 1.0 of a 2.0 issuer", "R29", entra.ReasonVersion, "ver", "1.0"),
		claim("an unknown version", "R57", entra.ReasonVersion, "ver", "3.0"),
		claim("a version that is a number", "R57", claims, "ver", 2.0),
	}
}

// kindRows are tokens for this API that permit nothing, or that are not for the client that sends them.
func kindRows() []row {
	const (
		claims   = entra.ReasonClaims
		idToken  = entra.ReasonIDToken
		nothing  = entra.ReasonNoPermissions
		bound    = "RFC 7800 section 3, R92"
		confused = "RFC 8725 section 3.12, R56"
	)
	claim := func(title, reference string, reason entra.Reason, name string, value any) row {
		return minted(title, reference, reason, entratest.Claim(name, value))
	}
	return []row{
		minted("an ID token", confused, idToken, entratest.IDToken()),
		minted("an ID token with a nonce", confused, idToken, entratest.IDToken(), entratest.Nonce("x")),
		minted("an ID token that names a client", confused, idToken, entratest.IDToken(), entratest.Nonce("x"), entratest.Claim("azp", entratest.ClientID)),
		minted("no client", confused, idToken, entratest.Without("azp")),
		minted("an application without permissions", "R64", nothing, entratest.App()),
		minted("a user without permissions", "R64", nothing, entratest.Scopes()),
		claim("an empty scp", "R76", nothing, "scp", ""),
		claim("a slash as scp", "R76", nothing, "scp", "/"),
		claim("blanks as scp", "R62", nothing, "scp", "   "),
		claim("scp in an array", "encoding/json", claims, "scp", []string{entratest.ScopeRead}),
		claim("idtyp app with a scope", "R58", nothing, "idtyp", "app"),
		claim("an unknown idtyp", "R58", nothing, "idtyp", "device"),
		claim("idtyp null", "encoding/json", claims, "idtyp", nil),
		minted("roles as text", "R63", claims, entratest.App(), entratest.Claim("roles", "Admin")),
		minted("roles with null", "encoding/json", claims, entratest.App(), entratest.Claim("roles", []any{nil})),
		minted("ROLES for roles", "encoding/json, CVE-2026-27896", nothing, entratest.App(), entratest.Claim("ROLES", []string{"Admin"})),
		minted("roleſ for roles", "encoding/json, CVE-2026-27896", nothing, entratest.App(), entratest.Claim("roleſ", []string{"Admin"})),
		minted("a Cyrillic look-alike of roles", "hashicorp/cap PR#191", nothing, entratest.App(), entratest.Claim("rоles", []string{"Admin"})),
		minted("no oid", "R59", claims, entratest.Without("oid")),
		minted("no sub", "R61", claims, entratest.Without("sub")),
		claim("oid null", "encoding/json", claims, "oid", nil),
		minted("bound to a certificate", "RFC 8705 section 3, R92", entra.ReasonBoundToken, entratest.Bound()),
		claim("bound to nothing", bound, entra.ReasonBoundToken, "cnf", map[string]string{}),
		claim("bound to something odd", bound, entra.ReasonBoundToken, "cnf", "x"),
		claim("bound to null", bound, claims, "cnf", nil),
	}
}
