package main

import (
	"encoding/json"
	"net/http"
)

// claimsForToken answers the event onTokenIssuanceStart with a claim for the token that Entra is about to issue.
func claimsForToken(w http.ResponseWriter, _ *http.Request) {
	type action struct {
		Type   string            `json:"@odata.type"`
		Claims map[string]string `json:"claims"`
	}
	type data struct {
		Type    string   `json:"@odata.type"`
		Actions []action `json:"actions"`
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]data{"data": {
		Type:    "microsoft.graph.onTokenIssuanceStartResponseData",
		Actions: []action{{"microsoft.graph.tokenIssuanceStart.provideClaimsForToken", map[string]string{"costCenter": "4711"}}},
	}})
}
