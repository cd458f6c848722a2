// Package nametable maps names to values. A lookup takes no lock and allocates nothing,
// whether the name is octets or a string.
//
// A broker looks a name up for each message and adds one for each declaration, so
// the table is made for reads: a hash, an atomic load of a bucket and a comparison.
// A write takes a lock and costs about as much as a write to a map, whatever the size of
// the table. A copy of the whole table at each change would cost its size.
package nametable

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// A Table maps names to values. Its zero value is empty and ready to use. Any
// number of goroutines may use it at the same time. A Get that overlaps a Set or
// Delete of its name answers with or without that change.
type Table[T any] struct {
	mu      sync.Mutex // held by writers
	buckets atomic.Pointer[[]bucket[T]]
	len     atomic.Int64
}

// bucket is the head of a list of nodes. Nodes are immutable, so a reader may go on
// from a node that a writer has removed.
type bucket[T any] struct {
	head atomic.Pointer[node[T]]
}

type node[T any] struct {
	hash  uint64
	name  string
	value T
	next  *node[T]
}

// seed is drawn for each process, so that clients, who choose the names, cannot choose
// names that collide.
var seed = maphash.MakeSeed()

const minBuckets = 8

// Len returns the number of names.
func (t *Table[T]) Len() int { return int(t.len.Load()) }

// Get returns the value of a name.
func (t *Table[T]) Get(name []byte) (value T, ok bool) {
	buckets := t.buckets.Load()
	if buckets == nil {
		return value, false
	}
	h := maphash.Bytes(seed, name)
	for n := (*buckets)[h&uint64(len(*buckets)-1)].head.Load(); n != nil; n = n.next {
		if n.hash == h && n.name == string(name) {
			return n.value, true
		}
	}
	return value, false
}

// GetString is Get for a string.
func (t *Table[T]) GetString(name string) (value T, ok bool) {
	buckets := t.buckets.Load()
	if buckets == nil {
		return value, false
	}
	h := maphash.String(seed, name)
	for n := (*buckets)[h&uint64(len(*buckets)-1)].head.Load(); n != nil; n = n.next {
		if n.hash == h && n.name == name {
			return n.value, true
		}
	}
	return value, false
}

// Set sets the value of a name.
func (t *Table[T]) Set(name string, value T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := maphash.String(seed, name)
	b := t.grow(h)
	rest, replaced := without(b.head.Load(), h, name)
	if !replaced {
		t.len.Add(1)
	}
	b.head.Store(&node[T]{h, name, value, rest})
}

// Delete removes a name and reports whether it was there.
func (t *Table[T]) Delete(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	buckets := t.buckets.Load()
	if buckets == nil {
		return false
	}
	h := maphash.String(seed, name)
	b := &(*buckets)[h&uint64(len(*buckets)-1)]
	rest, ok := without(b.head.Load(), h, name)
	if ok {
		b.head.Store(rest)
		t.len.Add(-1)
		t.resize(len(*buckets)/2, 8*t.Len() < len(*buckets) && len(*buckets) > minBuckets)
	}
	return ok
}

// without returns the list without a name, which it has at most once. It copies the
// nodes before the name, since readers may be on them.
func without[T any](n *node[T], h uint64, name string) (rest *node[T], ok bool) {
	if n == nil {
		return nil, false
	}
	if n.hash == h && n.name == name {
		return n.next, true
	}
	rest, ok = without(n.next, h, name)
	if !ok {
		return n, false
	}
	return &node[T]{n.hash, n.name, n.value, rest}, true
}

// grow makes room for one more name and returns the bucket of h.
func (t *Table[T]) grow(h uint64) *bucket[T] {
	buckets := t.buckets.Load()
	if buckets == nil {
		t.resize(minBuckets, true)
	} else {
		t.resize(2*len(*buckets), t.Len() >= len(*buckets))
	}
	buckets = t.buckets.Load()
	return &(*buckets)[h&uint64(len(*buckets)-1)]
}

func (t *Table[T]) resize(n int, needed bool) {
	if !needed {
		return
	}
	larger := make([]bucket[T], n)
	if old := t.buckets.Load(); old != nil {
		for i := range *old {
			for e := (*old)[i].head.Load(); e != nil; e = e.next {
				b := &larger[e.hash&uint64(n-1)]
				b.head.Store(&node[T]{e.hash, e.name, e.value, b.head.Load()})
			}
		}
	}
	t.buckets.Store(&larger)
}
