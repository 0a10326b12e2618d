package main

import (
	"context"
	"net/http"

	"github.com/entra-go/entra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// guard does for gRPC what Authenticate and Require do for HTTP. Handlers find the caller with entra.ClaimsFromContext.
type guard struct {
	verifier     *entra.Verifier
	requirements map[string][]entra.Requirement // by full method name; without any, nobody may call
}

func (g guard) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, err := g.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handle(ctx, request)
}

func (g guard) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, err := g.admit(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	claims, _ := entra.ClaimsFromContext(ctx)
	// A stream must not outlive the token that opened it.
	ctx, cancel := context.WithDeadline(ctx, claims.ExpiresAt)
	defer cancel()
	return handle(server, admitted{stream, ctx})
}

type admitted struct {
	grpc.ServerStream
	ctx context.Context
}

func (s admitted) Context() context.Context { return s.ctx }

// admit returns a context with the caller's claims, or a status error; the challenge is then in the trailer
// www-authenticate. The refusal is counted and logged by the Verifier.
func (g guard) admit(ctx context.Context, method string) (context.Context, error) {
	ctx, err := g.verifier.AuthenticateContext(ctx, metadata.ValueFromIncomingContext(ctx, "authorization")...)
	if err == nil {
		err = entra.Permit(ctx, g.requirements[method]...)
	}
	switch {
	case err == nil:
		return ctx, nil
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	if challenge := g.verifier.Challenge(err); challenge != "" {
		_ = grpc.SetTrailer(ctx, metadata.Pairs("www-authenticate", challenge)) // it fails outside of a call only
	}
	// The error's text is for the log alone.
	return nil, status.Error(code(err), "refused: "+string(entra.ReasonOf(err)))
}

func code(err error) codes.Code {
	switch entra.StatusCode(err) {
	case http.StatusBadRequest, http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	return codes.Internal
}
