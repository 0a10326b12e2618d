// Spa is a single-page application that signs its user in with MSAL.js, and the API that it calls. Page and API listen on
// ports of their own, as they do on hosts of their own in production. MSAL.js comes from npm. To try it with an emulated
// Entra:
//
//	npm ci --prefix examples/spa
//	go run ./cmd/entra emulator
//	go -C examples run ./spa -emulator http://localhost:8085   # beside it; then open http://localhost:3000
//
// For the real one leave -emulator out, and set ENTRA_TENANT_ID to your directory (tenant) ID, ENTRA_CLIENT_ID to the
// application (client) ID of the API and ENTRA_PAGE_CLIENT_ID to that of the page: docs/flows/page.md says how to make the
// two registrations.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	pageAddr := flag.String("page", "localhost:3000", "`address` of the page")
	apiAddr := flag.String("api", "localhost:3001", "`address` of the API")
	msal := flag.String("msal", "spa/node_modules/@azure/msal-browser/lib", "`folder` with MSAL.js, as npm unpacks it")
	emulator := flag.String("emulator", "", "`URL` of an emulated Entra, such as http://localhost:8085")
	flag.Parse()

	s := settings{
		TenantID: os.Getenv("ENTRA_TENANT_ID"),
		APIID:    os.Getenv("ENTRA_CLIENT_ID"),
		PageID:   os.Getenv("ENTRA_PAGE_CLIENT_ID"),
		API:      "http://" + *apiAddr,
		login:    "https://login.microsoftonline.com",
	}
	var client *http.Client
	if *emulator != "" {
		client = &http.Client{Transport: emulated(*emulator)}
		if err := s.emulate(*emulator); err != nil {
			log.Fatal(err)
		}
	}
	api, err := newAPI(s, client, "http://"+*pageAddr)
	if err != nil {
		log.Fatalf("set ENTRA_TENANT_ID, ENTRA_CLIENT_ID and ENTRA_PAGE_CLIENT_ID: %v", err)
	}
	page, err := newPage(s, *msal)
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(serve(*pageAddr, page)) }()
	log.Printf("open http://%s", *pageAddr)
	log.Fatal(serve(*apiAddr, api))
}

func serve(addr string, handler http.Handler) error {
	server := &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	return server.ListenAndServe()
}
