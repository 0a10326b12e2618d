package main

import (
	"github.com/entra-go/entra"
	"github.com/prometheus/client_golang/prometheus"
)

// collector is a prometheus.Collector that reads a Verifier's Stats when it is asked. Alert on entra_keys 0, on
// entra_keys_fetched_timestamp_seconds falling hours behind while the API is in use, and on refusals that jump.
type collector struct {
	verifier *entra.Verifier

	verified, remembered, refused *prometheus.Desc
	fetches, failures             *prometheus.Desc
	keys, fetched                 *prometheus.Desc
}

func newCollector(verifier *entra.Verifier) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("entra_"+name, help, labels, nil)
	}
	return &collector{
		verifier:   verifier,
		verified:   desc("tokens_verified_total", "Tokens accepted."),
		remembered: desc("tokens_remembered_total", "Tokens accepted from memory, a part of entra_tokens_verified_total."),
		refused:    desc("refused_total", "Requests and tokens refused.", "reason"),
		fetches:    desc("key_fetches_total", "Fetches of key documents."),
		failures:   desc("key_fetch_failures_total", "Fetches of key documents that failed."),
		keys:       desc("keys", "Signing keys held."),
		fetched:    desc("keys_fetched_timestamp_seconds", "End of the last good fetch of a key document, 0 if there was none."),
	}
}

func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.verified, c.remembered, c.refused, c.fetches, c.failures, c.keys, c.fetched} {
		descs <- desc
	}
}

func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	stats := c.verifier.Stats()
	count := func(desc *prometheus.Desc, value uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
	}
	count(c.verified, stats.Verified)
	count(c.remembered, stats.Remembered)
	for reason, n := range stats.Refused {
		count(c.refused, n, string(reason))
	}
	count(c.fetches, stats.Fetches)
	count(c.failures, stats.FetchFailures)
	metrics <- prometheus.MustNewConstMetric(c.keys, prometheus.GaugeValue, float64(stats.Keys))
	fetched := 0.0
	if !stats.LastFetch.IsZero() {
		fetched = float64(stats.LastFetch.UnixMilli()) / 1000
	}
	metrics <- prometheus.MustNewConstMetric(c.fetched, prometheus.GaugeValue, fetched)
}
