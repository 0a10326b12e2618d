package main

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func TestCalls(t *testing.T) {
	tenant := entratest.New(t)
	client := connect(t, entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(), // the fake tenant in place of Entra
	})
	reader := tenant.Token(entratest.Scopes("Health.Read"))
	for _, test := range []struct {
		name          string
		authorization []string
		code          codes.Code
		message       string
		challenge     string // what it contains
	}{
		{"a reader may call", []string{"Bearer " + reader}, codes.OK, "", ""},
		{"the scheme may be lower-case", []string{"bearer " + reader}, codes.OK, "", ""},
		{"nobody may call without a token", nil, codes.Unauthenticated, "no_token", "authorization_uri"},
		{"two tokens are refused", []string{"Bearer " + reader, "Bearer " + reader}, codes.Unauthenticated, "invalid_request", "invalid_request"},
		{"another scheme is no token", []string{"Basic " + reader}, codes.Unauthenticated, "no_token", "authorization_uri"},
		{"an old token is refused", []string{"Bearer " + tenant.Token(entratest.Expired())}, codes.Unauthenticated, "expired", "invalid_token"},
		{"a token without the scope is refused", []string{"Bearer " + tenant.Token()}, codes.PermissionDenied, "scope", "/Health.Read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := withAuthorization(t.Context(), test.authorization)
			var trailer metadata.MD
			_, err := client.Check(ctx, new(healthpb.HealthCheckRequest), grpc.Trailer(&trailer))
			check(t, "unary", err, trailer, test.code, test.message, test.challenge)

			stream, err := client.Watch(ctx, new(healthpb.HealthCheckRequest))
			if err != nil {
				t.Fatal(err)
			}
			_, err = stream.Recv()
			check(t, "stream", err, stream.Trailer(), test.code, test.message, test.challenge)
		})
	}
}

func TestAMethodThatNobodyNamedIsRefused(t *testing.T) {
	tenant := entratest.New(t)
	client := connect(t, entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	ctx := withAuthorization(t.Context(), []string{"Bearer " + tenant.Token(entratest.Scopes("Health.Read"))})
	var trailer metadata.MD
	_, err := client.List(ctx, new(healthpb.HealthListRequest), grpc.Trailer(&trailer))
	check(t, "unary", err, trailer, codes.PermissionDenied, "forbidden", "insufficient_scope")
}

// The token expired within the clock skew that is allowed for, so that the call passes and its stream ends at once.
func TestAStreamEndsWithItsToken(t *testing.T) {
	tenant := entratest.New(t)
	client := connect(t, entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		ClockSkew:  10 * time.Minute, // longer than this takes on any machine
		HTTPClient: tenant.Client(),
	})
	token := tenant.Token(entratest.Scopes("Health.Read"), entratest.IssuedAt(time.Now().Add(-time.Hour)), entratest.Lifetime(time.Hour-30*time.Second))
	bounded, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ctx := withAuthorization(bounded, []string{"Bearer " + token})
	if _, err := client.Check(ctx, new(healthpb.HealthCheckRequest)); err != nil {
		t.Fatalf("unary: got %v, want nil", err)
	}
	stream, err := client.Watch(ctx, new(healthpb.HealthCheckRequest))
	for err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) == codes.Unauthenticated || ctx.Err() != nil {
		t.Errorf("got %v, want an end that is no refusal", err)
	}
}

func TestRefusalsAreCountedOnce(t *testing.T) {
	tenant := entratest.New(t)
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	g := guard{verifier, requirements}
	for token, reason := range map[string]entra.Reason{
		tenant.Token(entratest.Expired()): entra.ReasonExpired,
		tenant.Token():                    entra.ReasonScope,
	} {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+token))
		if _, err := g.admit(ctx, healthpb.Health_Check_FullMethodName); err == nil {
			t.Errorf("got nil, want %s", reason)
		}
		if got := verifier.Stats().Refused[reason]; got != 1 {
			t.Errorf("got %d refusals for %s, want 1", got, reason)
		}
	}
}

func TestWithoutKeysCallsAreUnavailable(t *testing.T) {
	tenant := entratest.New(t)
	tenant.FailKeys(503)
	client := connect(t, entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		HTTPClient: tenant.Client(),
	})
	_, err := client.Check(withAuthorization(t.Context(), []string{"Bearer " + tenant.Token()}), new(healthpb.HealthCheckRequest))
	if status.Code(err) != codes.Unavailable {
		t.Errorf("got %v, want Unavailable", err)
	}
}

func check(t *testing.T, kind string, err error, trailer metadata.MD, code codes.Code, message, challenge string) {
	t.Helper()
	got := strings.Join(trailer.Get("www-authenticate"), "; ")
	if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), message) || !strings.Contains(got, challenge) {
		t.Errorf("%s: got %v with challenge %q, want %v, %q and %q", kind, err, got, code, message, challenge)
	}
}

func withAuthorization(ctx context.Context, values []string) context.Context {
	for _, value := range values {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", value)
	}
	return ctx
}

func connect(t *testing.T, options entra.Options) healthpb.HealthClient {
	t.Helper()
	server, err := newServer(options)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }() // It returns when Stop is called.
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return healthpb.NewHealthClient(connection)
}
