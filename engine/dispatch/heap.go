package dispatch

// A heap holds consumers or tenants by their number, the least first. It knows the
// index of each, so that it can move one whose key changed in O(log n). Several heaps
// may share one place table if no ID is in two of them.
type heap[ID ~uint32] struct {
	ids   []ID
	place *[]int32 // by ID: index in ids plus 1, 0 if absent; the owner makes it long enough
	less  func(a, b ID) bool
}

// fix puts id where it belongs: a new one, or one whose key changed.
func (h *heap[ID]) fix(id ID) {
	i := int((*h.place)[id]) - 1
	if i < 0 {
		i = len(h.ids)
		h.ids = append(h.ids, id)
	}
	if i > 0 && h.less(id, h.ids[(i-1)/2]) {
		h.up(i, id)
	} else {
		h.down(i, id)
	}
}

// remove removes id, which must be in the heap.
func (h *heap[ID]) remove(id ID) {
	i := int((*h.place)[id]) - 1
	(*h.place)[id] = 0
	n := len(h.ids) - 1
	last := h.ids[n]
	h.ids = h.ids[:n]
	if i < n {
		h.set(i, last)
		h.fix(last)
	}
}

// up and down move the gap at index i to where id belongs, and put id there.

func (h *heap[ID]) up(i int, id ID) {
	for i > 0 {
		above := (i - 1) / 2
		if !h.less(id, h.ids[above]) {
			break
		}
		h.set(i, h.ids[above])
		i = above
	}
	h.set(i, id)
}

func (h *heap[ID]) down(i int, id ID) {
	for {
		below := 2*i + 1
		if below >= len(h.ids) {
			break
		}
		if below+1 < len(h.ids) && h.less(h.ids[below+1], h.ids[below]) {
			below++
		}
		if !h.less(h.ids[below], id) {
			break
		}
		h.set(i, h.ids[below])
		i = below
	}
	h.set(i, id)
}

func (h *heap[ID]) set(i int, id ID) {
	h.ids[i] = id
	(*h.place)[id] = int32(i + 1)
}

// heapPush and heapPop keep a binary heap of messages, the least first. They are apart
// from heap, whose less would read the row of the moving message again at each level:
// that made sjf over a large backlog slower where it was tried.

func heapPush(h []Ref, r Ref, t *Messages, less func(a, b *Message) bool) []Ref {
	h = append(h, r)
	m := t.At(r)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !less(m, t.At(h[up])) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = r
	return h
}

func heapPop(h []Ref, t *Messages, less func(a, b *Message) bool) []Ref {
	n := len(h) - 1
	r := h[n]
	h = h[:n]
	if n == 0 {
		return h
	}
	m := t.At(r)
	i := 0
	for {
		down := 2*i + 1
		if down >= n {
			break
		}
		if down+1 < n && less(t.At(h[down+1]), t.At(h[down])) {
			down++
		}
		if !less(t.At(h[down]), m) {
			break
		}
		h[i] = h[down]
		i = down
	}
	h[i] = r
	return h
}
