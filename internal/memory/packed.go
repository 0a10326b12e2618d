package memory

import "strings"

// Packed holds texts and lists of texts in one string: to keep thousands of claim sets so takes half the space, and fewer
// objects, than to keep each text by itself. What is read shares memory with it.
//
// It begins with numbers of two bytes, the lower first: where the texts begin, where each text ends, how many entries each
// list has and one more (0: there is no list), where each entry ends. So each text is found without reading those before it.
type Packed string

const (
	numberSize = 2
	maxNumber  = 1<<16 - 1
)

// Pack returns prefix and, behind it, what a [Packed] holds, or false if that would be longer than 64 KB. The largest tokens
// that Entra issues hold a tenth of that.
func Pack(prefix string, texts []string, lists [][]string) (string, bool) {
	numbers, size := 1+len(texts)+len(lists), 0
	for _, text := range texts {
		size += len(text)
	}
	for _, list := range lists {
		numbers += len(list)
		for _, entry := range list {
			size += len(entry)
		}
	}
	p := packer{end: numberSize * numbers}
	// Where a list has more entries than a number can say, their ends are too many bytes.
	if size += p.end; size > maxNumber {
		return "", false
	}
	p.Grow(len(prefix) + size)
	p.WriteString(prefix)
	p.number(p.end)
	p.ends(texts)
	for _, list := range lists {
		if list == nil {
			p.number(0)
		} else {
			p.number(1 + len(list))
		}
	}
	for _, list := range lists {
		p.ends(list)
	}
	p.write(texts)
	for _, list := range lists {
		p.write(list)
	}
	return p.String(), true
}

type packer struct {
	strings.Builder
	end int // of the texts whose ends are written
}

func (p *packer) number(n int) {
	p.WriteByte(byte(n))
	p.WriteByte(byte(n >> 8))
}

func (p *packer) ends(texts []string) {
	for _, text := range texts {
		p.end += len(text)
		p.number(p.end)
	}
}

func (p *packer) write(texts []string) {
	for _, text := range texts {
		p.WriteString(text)
	}
}

// number returns the number that begins at p[at].
func (p Packed) number(at int) int {
	return int(p[at]) | int(p[at+1])<<8
}

// Text returns text number i, counted from 0.
func (p Packed) Text(i int) string {
	i *= numberSize
	return string(p[p.number(i):p.number(i+numberSize)])
}

// Lists returns a reader of the lists, which stand behind this many texts. It reads them into room, as long as that has
// capacity.
func (p Packed) Lists(texts, lists int, room []string) Lists {
	return Lists{p, numberSize * (1 + texts), numberSize * (1 + texts + lists), p.number(numberSize * texts), room}
}

// Lists reads the lists of a [Packed], one after the other.
type Lists struct {
	packed      Packed
	list, entry int // where the numbers stand that come next
	start       int // of the next entry
	room        []string
}

// Next returns the next list.
func (l *Lists) Next() []string {
	n := l.packed.number(l.list)
	l.list += numberSize
	if n == 0 {
		return nil
	}
	return l.read(n - 1)
}

func (l *Lists) read(n int) (list []string) {
	if n == 0 || n > cap(l.room) {
		list = make([]string, n)
	} else {
		// Without spare capacity: appending to one list must not write into the next.
		list, l.room = l.room[:n:n], l.room[n:n]
	}
	for i := range list {
		end := l.packed.number(l.entry)
		list[i] = string(l.packed[l.start:end])
		l.start = end
		l.entry += numberSize
	}
	return list
}
