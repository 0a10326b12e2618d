package main

import (
	"encoding/json"
	"net/http"
)

// agree answers the handshake of CloudEvents webhooks, an OPTIONS request without a token: it says that this address wants
// events, and nothing about who sends them.
func agree(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("WebHook-Request-Origin") == "eventgrid.azure.net" {
		w.Header().Set("WebHook-Allowed-Origin", "eventgrid.azure.net")
		w.Header().Set("WebHook-Allowed-Rate", "*")
	}
	w.Header().Set("Allow", "OPTIONS, POST")
}

// events receives events. With Event Grid's own schema the handshake is an event, too, with a code to send back.
func events(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("aeg-event-type") != "SubscriptionValidation" {
		return // What is to be done with the events comes here.
	}
	var received []struct {
		Data struct {
			ValidationCode string `json:"validationCode"`
		} `json:"data"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&received); err != nil || len(received) != 1 {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"validationResponse": received[0].Data.ValidationCode})
}
