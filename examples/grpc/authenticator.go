package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/entra-go/entra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// authenticator does for gRPC what Authenticate and Require do for HTTP. Handlers find the caller with
// entra.ClaimsFromContext.
type authenticator struct {
	verifier    *entra.Verifier
	permissions map[string]entra.Requirement // by full method name
}

func (a authenticator) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, err := a.authenticate(ctx, info.FullMethod, func(md metadata.MD) error { return grpc.SetTrailer(ctx, md) })
	if err != nil {
		return nil, err
	}
	return handle(ctx, request)
}

func (a authenticator) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, err := a.authenticate(stream.Context(), info.FullMethod, func(md metadata.MD) error { stream.SetTrailer(md); return nil })
	if err != nil {
		return err
	}
	claims, _ := entra.ClaimsFromContext(ctx)
	// A stream must not outlive the token that opened it.
	ctx, cancel := context.WithDeadline(ctx, claims.ExpiresAt)
	defer cancel()
	return handle(server, authenticated{stream, ctx})
}

type authenticated struct {
	grpc.ServerStream
	ctx context.Context
}

func (s authenticated) Context() context.Context { return s.ctx }

// authenticate returns a context with the caller's claims, or a status error; the challenge is then in the trailer
// www-authenticate.
func (a authenticator) authenticate(ctx context.Context, method string, setTrailer func(metadata.MD) error) (context.Context, error) {
	claims, err := a.verify(ctx, method)
	if err == nil {
		return entra.ContextWithClaims(ctx, claims), nil
	}
	if ctx.Err() != nil {
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	// The error's text is for the operator alone; the client gets the challenge.
	slog.InfoContext(ctx, "request refused", "method", method, "reason", entra.ReasonOf(err), "error", err)
	if challenge := a.verifier.Challenge(err); challenge != "" {
		if err := setTrailer(metadata.Pairs("www-authenticate", challenge)); err != nil {
			return nil, err
		}
	}
	return nil, status.Error(code(err), "refused: "+string(entra.ReasonOf(err)))
}

func (a authenticator) verify(ctx context.Context, method string) (*entra.Claims, error) {
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(values) == 0 {
		return nil, entra.ErrNoToken
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return nil, entra.ErrInvalidRequest
	}
	claims, err := a.verifier.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	permission := a.permissions[method]
	if permission == nil {
		return nil, errors.New("permissions does not name this method")
	}
	return claims, permission(ctx, claims)
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
