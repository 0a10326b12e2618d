package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/entra-go/entra"
)

// feed brings new orders. Each goes to one of those who wait for it; a real program would send it to all.
type feed chan string

func (f feed) fill(ctx context.Context) {
	for now := range time.Tick(time.Second) {
		select {
		case f <- "order of " + now.Format(time.TimeOnly):
		case <-ctx.Done():
			return
		}
	}
}

// events sends server-sent events until the client leaves or its token expires.
func (f feed) events(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context())
	ctx, cancel := context.WithDeadline(r.Context(), claims.ExpiresAt)
	defer cancel()
	stream := http.NewResponseController(w)
	stream.SetWriteDeadline(claims.ExpiresAt) // in place of the server's WriteTimeout
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	stream.Flush()
	for {
		select {
		case <-ctx.Done():
			return
		case order := <-f:
			fmt.Fprintf(w, "data: %s\n\n", order)
			if err := stream.Flush(); err != nil {
				return
			}
		}
	}
}

// socket sends messages until the client leaves or its token expires. Accept refuses pages of other origins.
func (f feed) socket(w http.ResponseWriter, r *http.Request) {
	claims, _ := entra.ClaimsFromContext(r.Context())
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"orders.v1"}})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	ctx, cancel := context.WithDeadline(conn.CloseRead(r.Context()), claims.ExpiresAt)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			conn.Close(websocket.StatusPolicyViolation, "the token has expired")
			return
		case order := <-f:
			if err := conn.Write(ctx, websocket.MessageText, []byte(order)); err != nil {
				return
			}
		}
	}
}
