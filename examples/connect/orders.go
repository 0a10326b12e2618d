package main

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"github.com/entra-go/entra"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What follows stands for the code that protoc-gen-connect-go generates of your service, and for what implements it.
const (
	listProcedure   = "/orders.v1.Orders/List"
	watchProcedure  = "/orders.v1.Orders/Watch"
	deleteProcedure = "/orders.v1.Orders/Delete"
)

func newOrdersHandler() (path string, handler http.Handler) {
	mux := http.NewServeMux()
	mux.Handle(listProcedure, connect.NewUnaryHandlerSimple(listProcedure, list))
	mux.Handle(watchProcedure, connect.NewServerStreamHandlerSimple(watchProcedure, watch))
	mux.Handle(deleteProcedure, connect.NewUnaryHandlerSimple(deleteProcedure, remove))
	return "/orders.v1.Orders/", mux
}

func list(ctx context.Context, _ *emptypb.Empty) (*wrapperspb.StringValue, error) {
	claims, _ := entra.ClaimsFromContext(ctx) // always there behind Authenticate
	return wrapperspb.String("orders of user " + claims.ObjectID), nil
}

// watch must not outlive the token that opened the stream.
func watch(ctx context.Context, _ *emptypb.Empty, stream *connect.ServerStream[wrapperspb.StringValue]) error {
	claims, _ := entra.ClaimsFromContext(ctx)
	ctx, cancel := context.WithDeadline(ctx, claims.ExpiresAt)
	defer cancel()
	if err := stream.Send(wrapperspb.String("orders of user " + claims.ObjectID)); err != nil {
		return err
	}
	<-ctx.Done() // there is never a second one
	return ctx.Err()
}

func remove(context.Context, *emptypb.Empty) (*emptypb.Empty, error) { return new(emptypb.Empty), nil }
