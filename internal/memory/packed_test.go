package memory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/memory"
)

func TestWhatIsPackedIsReadAgain(t *testing.T) {
	const prefix = "prefix"
	texts := []string{"", "a", "\x00\xff", strings.Repeat("b", 255), strings.Repeat("c", 256), strings.Repeat("d", 1<<14), ""}
	lists := [][]string{nil, {}, {""}, {"x", "y"}, {"z"}, slices.Repeat([]string{"many"}, 300), nil, {"last"}}
	both, ok := memory.Pack(prefix, texts, lists)
	if !ok || !strings.HasPrefix(both, prefix) {
		t.Fatalf("got %.20q and %v, want the prefix and what is packed", both, ok)
	}
	packed := memory.Packed(both[len(prefix):])
	for i, want := range texts {
		if got := packed.Text(i); got != want {
			t.Errorf("text %d: got %.20q of %d bytes, want %.20q of %d", i, got, len(got), want, len(want))
		}
	}
	all := packed.Lists(len(texts), len(lists), nil)
	for i, want := range lists {
		if got := all.Next(); !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("list %d: got %q, want %q", i, got, want)
		}
	}
}

func TestListsShareTheRoomOneBehindTheOther(t *testing.T) {
	lists := [][]string{{"a", "b"}, {"c"}, {"d", "e"}, {"f"}}
	both, ok := memory.Pack("", nil, lists)
	if !ok {
		t.Fatal("got nothing packed")
	}
	room := make([]string, 0, 4)
	whole := room[:4]
	all := memory.Packed(both).Lists(0, len(lists), room)
	a, b, c, d := all.Next(), all.Next(), all.Next(), all.Next() // c does not fit any more.
	if !slices.Equal(whole, []string{"a", "b", "c", "f"}) || !slices.Equal(c, []string{"d", "e"}) {
		t.Errorf("got %q in the room and %q beside it, want the list of two beside it", whole, c)
	}
	_, _, _ = append(a, "x"), append(b, "x"), append(d, "x")
	if b[0] != "c" || d[0] != "f" {
		t.Errorf("got %q and %q after a list before was appended to, want them unchanged", b, d)
	}
}

// A number has two bytes: whatever it could not say is not packed at all.
func TestWhatIsTooLongIsNotPacked(t *testing.T) {
	text := func(size int) []string { return []string{strings.Repeat("a", size)} }
	const numbers = 2 * (1 + 1 + 1) // for one text and one empty list
	for _, test := range []struct {
		name  string
		texts []string
		lists [][]string
		want  bool
	}{
		{"as long as may be", text(1<<16 - 1 - numbers), [][]string{{}}, true},
		{"a byte longer", text(1<<16 - numbers), [][]string{{}}, false},
		{"an entry that is too long", nil, [][]string{text(1 << 16)}, false},
		{"entries that are too many", nil, [][]string{make([]string, 1<<16)}, false},
		{"half as many, whose ends are too many", nil, [][]string{make([]string, 1<<15)}, false},
		{"nothing", nil, nil, true},
	} {
		both, ok := memory.Pack("a prefix does not count: "+strings.Repeat("p", 1<<16), test.texts, test.lists)
		if ok != test.want || !ok && both != "" {
			t.Errorf("%s: got %d bytes and %v, want it packed: %v", test.name, len(both), ok, test.want)
		}
	}
}
