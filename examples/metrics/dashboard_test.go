package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var metricName = regexp.MustCompile(`\bentra_[a-z_]+`)

// The dashboard and the alerts ask for metrics that the collector has, and the dashboard is what Grafana imports.
func TestDashboardAndAlertsUseTheCollectorsMetrics(t *testing.T) {
	var known []string
	descs := make(chan *prometheus.Desc, 20)
	newCollector(nil).Describe(descs)
	close(descs)
	for desc := range descs {
		known = append(known, metricName.FindString(desc.String()))
	}
	dashboard, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Title         string
		SchemaVersion int
		Panels        []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ RefID, Expr string }
		}
	}
	if err := json.Unmarshal(dashboard, &document); err != nil {
		t.Fatal(err)
	}
	if document.Title == "" || document.SchemaVersion == 0 || len(document.Panels) == 0 {
		t.Fatalf("got %+v, want a title, a schema version and panels", document)
	}
	ids := make(map[int]bool)
	for _, panel := range document.Panels {
		if ids[panel.ID] || panel.Title == "" || panel.GridPos.W == 0 || panel.GridPos.X+panel.GridPos.W > 24 || len(panel.Targets) == 0 {
			t.Errorf("got the panel %+v, want an ID of its own, a title, a place within 24 columns and a query", panel)
		}
		ids[panel.ID] = true
	}
	alerts, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"dashboard.json": dashboard, "alerts.yml": alerts} {
		found := metricName.FindAllString(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s asks for no metric", name)
		}
		for _, metric := range found {
			if !slices.Contains(known, metric) {
				t.Errorf("%s asks for %s, which the collector does not have: %q", name, metric, known)
			}
		}
	}
}

// Whoever is woken by an alert finds its name in the runbook, and the section that the alert leads to.
func TestTheRunbookKnowsEveryAlert(t *testing.T) {
	alerts, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?s)- alert: (\w+)\n.*?/docs/operations\.md#([\w-]+)\n`).FindAllStringSubmatch(string(alerts), -1)
	if len(named) != strings.Count(string(alerts), "- alert: ") {
		t.Fatalf("got the alerts %q, want each with a section of the runbook", named)
	}
	for _, alert := range named {
		if !regexp.MustCompile("\\| [^|]*`" + alert[1] + "`[^|]* \\| \\[[^]]*\\]\\(#" + alert[2] + "\\)").Match(text) {
			t.Errorf("got no row in the runbook that leads from %s to #%s", alert[1], alert[2])
		}
	}
}
