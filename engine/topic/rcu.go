package topic

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// Rcu keeps two copies of a matcher that cannot be changed beside readers. Readers
// use one copy. A bind changes the other, sends new readers there, waits until the
// last reader has left the first copy, and repeats the change on it. Readers never
// wait; the price is twice the memory, and a bind that waits for the matches under
// way (Ramalhete and Correia, Left-Right, 2013; read-copy-update with one spare
// copy instead of a new copy for each change). Use it to compare strategies under
// changes on equal terms.

func init() {
	RegisterWrapper(Wrapper{
		Name: "rcu",
		Doc:  "in two copies that take turns, so that no match waits for a bind",
		Wrap: func(s Strategy) func() Matcher {
			inner := s.Bare
			if inner == nil {
				inner = s.New
			}
			return func() Matcher { return &rcu{copies: [2]Matcher{inner(), inner()}} }
		},
	})
}

type rcu struct {
	writer  sync.Mutex
	copies  [2]Matcher
	current atomic.Uint32    // index of the copy that new readers use
	phase   atomic.Uint32    // index of the counter that new readers use
	readers [2]readerCounter // readers under way
	n       atomic.Int64
}

// A readerCounter counts readers on several cache lines. Each reader takes one at
// random, so that readers seldom contend.
type readerCounter [16]struct {
	n atomic.Int64
	_ [56]byte
}

func (c *readerCounter) empty() bool {
	for i := range c {
		if c[i].n.Load() != 0 {
			return false
		}
	}
	return true
}

func (c *readerCounter) wait() {
	for !c.empty() {
		runtime.Gosched()
	}
}

func (r *rcu) Len() int { return int(r.n.Load()) }

func (r *rcu) Match(dst []Dest, routingKey []byte) []Dest {
	c := &r.readers[r.phase.Load()][rand.Uint32()%16].n
	c.Add(1)
	dst = r.copies[r.current.Load()].Match(dst, routingKey)
	c.Add(-1)
	return dst
}

func (r *rcu) Bind(bindingKey string, d Dest) bool {
	mustCheckKey(bindingKey) // panics before the lock is taken
	r.writer.Lock()
	defer r.writer.Unlock()
	if !r.copies[1-r.current.Load()].Bind(bindingKey, d) {
		return false
	}
	r.turn().Bind(bindingKey, d)
	r.n.Add(1)
	return true
}

func (r *rcu) Unbind(bindingKey string, d Dest) bool {
	r.writer.Lock()
	defer r.writer.Unlock()
	if !r.copies[1-r.current.Load()].Unbind(bindingKey, d) {
		return false
	}
	r.turn().Unbind(bindingKey, d)
	r.n.Add(-1)
	return true
}

// turn sends new readers to the changed copy and returns the other copy once it has
// no readers. A reader that loaded the phase long ago may still arrive at either
// counter, so turn waits for both to drain, the next one first.
func (r *rcu) turn() Matcher {
	old := r.current.Load()
	r.current.Store(1 - old)
	phase := r.phase.Load()
	r.readers[1-phase].wait()
	r.phase.Store(1 - phase)
	r.readers[phase].wait()
	return r.copies[old]
}
