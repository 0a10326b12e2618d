package interop_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/entra-go/entra/entratest"
)

// patience is how long the slowest machine may take for one step of the browser.
const patience = time.Minute

// browser is a tab of Chromium with a page in it.
type browser struct {
	t        *testing.T
	ctx      context.Context
	pictures string

	mu     sync.Mutex
	faults []string // what the page's scripts did wrong
}

// newBrowser starts Chromium without a window and without anything that it does by itself on the network.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "Chromium is not installed; on Debian: chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, pictures: artifacts(t)}
	if err := chromedp.Do(ctx); err != nil { // The browser lives as long as this context.
		t.Fatalf("starting Chromium: %v", err)
	}
	b.do(chromedp.EmulateViewport(1280, 800))
	b.listen()
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	return b
}

// listen notes exceptions, and what the Content-Security-Policy forbade. That requests are refused is no fault.
func (b *browser) listen() {
	note := func(text string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults = append(b.faults, text)
	}
	err := chromedp.Listen(b.ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			note(text)
		case *log.EventEntryAdded:
			if e.Entry.Source == log.EntrySourceSecurity {
				note(e.Entry.Text)
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// tab returns the same browser with another tab, such as a popup.
func (b *browser) tab(id target.ID) *browser {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
	b.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatalf("the new window: %v", err)
	}
	return &browser{t: b.t, ctx: ctx, pictures: b.pictures}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.picture("failed")
		b.t.Fatalf("the browser: %v; the page's faults: %q", err, b.faultsSoFar())
	}
}

func (b *browser) faultsSoFar() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.faults
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeEnabled))
}

// sees waits until the element shows the text.
func (b *browser) sees(selector, text string) {
	b.t.Helper()
	shown := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		now, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf("(e => e?.checkVisibility() ? e.innerText : '')(document.querySelector(%q))", selector)))
		if err != nil {
			continue // The page is on its way to another one.
		}
		if shown = now; strings.Contains(shown, text) {
			return
		}
	}
	b.picture("failed")
	b.t.Fatalf("%s: got %q, want it to show %q; the page's faults: %q", selector, shown, text, b.faultsSoFar())
}

// popup clicks and returns the window that opens.
func (b *browser) popup(selector string) *browser {
	b.t.Helper()
	opened := chromedp.WaitNewTarget(b.ctx, func(info *target.Info) bool { return info.Type == "page" })
	b.click(selector)
	select {
	case id := <-opened:
		return b.tab(id)
	case <-time.After(patience):
		b.t.Fatalf("click on %s: no window opened", selector)
		return nil
	}
}

// show takes pictures of the page as it is now: wide and narrow, light and dark.
func (b *browser) show(state string) {
	b.t.Helper()
	for _, width := range []struct {
		name          string
		width, height int64
		options       []chromedp.EmulateViewportOption
	}{
		{"desktop", 1280, 800, nil},
		{"phone", 390, 844, []chromedp.EmulateViewportOption{chromedp.EmulateMobile, chromedp.EmulateScale(2)}},
	} {
		for _, scheme := range []string{"light", "dark"} {
			b.do(chromedp.EmulateViewport(width.width, width.height, width.options...), emulateScheme(scheme))
			b.fits(state + ", " + width.name)
			b.picture(state + "-" + width.name + "-" + scheme)
		}
	}
	b.do(chromedp.EmulateViewport(1280, 800), emulateScheme("light"))
}

// fits checks that nothing sticks out at the side.
func (b *browser) fits(state string) {
	b.t.Helper()
	over, err := chromedp.Run(b.ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
	if err != nil || over > 0 {
		b.t.Errorf("%s: got %d pixels beyond the side (%v), want none", state, over, err)
	}
}

func emulateScheme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

func (b *browser) picture(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Logf("no picture of %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(b.pictures, "spa-"+name+".png"), picture, 0o600); err != nil {
		b.t.Error(err)
	}
}

// page is the example examples/spa beside a fake tenant.
type page struct {
	url    string
	tenant *entratest.Server
	clock  *clock
}

// clock is the tenant's, which the test may set wrong.
type clock struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

func (c *clock) set(off time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
}

// startPage runs the example with MSAL.js from the folder of node_modules, and a tenant as strict as Entra.
func startPage(t *testing.T, msal string) *page {
	t.Helper()
	p := &page{clock: new(clock)}
	p.tenant = entratest.New(t, entratest.Config{Strict: true, Clock: p.clock.now, Apps: []entratest.AppRegistration{
		{
			ClientID: entratest.APIClientID,
			Name:     "Orders API",
			Scopes:   []string{entratest.ScopeRead, entratest.ScopeWrite},
		},
		{
			ClientID:        entratest.SPAClientID,
			Name:            "Orders",
			SPARedirectURIs: []string{"http://localhost/", "http://localhost/redirect.html"},
		},
	}})
	emulator, err := p.tenant.Start()
	if err != nil {
		t.Fatal(err)
	}
	p.url = runPage(t, emulator, msal)
	return p
}

// runPage builds examples/spa and runs it as its first lines say, on ports of its own. It returns its URL.
func runPage(t *testing.T, emulator, msal string) string {
	t.Helper()
	node(t) // For MSAL.js.
	folder, err := filepath.Abs(filepath.Join("node_modules", msal, "lib"))
	if err != nil {
		t.Fatal(err)
	}
	address := freePort(t)
	runExample(t, "spa", "-emulator", emulator, "-page", address, "-api", freePort(t), "-msal", folder)
	waitFor(t, "http://"+address)
	return "http://" + address
}

// runExample builds a program of the examples and runs it until the test ends.
func runExample(t *testing.T, name string, args ...string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), name)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./"+name)
	build.Dir = "../../examples"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building examples/%s: %v\n%s", name, err, out)
	}
	command := exec.CommandContext(t.Context(), binary, args...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	return fmt.Sprintf("localhost:%d", l.Addr().(*net.TCPAddr).Port)
}

func waitFor(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(url)
		if err == nil {
			_ = response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v", url, err)
		}
	}
}

// count returns how many requests with this method and end of the path the tenant got.
func (p *page) count(method, suffix string) int {
	n := 0
	for _, r := range p.tenant.Requests() {
		if r.Method == method && strings.HasSuffix(r.Path, suffix) {
			n++
		}
	}
	return n
}
