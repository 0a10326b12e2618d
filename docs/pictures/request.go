package main

// check is a row of the way of a request: what must hold, and what answers a request for which it does not.
type check struct{ name, holds, status, reasons string }

var stages = []struct {
	says, by string
	checks   []check
}{
	{"Is it a token that Entra signed?", "Authenticate", []check{
		{"Header", "one of them, with one bearer token", "400", "invalid_request; none: 401"},
		{"Token", "a JWT, RS256, 16 KiB at most", "401", "malformed, algorithm, …"},
		{"Key", "held, or brought by one fetch", "401", "unknown_key; no keys: 503"},
		{"Signature", "RSA with SHA-256", "401", "signature"},
	}},
	{"Is it for this API, now?", "Authenticate", []check{
		{"Claims", "exact names, none twice, right types", "401", "claims"},
		{"Time", "exp, nbf, iat, within a minute", "401", "expired, not_yet_valid"},
		{"Issuer and tenant", "exactly the tenant’s, and listed", "401", "issuer, version, tenant"},
		{"Key’s owner", "the key signs for this issuer", "401", "key_issuer"},
		{"Audience", "this API", "401", "audience"},
		{"Kind", "an access token, bound to no key", "401", "id_token, bound_token"},
		{"Permissions", "a scope or a role", "401", "no_permissions"},
	}},
	{"May they do this?", "Require", []check{
		{"Require", "what the route asks for", "403", "scope, role, client, …"},
	}},
}

// Geometry of the picture: the spine, what hangs on it, and where the way out leads.
const (
	spine      = 30
	nameX      = 50
	holdsX     = 186
	reasonX    = holdsX + 34
	firstY     = 66
	rowPitch   = 44
	stagePitch = 36
)

func request() string {
	height := firstY + 78
	for _, s := range stages {
		height += stagePitch + len(s.checks)*rowPitch
	}
	c := newCanvas(height, "The way of a request",
		"A request passes the checks header, token, key, signature, claims, time, issuer and tenant, key’s owner, audience, kind, permissions and Require, in this order, and then reaches the handler. The first check that fails answers it with 400, 401, 403 or 503.")
	c.line(spine, firstY, spine, height-40, "way")
	c.dot(spine, firstY, 5, "good")
	c.text(nameX, firstY+5, "code", "Authorization: Bearer eyJ…")
	y := firstY + 4
	for _, s := range stages {
		y += stagePitch
		c.line(nameX, y-20, width-margin, y-20, "line")
		c.text(nameX, y, "good name", s.says)
		c.anchored(width-margin, y, "code", "end", s.by)
		for _, row := range s.checks {
			c.check(y+28, row)
			y += rowPitch
		}
		y += 8
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
	c.line(nameX, y+14, holdsX-8, y+14, "out")
	c.text(holdsX, y+19, "status", row.status)
	c.text(reasonX, y+19, "code", row.reasons)
}
