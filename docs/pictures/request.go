package main

// check is a row of the way of a request: what must hold, and what answers a request for which it does not.
type check struct{ name, holds, status, reasons string }

var stages = []struct {
	says   string
	checks []check
}{
	{"Is it a token that Entra signed?", []check{
		{"Header", "one Authorization header, one bearer token", "400", "invalid_request; no token: 401"},
		{"Token", "a JWT, RS256, 16 KiB at most", "401", "malformed, algorithm, header, …"},
		{"Key", "held, or brought by one fetch", "401", "unknown_key; no key held: 503"},
		{"Signature", "RSA with SHA-256", "401", "signature"},
	}},
	{"Is it for this API, now?", []check{
		{"Claims", "exact names, none twice, right types", "401", "claims"},
		{"Time", "exp, nbf, iat, within a minute", "401", "expired, not_yet_valid"},
		{"Issuer and tenant", "exactly the tenant’s, and listed", "401", "issuer, version, tenant"},
		{"Key’s owner", "the key signs for this issuer", "401", "key_issuer"},
		{"Audience", "this API", "401", "audience"},
		{"Kind", "an access token, not bound to a key", "401", "id_token, bound_token"},
		{"Permissions", "a scope or a role", "401", "no_permissions"},
	}},
	{"May they do this?", []check{
		{"Require", "what the route asks for", "403", "scope, role, app_permission, …"},
	}},
}

// Columns of the picture.
const (
	spine   = 44
	nameX   = 72
	holdsX  = 224
	outX    = 526
	statusX = 572
	reasonX = 610
)

func request() string {
	const pitch, stageGap, first = 34, 46, 84
	height := first + 62
	for _, s := range stages {
		height += stageGap + len(s.checks)*pitch
	}
	c := newCanvas(height, "The way of a request",
		"A request passes the checks header, token, key, signature, claims, time, issuer and tenant, key’s owner, audience, kind, permissions and Require, in this order, and then reaches the handler. The first check that fails answers it with 400, 401, 403 or 503.")
	c.text(28, 40, "title", "The way of a request")
	c.anchored(width-28, 40, "soft small", "end", "The first check that fails answers.")
	c.line(spine, first-14, spine, height-40, "way")
	c.dot(spine, first-14, 5, "good")
	c.text(nameX, first-9, "code", "GET /orders    Authorization: Bearer eyJ…")

	y := first
	for i, s := range stages {
		y += stageGap - 6
		c.line(nameX, y-24, width-28, y-24, "line")
		c.text(nameX, y-2, "good name", s.says)
		c.anchored(width-28, y-2, "code", "end", []string{"Authenticate", "Authenticate", "Require"}[i])
		y += 6
		for _, row := range s.checks {
			y += pitch
			c.check(y-10, row)
		}
	}
	c.dot(spine, height-36, 8, "good")
	c.text(nameX, height-31, "name", "Your handler")
	c.text(holdsX, height-31, "soft", "with the claims in the context")
	return c.done()
}

func (c *canvas) check(y int, row check) {
	c.dot(spine, y-5, 6, "step")
	c.text(nameX, y, "name", row.name)
	c.text(holdsX, y, "soft", row.holds)
	c.line(outX, y-5, statusX-10, y-5, "out")
	c.text(statusX, y, "status", row.status)
	c.text(reasonX, y, "code", row.reasons)
}
