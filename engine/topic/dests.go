package topic

import (
	"slices"
	"sync/atomic"
)

// chunkLen is the number of destinations that a chunk of a destList holds at most,
// and so the most that a change copies.
const chunkLen = 64

// A destList is a set of destinations that one goroutine changes while others
// read. It is a list of immutable chunks. A change replaces one chunk, so it costs
// the same whether ten or ten thousand queues bind one key.
type destList struct {
	one     atomic.Pointer[[]Dest] // the destinations, if there is only one chunk
	chunks  atomic.Pointer[[]*chunk]
	version atomic.Uint64 // incremented before each addition

	// Only the writer uses these.
	n     int
	where map[Dest]int32 // the chunk of each destination; nil while there is one chunk
	room  []int32        // chunks that have room again after being full, each once
}

type chunk = atomic.Pointer[[]Dest]

func newDestList(d Dest) *destList {
	l := &destList{n: 1}
	l.reset([]Dest{d})
	return l
}

// reset makes ids the only chunk of the list.
func (l *destList) reset(ids []Dest) {
	c := new(chunk)
	c.Store(&ids)
	l.chunks.Store(&[]*chunk{c})
	l.one.Store(&ids)
}

// put replaces the destinations of a chunk.
func (l *destList) put(c *chunk, ids []Dest) {
	c.Store(&ids)
	if len(*l.chunks.Load()) == 1 {
		l.one.Store(&ids)
	}
}

// addTo adds the destinations to r.
func (l *destList) addTo(r *results) {
	if ids := l.one.Load(); ids != nil {
		r.add(*ids)
		return
	}
	for w := l.walk(r); w.next(r); {
	}
}

// A destWalk reads a list chunk by chunk.
type destWalk struct {
	list    *destList
	version uint64
	chunks  []*chunk // not read yet
	parts   int      // r.parts when the walk began
}

func (l *destList) walk(r *results) destWalk {
	w := destWalk{list: l, version: l.version.Load(), parts: r.parts}
	w.chunks = *l.chunks.Load()
	return w
}

// next adds the next chunk to r and reports whether there was one. At the end it
// counts all chunks as one set, unless an addition overlapped the walk: a
// destination that was removed from a chunk already read and added to a later one
// is in r twice.
func (w *destWalk) next(r *results) bool {
	if len(w.chunks) == 0 {
		if w.version == w.list.version.Load() {
			r.parts = w.parts + 1
		}
		return false
	}
	r.add(*w.chunks[0].Load())
	w.chunks = w.chunks[1:]
	return true
}

// find returns the chunk that holds d, or -1.
func (l *destList) find(d Dest) int {
	if l.where != nil {
		if i, ok := l.where[d]; ok {
			return int(i)
		}
		return -1
	}
	if slices.Contains(*(*l.chunks.Load())[0].Load(), d) {
		return 0
	}
	return -1
}

// add adds d, which must not be there.
func (l *destList) add(d Dest) {
	l.version.Add(1)
	l.n++
	chunks := *l.chunks.Load()
	i := l.chunkWithRoom(chunks)
	if i == len(chunks) {
		c := new(chunk)
		c.Store(&[]Dest{d})
		chunks = append(chunks, c)
		l.chunks.Store(&chunks)
		l.one.Store(nil)
	} else {
		old := *chunks[i].Load()
		ids := append(make([]Dest, 0, len(old)+1), old...)
		ids = append(ids, d)
		l.put(chunks[i], ids)
		if n := len(l.room); n > 0 && len(ids) == chunkLen { // chunk i, the last of room, is full
			l.room = l.room[:n-1]
		}
	}
	if l.where == nil && len(chunks) > 1 {
		l.index(chunks)
	}
	if l.where != nil {
		l.where[d] = int32(i)
	}
}

// chunkWithRoom returns the index of a chunk that is not full, or len(chunks).
func (l *destList) chunkWithRoom(chunks []*chunk) int {
	if n := len(l.room); n > 0 {
		return int(l.room[n-1])
	}
	if last := len(chunks) - 1; len(*chunks[last].Load()) < chunkLen {
		return last
	}
	return len(chunks)
}

func (l *destList) index(chunks []*chunk) {
	l.where = make(map[Dest]int32, 2*chunkLen)
	for i, c := range chunks {
		for _, d := range *c.Load() {
			l.where[d] = int32(i)
		}
	}
}

// remove removes d and reports whether it was there.
func (l *destList) remove(d Dest) bool {
	i := l.find(d)
	if i < 0 {
		return false
	}
	c := (*l.chunks.Load())[i]
	old := *c.Load()
	at := slices.Index(old, d)
	ids := append(make([]Dest, 0, len(old)-1), old[:at]...)
	ids = append(ids, old[at+1:]...)
	l.put(c, ids)
	if len(old) == chunkLen {
		l.room = append(l.room, int32(i))
	}
	delete(l.where, d)
	l.n--
	if l.n == 0 { // drop the chunks and the index
		l.reset(nil)
		l.where, l.room = nil, nil
	}
	return true
}

// all returns the destinations.
func (l *destList) all() []Dest {
	var r results
	l.addTo(&r)
	return r.dst
}

// compact returns an equal list without spare room, for a new slab.
func (l *destList) compact() *destList {
	all := l.all()
	t := &destList{n: len(all)}
	if len(all) <= chunkLen {
		t.reset(slices.Clone(all))
		return t
	}
	chunks := make([]*chunk, 0, len(all)/chunkLen+1)
	for ids := range slices.Chunk(all, chunkLen) {
		c := new(chunk)
		ids = slices.Clone(ids)
		c.Store(&ids)
		chunks = append(chunks, c)
	}
	t.chunks.Store(&chunks)
	t.index(chunks)
	return t
}
