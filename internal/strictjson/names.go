package strictjson

// names are those that stood in an object so far.
type names struct {
	list []string
	// marks has a bit for each name of list, perhaps the same one for several.
	marks uint64
	// all holds the names once there are too many to go through.
	all map[string]struct{}
}

const (
	maxListed = 64
	// maxKept bounds the names for which a pooled Reader keeps room. A token of the largest size has fewer.
	maxKept = 4096
)

// add reports whether name is a new one.
func (n *names) add(name string) bool {
	if len(n.list) == maxListed {
		return n.addToMany(name)
	}
	bit := mark(name)
	if n.marks&bit != 0 {
		for _, known := range n.list {
			if known == name {
				return false
			}
		}
	}
	n.marks |= bit
	n.list = append(n.list, name)
	return true
}

// mark tells most names of claims apart by their length and two letters.
func mark(name string) uint64 {
	if name == "" {
		return 1
	}
	return 1 << ((uint(len(name)) + 5*uint(name[0]) + 23*uint(name[len(name)-1])) % 64)
}

func (n *names) addToMany(name string) bool {
	if len(n.all) == 0 {
		if n.all == nil {
			n.all = make(map[string]struct{}, 2*maxListed)
		}
		for _, known := range n.list {
			n.all[known] = struct{}{}
		}
	}
	before := len(n.all)
	n.all[name] = struct{}{}
	return len(n.all) > before
}

// reset forgets all names.
func (n *names) reset() {
	clear(n.list)
	if len(n.all) > maxKept {
		n.all = nil
	}
	clear(n.all)
	*n = names{list: n.list[:0], all: n.all}
}
