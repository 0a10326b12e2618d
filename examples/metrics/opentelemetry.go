package main

import (
	"context"
	"errors"

	"github.com/entra-go/entra"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// observe lets meter read a Verifier's Stats whenever metrics are collected.
func observe(meter metric.Meter, verifier *entra.Verifier) error {
	var mistakes []error
	counter := func(name, unit, description string) metric.Int64ObservableCounter {
		c, err := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		mistakes = append(mistakes, err)
		return c
	}
	verified := counter("entra.tokens.verified", "{token}", "Tokens accepted.")
	remembered := counter("entra.tokens.remembered", "{token}", "Tokens accepted from memory, a part of entra.tokens.verified.")
	refused := counter("entra.refused", "{refusal}", "Requests and tokens refused.")
	fetches := counter("entra.key.fetches", "{fetch}", "Fetches of key documents.")
	failures := counter("entra.key.fetch.failures", "{fetch}", "Fetches of key documents that failed.")
	keys, err := meter.Int64ObservableGauge("entra.keys", metric.WithUnit("{key}"), metric.WithDescription("Signing keys held."))
	if err := errors.Join(append(mistakes, err)...); err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		stats := verifier.Stats()
		o.ObserveInt64(verified, int64(stats.Verified))
		o.ObserveInt64(remembered, int64(stats.Remembered))
		for reason, n := range stats.Refused {
			o.ObserveInt64(refused, int64(n), metric.WithAttributes(attribute.String("reason", string(reason))))
		}
		o.ObserveInt64(fetches, int64(stats.Fetches))
		o.ObserveInt64(failures, int64(stats.FetchFailures))
		o.ObserveInt64(keys, int64(stats.Keys))
		return nil
	}, verified, remembered, refused, fetches, failures, keys)
	return err
}
