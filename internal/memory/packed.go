package memory

import "strings"

// Packer puts texts and lists of texts into one string, from which a [Packed] reads them in the same order. To keep
// thousands of texts so takes half the space and fewer objects than to keep each by itself.
type Packer struct{ strings.Builder }

// maxNumber is how many bytes a number has that [TextSize] and [ListSize] allow for: it may be two million then.
const maxNumber = 3

// TextSize returns how many bytes a text takes at most.
func TextSize(text string) int { return maxNumber + len(text) }

// ListSize returns how many bytes a list takes at most.
func ListSize(list []string) int {
	size := maxNumber
	for _, text := range list {
		size += TextSize(text)
	}
	return size
}

// Text adds a text.
func (p *Packer) Text(text string) {
	p.number(len(text))
	p.WriteString(text)
}

// List adds a list of texts. No list and an empty one are told apart.
func (p *Packer) List(list []string) {
	if list == nil {
		p.number(0)
		return
	}
	p.number(len(list) + 1)
	for _, text := range list {
		p.Text(text)
	}
}

// number adds a number: seven bits a byte, the lowest first, and all bytes but the last have the eighth bit set.
func (p *Packer) number(n int) {
	for ; n >= 0x80; n >>= 7 {
		p.WriteByte(byte(n) | 0x80)
	}
	p.WriteByte(byte(n))
}

// Packed is what is left to read of what a [Packer] put together. What is read shares memory with it.
type Packed string

// Text reads a text.
func (p *Packed) Text() string {
	n := p.number()
	text := (*p)[:n]
	*p = (*p)[n:]
	return string(text)
}

// List reads a list into room, as long as that has capacity, and returns it with what is left of room.
func (p *Packed) List(room []string) (list, rest []string) {
	n := p.number() - 1
	switch {
	case n < 0:
		return nil, room
	case n == 0, n > cap(room):
		list, rest = make([]string, n), room
	default:
		// Without spare capacity: appending to one list must not write into the next.
		list, rest = room[:n:n], room[n:n]
	}
	for i := range list {
		list[i] = p.Text()
	}
	return list, rest
}

func (p *Packed) number() (n int) {
	for i, shift := 0, 0; ; i, shift = i+1, shift+7 {
		b := (*p)[i]
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			*p = (*p)[i+1:]
			return n
		}
	}
}
