package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// protocols are what clients may speak.
var protocols = map[string][]connect.ClientOption{
	"Connect":  nil,
	"JSON":     {connect.WithProtoJSON()},
	"gRPC":     {connect.WithGRPC()},
	"gRPC-Web": {connect.WithGRPCWeb()},
}

func TestCalls(t *testing.T) {
	tenant := entratest.New(t)
	server := serve(t, tenant)
	reader := tenant.Token(entratest.Scopes("Orders.Read"))
	for _, test := range []struct {
		name          string
		authorization []string
		code          connect.Code // 0: the call passes
		message       string
		challenge     string // what it contains
	}{
		{"a reader may call", []string{"Bearer " + reader}, 0, "", ""},
		{"the scheme may be lower-case", []string{"bearer " + reader}, 0, "", ""},
		{"nobody may call without a token", nil, connect.CodeUnauthenticated, "no_token", "authorization_uri"},
		{"two tokens are refused", []string{"Bearer " + reader, "Bearer " + reader}, connect.CodeUnauthenticated, "invalid_request", "invalid_request"},
		{"an old token is refused", []string{"Bearer " + tenant.Token(entratest.Expired())}, connect.CodeUnauthenticated, "expired", "invalid_token"},
		{"a token without the scope is refused", []string{"Bearer " + tenant.Token(entratest.Scopes("Other"))}, connect.CodePermissionDenied, "scope", "/Orders.Read"},
	} {
		for protocol, options := range protocols {
			t.Run(test.name+" by "+protocol, func(t *testing.T) {
				answer, err := call(t.Context(), server, listProcedure, test.authorization, options)
				check(t, "unary", answer, err, test.code, test.message, test.challenge)
				answer, err = watchOnce(t.Context(), server, test.authorization, options)
				check(t, "stream", answer, err, test.code, test.message, test.challenge)
			})
		}
	}
}

func TestAMethodThatNobodyNamedIsRefused(t *testing.T) {
	tenant := entratest.New(t)
	server := serve(t, tenant)
	for protocol, options := range protocols {
		t.Run(protocol, func(t *testing.T) {
			answer, err := call(t.Context(), server, deleteProcedure, []string{"Bearer " + tenant.Token(entratest.Scopes("Orders.Read"))}, options)
			check(t, "unary", answer, err, connect.CodePermissionDenied, "forbidden", "insufficient_scope")
		})
	}
}

func TestWithoutKeysCallsAreUnavailable(t *testing.T) {
	tenant := entratest.New(t)
	tenant.FailKeys(503)
	server := serve(t, tenant)
	for protocol, options := range protocols {
		t.Run(protocol, func(t *testing.T) {
			_, err := call(t.Context(), server, listProcedure, []string{"Bearer " + tenant.Token()}, options)
			if connect.CodeOf(err) != connect.CodeUnavailable || meta(err).Get("Retry-After") == "" {
				t.Errorf("got %v with %v, want unavailable with Retry-After", err, meta(err))
			}
		})
	}
}

// The token expired within the clock skew that is allowed for, so that the call passes and its stream ends at once.
func TestAStreamEndsWithItsToken(t *testing.T) {
	tenant := entratest.New(t)
	server := serve(t, tenant)
	token := tenant.Token(entratest.IssuedAt(time.Now().Add(-time.Hour)), entratest.Lifetime(time.Hour-30*time.Second))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	stream, err := open(ctx, server, []string{"Bearer " + token}, nil)
	if err != nil {
		t.Fatal(err)
	}
	received := 0
	for stream.Receive() {
		received++
	}
	if received != 1 || connect.CodeOf(stream.Err()) != connect.CodeDeadlineExceeded || ctx.Err() != nil {
		t.Errorf("got %d orders, then %v; want 1 and the end of the token", received, stream.Err())
	}
}

func TestWhoeverSpeaksNoneOfTheProtocolsGetsAProblemDocument(t *testing.T) {
	server := serve(t, entratest.New(t))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+listProcedure, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 401 || !strings.Contains(string(body), `"reason":"no_token"`) || response.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("got %s, %v and %s; want 401 with a challenge and the reason", response.Status, response.Header, body)
	}
}

func check(t *testing.T, kind, answer string, err error, code connect.Code, message, challenge string) {
	t.Helper()
	if code == 0 {
		if err != nil || !strings.Contains(answer, entratest.AliceObjectID) {
			t.Errorf("%s: got %q and %v, want the orders of alice", kind, answer, err)
		}
		return
	}
	got := meta(err)["Www-Authenticate"]
	if connect.CodeOf(err) != code || !strings.Contains(err.Error(), message) || len(got) != 1 || !strings.Contains(got[0], challenge) {
		t.Errorf("%s: got %v with challenges %q; want %v, %q and one with %q", kind, err, got, code, message, challenge)
	}
}

// meta returns what came with a call's error.
func meta(err error) http.Header {
	if refusal, ok := err.(*connect.Error); ok {
		return refusal.Meta()
	}
	return nil
}

func call(ctx context.Context, server *httptest.Server, procedure string, authorization []string, options []connect.ClientOption) (answer string, err error) {
	client := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](server.Client(), server.URL+procedure, options...)
	request := connect.NewRequest(new(emptypb.Empty))
	request.Header()["Authorization"] = authorization
	response, err := client.CallUnary(ctx, request)
	if err != nil {
		return "", err
	}
	return response.Msg.GetValue(), nil
}

// watchOnce opens a stream and closes it after the first message.
func watchOnce(ctx context.Context, server *httptest.Server, authorization []string, options []connect.ClientOption) (answer string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := open(ctx, server, authorization, options)
	if err != nil {
		return "", err
	}
	if stream.Receive() {
		return stream.Msg().GetValue(), nil
	}
	return "", stream.Err()
}

func open(ctx context.Context, server *httptest.Server, authorization []string, options []connect.ClientOption) (*connect.ServerStreamForClient[wrapperspb.StringValue], error) {
	client := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](server.Client(), server.URL+watchProcedure, options...)
	request := connect.NewRequest(new(emptypb.Empty))
	request.Header()["Authorization"] = authorization
	return client.CallServerStream(ctx, request)
}

func serve(t *testing.T, tenant *entratest.Server) *httptest.Server {
	t.Helper()
	handler, err := newHandler(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		ClockSkew:  10 * time.Minute, // longer than a test takes on any machine
		HTTPClient: tenant.Client(),  // the fake tenant in place of Entra
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true // for gRPC
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}
