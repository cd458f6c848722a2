package dispatch

import (
	"cmp"
	"slices"
)

// rings keeps consumers in turn: one ring for each consumer priority, the best
// first. All operations are O(log p) for p priorities in use.
type rings struct {
	levels []ringLevel // best priority first; a level lives as long as it has members
	links  []ringLink  // by ConsumerID
}

type ringLevel struct {
	priority   int32
	members    int // number of consumers of this priority, in the ring or aside
	head, tail ConsumerID
}

type ringLink struct {
	prev, next ConsumerID
	in         bool
}

// level returns the index of a priority's level and true, or the index at which to
// insert it.
func (s *rings) level(priority int32) (int, bool) {
	return slices.BinarySearchFunc(s.levels, priority, func(l ringLevel, p int32) int {
		return cmp.Compare(p, l.priority)
	})
}

// join makes room for c and puts it at the tail of its ring.
func (s *rings) join(c ConsumerID, priority int32) {
	for int(c) >= len(s.links) {
		s.links = append(s.links, ringLink{})
	}
	i, ok := s.level(priority)
	if !ok {
		s.levels = slices.Insert(s.levels, i, ringLevel{priority: priority, head: NoConsumer, tail: NoConsumer})
	}
	s.levels[i].members++
	s.append(&s.levels[i], c)
}

// leave removes c.
func (s *rings) leave(c ConsumerID, priority int32) {
	i, _ := s.level(priority)
	l := &s.levels[i]
	s.remove(l, c)
	if l.members--; l.members == 0 {
		s.levels = slices.Delete(s.levels, i, i+1)
	}
}

// enter puts c at the tail of its ring, unless c is in the ring.
func (s *rings) enter(c ConsumerID, priority int32) {
	if !s.links[c].in {
		i, _ := s.level(priority)
		s.append(&s.levels[i], c)
	}
}

// exit takes c out of its ring, if c is in the ring.
func (s *rings) exit(c ConsumerID, priority int32) {
	if s.links[c].in {
		i, _ := s.level(priority)
		s.remove(&s.levels[i], c)
	}
}

func (s *rings) append(l *ringLevel, c ConsumerID) {
	s.links[c] = ringLink{prev: l.tail, next: NoConsumer, in: true}
	if l.tail == NoConsumer {
		l.head = c
	} else {
		s.links[l.tail].next = c
	}
	l.tail = c
}

func (s *rings) remove(l *ringLevel, c ConsumerID) {
	k := s.links[c]
	if !k.in {
		return
	}
	if k.prev == NoConsumer {
		l.head = k.next
	} else {
		s.links[k.prev].next = k.next
	}
	if k.next == NoConsumer {
		l.tail = k.prev
	} else {
		s.links[k.next].prev = k.prev
	}
	s.links[c].in = false
}

// first returns the consumer whose turn it is, or NoConsumer.
func (s *rings) first() ConsumerID {
	for i := range s.levels {
		if c := s.levels[i].head; c != NoConsumer {
			return c
		}
	}
	return NoConsumer
}

// pick takes credit from the first consumer in turn that has some, and moves that
// consumer to the tail. It sets aside the consumers before it, which have none.
func (s *rings) pick(t *Consumers) ConsumerID {
	for i := range s.levels {
		l := &s.levels[i]
		for l.head != NoConsumer {
			c := l.head
			if t.Take(c) {
				if c != l.tail {
					s.remove(l, c)
					s.append(l, c)
				}
				return c
			}
			s.remove(l, c)
			t.SetAside(c)
		}
	}
	return NoConsumer
}
