package interop_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// picturesOfTheDocuments takes docs/pictures/quickstart-*.png: the answer to a token for Microsoft Graph, which a newcomer
// sees first, for both colour schemes and for two widths of the reader's screen.
func (b *browser) picturesOfTheDocuments() {
	b.t.Helper()
	for _, screen := range []struct {
		suffix        string
		width, height int64
		margin        float64 // around the answer, less than what separates it from the rest of the page
	}{
		{"", 1280, 1440, 24},
		{"-phone", 390, 2000, 14},
	} {
		for _, scheme := range []string{"light", "dark"} {
			b.do(chromedp.EmulateViewport(screen.width, screen.height), emulateScheme(scheme), chromedp.Reload())
			b.sees("#verdict", "microsoft_api_token")
			picture := b.partOfThePage("#answer", screen.margin)
			name := "quickstart" + screen.suffix + "-" + scheme + ".png"
			if err := os.WriteFile(filepath.Join(b.pictures, name), picture, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.do(chromedp.EmulateViewport(1280, 800), emulateScheme("light"))
}

// partOfThePage returns a picture of an element and the margin around it as a PNG, two pixels for one of the page.
func (b *browser) partOfThePage(selector string, margin float64) []byte {
	b.t.Helper()
	box, err := chromedp.Run(b.ctx, chromedp.Evaluate[struct{ X, Y, Width, Height float64 }](fmt.Sprintf(
		`(box => ({ x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height }))(document.querySelector(%q).getBoundingClientRect())`, selector)))
	if err != nil {
		b.t.Fatalf("%s: %v", selector, err)
	}
	var taken []byte
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		beyond := true
		result, err := chromedp.Call(ctx, cdp.CaptureScreenshot, cdp.CaptureScreenshotParams{
			Clip:                  &cdp.Viewport{X: box.X - margin, Y: box.Y - margin, Width: box.Width + 2*margin, Height: box.Height + 2*margin, Scale: 2},
			CaptureBeyondViewport: &beyond,
		})
		taken = result.Data
		return err
	}))
	picture, err := png.Decode(bytes.NewReader(taken))
	if err != nil {
		b.t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, fewColours(picture)); err != nil {
		b.t.Fatal(err)
	}
	return small.Bytes()
}

// fewColours returns the picture in the 64 colours that it has most of. Text on plain ground has few others, and a third
// of the bytes is enough for it.
func fewColours(picture image.Image) image.Image {
	count := make(map[color.Color]int)
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[color.RGBAModel.Convert(picture.At(x, y))]++
		}
	}
	palette := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	few := image.NewPaletted(bounds, palette[:min(64, len(palette))])
	draw.Draw(few, bounds, picture, bounds.Min, draw.Src)
	return few
}
