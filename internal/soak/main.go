// Soak sends the requests of hundreds of clients to an API behind package entra, while the Entra that it depends on rotates
// keys, loses them, answers nonsense or does not answer, and judges every single answer:
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
// Four courses of events run independently of each other. Keys rotate, sometimes with tokens in use before the document
// names the key; keys vanish from the document and come back, as Entra's do; keys of others and unusable ones stand in the
// document all the time. Entra fails in twenty ways (statuses 304, 404, 429 with Retry-After and 500, hanging before and
// in the answer, connections refused and closed, a certificate that nobody trusts, a redirect to another host, HTML, and
// empty, cut, endless and compressed documents), for some seconds each time, or is slow. The API is deployed anew
// at any moment, with a Verifier that begins with the keys of a folder, which those before it have filled, or without any.
// And there are floods, in which most clients send junk.
//
// Clients send good tokens of every kind, some of which become valid or expire while they are in use, and some forty
// classes of bad ones: expired, of foreign tenants, for other audiences, ID tokens, forged in several ways, with confused
// algorithms, with keys that sign for somebody else, with key IDs that never existed, no tokens at all. Some clients do
// not wait for their answer.
//
// # What it proves
//
// Package invariants records what Entra listed, and what each Verifier fetched and when, and holds to it:
//
//   - What is not a good token of a key that was fetched is never accepted, a remembered token included that has expired
//     since.
//   - A token whose key a Verifier fetched once, or found in its cache, is never refused for want of that key, whatever
//     Entra does, and waits for nothing. A request that comes while the key is being fetched gets it.
//   - 503 is answered only while no key is held, and at most 10 seconds after Entra's return.
//   - No answer takes more than 10 seconds. A busy machine is allowed a few seconds more, here and above.
//   - Verifiers fetch one URL, one fetch at a time, and a bounded number in a minute, floods or not. No fetch fails while
//     Entra is well, even if the request that started it has gone away.
//
// Package oracle of the library's tests judges each token that was let in a second time, with its claims, by rules and code
// of its own.
//
// The rig itself checks what the requests and Verifiers leave behind:
//
//   - A handler runs for accepted requests alone and sees the claims of the very token that was sent. Challenges,
//     Retry-After and problem documents are there where they belong.
//   - Stats counts the tokens let in, the fetches and the keys exactly as seen. Logs hold no token and no name, and at most
//     ten lines in ten seconds for one reason.
//   - In the end no goroutine is left, and the heap has not grown by more than 16 MB since the first minute.
//
// Whatever breaks this is printed as it happens and makes the exit status 1; mistakes in the flags make it 2. Ctrl-C ends
// a soak early, with its figures.
//
// # What it does not prove
//
// When a fetch may start, and for how long a key is held, are tested in tables and in virtual time beside the key set; a
// soak lasts 20 hours at most, so no key reaches the end of its life. A seed fixes the schedule and what each client
// draws, but not how goroutines meet: the same seed gives a similar soak, not the same one.
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
