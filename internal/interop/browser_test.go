package interop_test

import (
	"context"
	"fmt"
	"os"
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

	"github.com/entra-go/entra/internal/tests/programs"
)

// patience is how long the slowest machine may take to start a program, or for one step of the browser.
const patience = 3 * time.Minute

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
	path := programs.Look(t, "chromium", "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(patience),
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
			if e.Entry.Source == log.EntrySourceSecurity && e.Entry.Level == log.EntryLevelError {
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
