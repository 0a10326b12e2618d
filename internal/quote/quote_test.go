package quote_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/entra-go/entra/internal/quote"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                             `""`,
		"abc":                          `"abc"`,
		`a"b\c`:                        `"a\"b\\c"`,
		"a\r\nb":                       `"a\r\nb"`,
		"\x00\x1b[31m\x7f":             `"\x00\x1b[31m\x7f"`,
		"é\u202e":                      `"\u00e9\u202e"`,
		"\xff":                         `"\xff"`,
		strings.Repeat("a", 128):       `"` + strings.Repeat("a", 128) + `"`,
		strings.Repeat("a", 129):       `"` + strings.Repeat("a", 128) + `"...`,
		strings.Repeat("a", 127) + "é": `"` + strings.Repeat("a", 127) + `"...`,
	} {
		if got := quote.Text(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestField(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"aB0-._~":                "aB0-._~",
		"a b":                    `"a b"`,
		"a=b":                    `"a=b"`,
		"a\nb":                   `"a\nb"`,
		"é":                      `"\u00e9"`,
		strings.Repeat("a", 128): strings.Repeat("a", 128),
		strings.Repeat("a", 129): `"` + strings.Repeat("a", 128) + `"...`,
	} {
		if got := quote.Field(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// FuzzText: what is shown is bounded, printable, and the beginning of the text.
func FuzzText(f *testing.F) {
	for _, text := range []string{"", "abc", "\x00\r\n\x1b\x7f", "é\u202e😀", "\xff\xfe", `"\`, strings.Repeat("a", 129), strings.Repeat("é", 40), strings.Repeat("\xff", 70), strings.Repeat("😀", 17)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cut := quote.Cut(text)
		if len(cut) > quote.Limit || !strings.HasPrefix(text, cut) || len(text) <= quote.Limit && cut != text {
			t.Fatalf("Cut: got %q, want the first %d bytes at most", cut, quote.Limit)
		}
		if utf8.ValidString(text) && (!utf8.ValidString(cut) || len(text) > quote.Limit && len(cut) <= quote.Limit-utf8.UTFMax) {
			t.Errorf("Cut: got %q of valid text, want whole characters and as many as fit", cut)
		}
		shown := quote.Text(text)
		if strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("Text: got %s, want printable ASCII alone", shown)
		}
		quoted, wasCut := strings.CutSuffix(shown, `"...`)
		if wasCut {
			quoted += `"`
		}
		if plain, err := strconv.Unquote(quoted); plain != cut || err != nil || wasCut != (cut != text) {
			t.Errorf("Text: got %s, which says %q, want %q", shown, plain, cut)
		}
		if field := quote.Field(text); field != text && field != shown || field == text && strings.ContainsAny(text, " \"=\r\n\x00") {
			t.Errorf("Field: got %s, want the text itself or %s", field, shown)
		}
	})
}
