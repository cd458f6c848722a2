package pebble

import "harelab/engine/store"

// An index says for every message that the store holds where its entries and octets are.
// It costs about seven octets a message while most messages of a run are held, and about a
// hundred for a message none of whose neighbours is.
type index struct {
	pages map[uint64]*page
	last  *page // the page used last; nil: none
	at    uint64
	spare []*page
}

const (
	pageBits  = 4
	pageSlots = 1 << pageBits
	sparesMax = 64
)

// A page holds the slots of consecutive messages. It has no pointers.
type page struct {
	used  int32
	slots [pageSlots]slot
}

// A slot says where a message is:
//
//	0                             the store does not hold it
//	fresh | parity | number       in the buffer of that parity, where it has the number
//	single | overridden | queue   in one queue's entry, octets included; queue is a queue.no
//	shared                        in Store.shared
type slot uint32

const (
	kindMask   slot = 3 << 30
	fresh      slot = 1 << 30
	single     slot = 2 << 30
	shared     slot = 3 << 30
	mark       slot = 1 << 29 // parity of a fresh slot, overridden of a single one
	numberMask slot = mark - 1
)

func (s slot) kind() slot   { return s & kindMask }
func (s slot) number() int  { return int(s & numberMask) }
func (s slot) marked() bool { return s&mark != 0 }

func newIndex() index { return index{pages: make(map[uint64]*page)} }

func (x *index) page(at uint64) *page {
	if x.last != nil && x.at == at {
		return x.last
	}
	p := x.pages[at]
	if p != nil {
		x.last, x.at = p, at
	}
	return p
}

func (x *index) get(m store.MessageID) slot {
	if p := x.page(uint64(m) >> pageBits); p != nil {
		return p.slots[m%pageSlots]
	}
	return 0
}

// set sets the slot of a message; 0 frees it.
func (x *index) set(m store.MessageID, s slot) {
	at := uint64(m) >> pageBits
	p := x.page(at)
	if p == nil {
		if s == 0 {
			return
		}
		p = x.newPage()
		x.pages[at] = p
		x.last, x.at = p, at
	}
	old := &p.slots[m%pageSlots]
	switch {
	case *old == 0 && s != 0:
		p.used++
	case *old != 0 && s == 0:
		p.used--
	}
	*old = s
	if p.used == 0 {
		delete(x.pages, at)
		x.last = nil
		if len(x.spare) < sparesMax {
			x.spare = append(x.spare, p)
		}
	}
}

func (x *index) newPage() *page {
	if n := len(x.spare); n > 0 {
		p := x.spare[n-1]
		x.spare = x.spare[:n-1]
		return p // all slots are 0
	}
	return new(page)
}

// A queue is a queue that holds messages.
type queue struct {
	id   store.QueueID
	no   uint32 // place in queues.all, by which slots name the queue
	held int

	// ids has the messages that the queue holds in order of their Adds, and some that it
	// holds no more.
	ids   []store.MessageID
	start int // ids before it are not held
}

// queues are the queues that hold messages.
type queues struct {
	byID map[store.QueueID]*queue
	all  []*queue // by number
	free []*queue // of those in all, the ones that hold nothing
}

// get returns a queue, made if necessary.
func (s *queues) get(id store.QueueID) *queue {
	q := s.byID[id]
	if q != nil {
		return q
	}
	if n := len(s.free); n > 0 {
		q = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		q = &queue{no: uint32(len(s.all))}
		s.all = append(s.all, q)
	}
	q.id = id
	s.byID[id] = q
	return q
}

// release forgets a queue that holds nothing.
func (s *queues) release(q *queue) {
	delete(s.byID, q.id)
	if cap(q.ids) > 64 {
		q.ids = nil
	}
	q.ids, q.start = q.ids[:0], 0
	s.free = append(s.free, q)
}

// push notes that the queue holds a message.
func (q *queue) push(m store.MessageID) {
	if q.start > 32 && q.start > len(q.ids)/2 {
		q.ids = q.ids[:copy(q.ids, q.ids[q.start:])]
		q.start = 0
	}
	q.ids = append(q.ids, m)
	q.held++
}
