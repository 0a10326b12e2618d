package memory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/memory"
)

func TestWhatIsPackedIsReadAgain(t *testing.T) {
	texts := []string{"", "a", "\x00\xff", strings.Repeat("b", 127), strings.Repeat("c", 128), strings.Repeat("d", 1<<14), strings.Repeat("e", 1<<21)}
	lists := [][]string{nil, {}, {""}, {"x", "y"}, {"z"}, slices.Repeat([]string{"many"}, 200)}
	var p memory.Packer
	p.WriteString("prefix")
	size := len("prefix")
	for _, text := range texts {
		p.Text(text)
		size += memory.TextSize(text)
	}
	for _, list := range lists {
		p.List(list)
		size += memory.ListSize(list)
	}
	both := p.String()
	if len(both) > size+1 { // The last text has a length of four bytes.
		t.Errorf("got %d bytes, want %d at most", len(both), size+1)
	}
	packed := memory.Packed(both[len("prefix"):])
	for i, want := range texts {
		if got := packed.Text(); got != want {
			t.Errorf("text %d: got %.20q of %d bytes, want %.20q of %d", i, got, len(got), want, len(want))
		}
	}
	for i, want := range lists {
		got, _ := packed.List(nil)
		if !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("list %d: got %q, want %q", i, got, want)
		}
	}
	if packed != "" {
		t.Errorf("got %d bytes left, want none", len(packed))
	}
}

func TestListsShareTheRoomOneBehindTheOther(t *testing.T) {
	var p memory.Packer
	for _, list := range [][]string{{"a", "b"}, {"c"}, {"d", "e"}, {"f"}} {
		p.List(list)
	}
	packed, room := memory.Packed(p.String()), make([]string, 0, 4)
	whole := room[:4]
	a, rest := packed.List(room)
	b, rest := packed.List(rest)
	c, rest := packed.List(rest) // does not fit any more
	d, rest := packed.List(rest)
	if len(rest) != 0 || cap(rest) != 0 || !slices.Equal(whole, []string{"a", "b", "c", "f"}) || !slices.Equal(c, []string{"d", "e"}) {
		t.Errorf("got %q in the room and %q beside it, want the list of two beside it", whole, c)
	}
	_, _, _ = append(a, "x"), append(b, "x"), append(d, "x")
	if b[0] != "c" || d[0] != "f" {
		t.Errorf("got %q and %q after a list before was appended to, want them unchanged", b, d)
	}
}
