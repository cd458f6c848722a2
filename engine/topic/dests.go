package topic

import (
	"slices"
	"sync/atomic"
)

// chunkLen is how many destinations a chunk of a destList holds: what a change
// copies at most.
const chunkLen = 64

// A destList is a set of destinations that one goroutine changes while others
// read. It is a list of chunks, each immutable and replaced whole, so that a
// change costs the same whether ten or ten thousand queues bind one key.
type destList struct {
	chunks  atomic.Pointer[[]*chunk]
	version atomic.Uint64 // goes up before each addition

	// For the writer alone.
	n     int
	where map[Dest]int32 // the chunk of each destination, from the second chunk on
	room  []int32        // chunks that were full once and are not now
}

type chunk = atomic.Pointer[[]Dest]

func newDestList(d Dest) *destList {
	l := &destList{n: 1}
	c := new(chunk)
	c.Store(&[]Dest{d})
	l.chunks.Store(&[]*chunk{c})
	return l
}

// addTo adds the destinations to r, as one set unless one may have moved from one
// chunk to another meanwhile and be there twice.
func (l *destList) addTo(r *results) {
	version, parts := l.version.Load(), r.parts
	for _, c := range *l.chunks.Load() {
		r.add(*c.Load())
	}
	if version == l.version.Load() {
		r.parts = parts + 1
	}
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
	} else {
		old := *chunks[i].Load()
		ids := append(make([]Dest, 0, len(old)+1), old...)
		ids = append(ids, d)
		chunks[i].Store(&ids)
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
	for len(l.room) > 0 {
		i := int(l.room[len(l.room)-1])
		if len(*chunks[i].Load()) < chunkLen {
			return i
		}
		l.room = l.room[:len(l.room)-1]
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
	c.Store(&ids)
	if len(old) == chunkLen {
		l.room = append(l.room, int32(i))
	}
	delete(l.where, d)
	l.n--
	if l.n == 0 { // forget chunks and index
		l.chunks.Store(&[]*chunk{c})
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
	t := new(destList)
	chunks := []*chunk{}
	all := l.all()
	for ids := range slices.Chunk(all, chunkLen) {
		c := new(chunk)
		ids = slices.Clone(ids)
		c.Store(&ids)
		chunks = append(chunks, c)
	}
	t.n = len(all)
	t.chunks.Store(&chunks)
	if len(chunks) > 1 {
		t.index(chunks)
	}
	return t
}
