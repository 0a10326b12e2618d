// Package oauth2proxy pins the oauth2-proxy that the tests of the module above build and run. It is a module of its own
// so that what oauth2-proxy needs changes neither their versions nor those of Caddy.
package oauth2proxy
