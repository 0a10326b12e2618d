package entratest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/entra-go/entra/entratest"
)

// payload shows some claims of a token, which nobody has verified.
func payload(token string, names ...string) {
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		fmt.Println(err)
		return
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range names {
		fmt.Println(name, claims[name])
	}
}

// A program without tests uses NewServer; a test uses New, which closes the
// tenant by itself.
func ExampleNewServer() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	response, err := tenant.Client().Get("https://login.microsoftonline.com/common/discovery/v2.0/keys")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	_, err = tenant.Client().Get("https://example.com/")
	fmt.Println(err)
	// Output:
	// 200 OK
	// Get "https://example.com/": entratest: host "example.com" is not one of Microsoft's that this server stands in for; nothing was sent
}

// Token mints what Entra would issue; options say what is different.
func ExampleServer_Token() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	payload(tenant.Token(), "ver", "scp", "preferred_username")
	payload(tenant.Token(entratest.App(entratest.RoleDaemon), entratest.V1()), "ver", "aud", "roles")
	payload(tenant.Token(entratest.Claim("tid", 7), entratest.Without("scp")), "tid", "scp")
	// Output:
	// ver 2.0
	// scp Orders.Read
	// preferred_username alice@contoso.example
	// ver 1.0
	// aud api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa
	// roles [Orders.Read.All]
	// tid 7
	// scp <nil>
}

// Key documents can fail, hang and lie.
func ExampleServer_AnswerKeys() {
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()
	tenant.AnswerKeys(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	response, err := tenant.Client().Get("https://login.microsoftonline.com/common/discovery/keys")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.StatusCode, response.Header.Get("Retry-After"), tenant.KeyRequests())
	// Output: 503 5 1
}
