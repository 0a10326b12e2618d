// Package caddy holds tests only: Caddy itself in front of examples/gateway, with the Caddyfile of that example.
package caddy
