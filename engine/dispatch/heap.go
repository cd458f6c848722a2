package dispatch

// A heap holds numbered things, consumers or tenants, the least of them first,
// and knows where each stands, so that one whose key changed is moved in
// O(log n). Heaps may share their places if nothing is in two of them.
type heap[ID ~uint32] struct {
	ids   []ID
	place *[]int32 // by ID: its index in ids plus 1, or 0; as long as needed
	less  func(a, b ID) bool
}

// fix puts id where it belongs, be it new or one whose key changed.
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

// remove takes id out.
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

// up and down put id, for which there is room at i, where it belongs.

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
