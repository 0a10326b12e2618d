// Soak lets hundreds of clients loose on an API behind package entra, while the Entra that it depends on rotates keys,
// loses them, answers nonsense or does not answer, and judges every single answer:
//
//	go -C internal/soak run . -for 5m
//	go -C internal/soak run . -for 5m -seed 42 -clients 250 -rate 300
//
// Everything is real but Entra: a net/http server with Authenticate and Require, clients that reach it over loopback
// sockets, and Verifiers that fetch their keys over https from package entratest, which listens on a loopback port under
// the name of login.microsoftonline.com. Nothing leaves the machine.
//
// # What happens
//
// Four courses of events know nothing of each other. Keys rotate, sometimes with tokens in use before the document lists
// the key; they flap, as Entra's do; keys of others and unusable ones stand in the document all the time. Entra falls ill
// in twenty ways (statuses 304, 404, 429 with Retry-After and 500, hanging before and in the answer, connections refused
// and closed, a certificate that nobody trusts, a redirect to another host, HTML, empty, cut, endless and compressed
// documents), for some seconds each time, or is slow. The API is deployed anew, with a Verifier without keys, at any
// moment. And floods come: most clients then send junk.
//
// Clients send good tokens of every kind, some of which begin or end while they are in use, and some forty classes of bad
// ones: expired, of foreign tenants, for other audiences, ID tokens, forged in several ways, with confused algorithms,
// with keys that sign for somebody else, with key IDs that never existed, no tokens at all. Some clients do not wait for
// their answer.
//
// # What it proves
//
// Package oracle knows what Entra listed, what each Verifier fetched and when, and the bounds that package entra states.
// From these it tells which answers were right for each request:
//
//   - What is not a good token of a held key is never accepted, a remembered token included that has expired since.
//   - A token whose key a Verifier fetched once is never refused for want of that key, whatever Entra does, and waits for
//     nothing.
//   - A new key is refused only while Entra does not list it, is in trouble, or the allowance for fetches is spent: 5
//     seconds after a fetch that did not bring the key asked for, doubling to 5 minutes, lifted by one that did; 1 second
//     after a failed one, doubling to a minute. Who comes while a fetch runs gets what it brings.
//   - 503 is answered only while no key is held, and at most 10 seconds after Entra's return.
//   - No answer takes more than 10 seconds. A few seconds more are forgiven to a busy machine, here and
//     above, and what a machine makes impossible that stands still for longer.
//   - Verifiers fetch one URL, one fetch at a time, never sooner than those allowances say, and wait as long as
//     Retry-After asks, within its caps. No fetch fails while Entra is well: whoever began it may leave.
//   - A handler runs for accepted requests alone and sees the claims of the very token that was sent. Challenges,
//     Retry-After and problem documents are there where they belong.
//   - Stats counts the tokens let in, the fetches and the keys exactly as seen. Logs hold no token and no name, and for
//     one reason ten lines in ten seconds.
//   - In the end no goroutine is left, and the heap has not grown by more than 16 MB since the first minute.
//
// Whatever breaks this is printed as it happens, and makes the exit status 1; mistakes in the flags make it 2. Ctrl-C ends
// a soak early, with its figures.
//
// # What it does not prove
//
// Time is real here: that keys live for 24 hours, that documents are refreshed after one, and what delays of minutes do
// in the long run, is shown by the tests of package entra under virtual time; a soak therefore lasts 20 hours at most. A
// seed fixes the schedule and what each client draws, but not how goroutines meet: the same seed gives a similar soak,
// not the same one.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/entra-go/entra/internal/soak/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(rig.Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
