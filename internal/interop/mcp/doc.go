// Package mcp holds tests only: clients of the Model Context Protocol as their makers ship them, each against the program
// examples/mcp and a fake tenant, from the first 401 to the call of a tool.
//
// The program runs as in production, but that the environment leads its requests to Microsoft's hosts to the fake tenant.
// The tenant's metadata names its own loopback endpoints, so that the clients need no setting for it. The tests play the
// user: they visit the URL that a client wants opened in a browser.
package mcp
