package interop_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/programs"
)

// printed returns the recipe of this name among those that the emulator prints.
func (l *local) printed(t *testing.T, name string) string {
	t.Helper()
	_, recipe, ok := strings.Cut(l.text, "\n"+name)
	if !ok {
		t.Fatalf("got no recipe for %s in\n%s", name, l.text)
	}
	_, recipe, _ = strings.Cut(recipe, "\n") // what it says about it
	recipe, _, _ = strings.Cut(recipe, "\n\n")
	return recipe
}

// What the emulator prints for a client gets a token when it is pasted into a program.
func TestThePrintedRecipesOfGo(t *testing.T) {
	const begin = "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"os\"\n"
	const end = "\tif err != nil {\n\t\tpanic(err)\n\t}\n\tfmt.Println(token)\n}\n"
	const check = "\tif err != nil {\n\t\tpanic(err)\n\t}\n"
	for _, way := range []localWay{anIssuer, endpoints} {
		l := way.start(t)
		for _, row := range []struct{ name, imports, get string }{
			{
				"x/oauth2", `"golang.org/x/oauth2/clientcredentials"`,
				"\tresult, err := config.Token(ctx)\n" + check + "\ttoken := result.AccessToken\n",
			},
			{
				"MSAL Go", `"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"`,
				check + "\tresult, err := client.AcquireTokenByCredential(ctx, []string{scope})\n" + check + "\ttoken := result.AccessToken\n",
			},
			{
				"azidentity", `"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"`,
				check + "\tresult, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})\n" + check + "\ttoken := result.Token\n",
			},
		} {
			t.Run(row.name+" at "+way.name, func(t *testing.T) {
				program := begin + "\n\t" + row.imports + "\n)\n\nfunc main() {\n\tctx, scope := context.Background(), os.Getenv(\"API_SCOPE\")\n\t_ = scope\n" +
					l.printed(t, row.name) + "\n" + row.get + end
				wantPrintedToken(t, l, exec.Command(pasted(t, program)))
			})
		}
	}
}

// pasted builds a program as if it stood in this module, whose requirements it has.
func pasted(t *testing.T, program string) (binary string) {
	t.Helper()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	source, overlay, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "program")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "pasted", "main.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{source: []byte(program), overlay: replace} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", binary, "./pasted").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s\n%s", err, out, program)
	}
	return binary
}

// wantPrintedToken runs a program that prints a token, and checks that the API takes it for the daemon's.
func wantPrintedToken(t *testing.T, l *local, command *exec.Cmd) {
	t.Helper()
	command.Env = append(os.Environ(), l.environment...)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	token := regexp.MustCompile(`[\w-]+\.[\w-]+\.[\w-]+`).FindString(string(out))
	if claims, err := l.verifier.Verify(t.Context(), token); err != nil || !claims.HasRole("Orders.Read.All") {
		t.Errorf("got %s, %+v, %v; want the daemon's token", out, claims, err)
	}
}

func TestThePrintedRecipeOfMSALNode(t *testing.T) {
	l := localEndpoints(t)
	program := `import { ConfidentialClientApplication } from "@azure/msal-node";
` + l.printed(t, "MSAL Node") + `
const { accessToken } = await client.acquireTokenByClientCredential({ scopes: [process.env.API_SCOPE] });
console.log(accessToken);
`
	command := exec.Command(node(t), "--input-type=module", "-e", program)
	wantPrintedToken(t, l, command)
}

// A page is a browser's; what it constructs is read here, and TestThePageBesideTheEmulator signs in with the same.
func TestThePrintedRecipeOfMSALBrowser(t *testing.T) {
	l := localEndpoints(t)
	program := `import * as msal from "@azure/msal-browser";
` + l.printed(t, "MSAL Browser") + `
const { clientId, authority, authorityMetadata } = client.getConfiguration().auth;
console.log(JSON.stringify([clientId, authority, JSON.parse(authorityMetadata).token_endpoint]));
process.exit(); // Its timers would keep Node.js running.
`
	command := exec.Command(node(t), "--input-type=module", "-e", program)
	out, err := command.CombinedOutput()
	endpoint := strings.TrimSuffix(l.variables["ENTRA_METADATA"], "v2.0/.well-known/openid-configuration") + "oauth2/v2.0/token"
	want := fmt.Sprintf("[%q,%q,%q]\n", l.variables["ENTRA_PAGE_CLIENT_ID"], "https://login.microsoftonline.com/"+ownTenant, endpoint)
	if err != nil || string(out) != want {
		t.Errorf("got %s, %v; want %s", out, err, want)
	}
}

func TestThePrintedRecipeOfMSALPython(t *testing.T) {
	python := programs.Python(t, "python3-msal", "msal")
	for _, way := range []localWay{anIssuer, endpoints} {
		l := way.start(t)
		program := "import os\nfrom msal import ConfidentialClientApplication\nif True:\n" + l.printed(t, "MSAL Python") +
			"\nprint(client.acquire_token_for_client([os.environ['API_SCOPE']]))\n"
		wantPrintedToken(t, l, exec.Command(python, "-c", program))
	}
}

func TestThePrintedRecipeOfCurl(t *testing.T) {
	for _, way := range []localWay{anIssuer, endpoints} {
		l := way.start(t)
		wantPrintedToken(t, l, exec.Command("/bin/sh", "-c", l.printed(t, "curl")))
	}
}

// The lines for the API get a 200 for the user and one for the application, pasted as they stand.
func TestThePrintedCallsOfTheAPI(t *testing.T) {
	programs.Look(t, "curl", "curl")
	for _, command := range []string{"emulator", "run"} {
		t.Run(command, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"-url", "http://" + listener.Addr().String() + "/orders?of=it's&for=$HOME"}
			if command == "emulator" {
				args = append(args, "-http", "localhost:0", "-https", "localhost:0", "-ca", filepath.Join(t.TempDir(), "ca.pem"))
			}
			l := startLocal(t, command, args...)
			server := &http.Server{Handler: l.orders(), ReadHeaderTimeout: time.Minute}
			go func() { _ = server.Serve(listener) }() // It ends with Close.
			defer server.Close()
			lines := regexp.MustCompile(`(?m)^  (?:user=|app=|curl -i).*$`).FindAllString(l.text, -1)
			out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", strings.Join(lines, "\n")).CombinedOutput()
			if err != nil || strings.Count(string(out), "HTTP/1.1 200 OK") != 2 || !strings.Contains(string(out), "orders of "+entratest.AliceObjectID) {
				t.Errorf("got %v and\n%s\nwant two answers 200", err, out)
			}
		})
	}
}
