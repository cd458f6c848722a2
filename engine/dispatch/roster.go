package dispatch

import (
	"cmp"
	"slices"
)

// roster lists all consumers in subscription order, marks those in play, which are the
// eligible ones, and finds the n-th of them. The strategies that choose at random use
// it. Each consumer priority has its own list, and a Fenwick tree (1994) counts the
// consumers in play. All operations are O(log n) amortised. The consumers of one
// channel fill up and return together, at O(log n) each.
type roster struct {
	t      *Consumers
	levels []rosterLevel // best priority first
	place  []int32       // by ConsumerID: index of its entry, from 1
	in     []bool        // by ConsumerID: in play
}

type rosterLevel struct {
	priority int32
	members  int          // number of consumers listed here
	n        int          // number of them in play
	entries  []ConsumerID // from index 1, in subscription order; NoConsumer where one left
	tree     []int32      // tree[i]: number in play among the lowbit(i) entries up to i
}

func newRoster(t *Consumers) roster {
	t.WatchLimiters()
	return roster{t: t}
}

func (s *roster) level(priority int32) (*rosterLevel, int, bool) {
	i, ok := slices.BinarySearchFunc(s.levels, priority, func(l rosterLevel, p int32) int {
		return cmp.Compare(p, l.priority)
	})
	if !ok {
		return nil, i, false
	}
	return &s.levels[i], i, true
}

func (s *roster) of(c ConsumerID) *rosterLevel {
	l, _, _ := s.level(s.t.At(c).Priority)
	return l
}

// join adds c at the end of its list, and puts it in play if it is eligible, else aside.
func (s *roster) join(c ConsumerID) {
	for int(c) >= len(s.place) {
		s.place = append(s.place, 0)
		s.in = append(s.in, false)
	}
	priority := s.t.At(c).Priority
	l, i, ok := s.level(priority)
	if !ok {
		s.levels = slices.Insert(s.levels, i, rosterLevel{
			priority: priority, entries: []ConsumerID{NoConsumer}, tree: []int32{0},
		})
		l = &s.levels[i]
	}
	l.members++
	s.place[c] = l.add(c)
	s.in[c] = false
	if s.t.Eligible(c) {
		s.enter(c)
	} else {
		s.t.SetAside(c)
	}
}

func (s *roster) leave(c ConsumerID) {
	s.exit(c)
	l, i, _ := s.level(s.t.At(c).Priority)
	l.entries[s.place[c]] = NoConsumer
	l.members--
	switch {
	case l.members == 0:
		s.levels = slices.Delete(s.levels, i, i+1)
	case len(l.entries) > 2*l.members+16:
		s.compact(l)
	}
}

// enter puts c in play.
func (s *roster) enter(c ConsumerID) {
	if !s.in[c] {
		s.in[c] = true
		s.of(c).count(s.place[c], 1)
	}
}

// exit takes c out of play.
func (s *roster) exit(c ConsumerID) {
	if s.in[c] {
		s.in[c] = false
		s.of(c).count(s.place[c], -1)
	}
}

// follow takes c out of play and sets it aside if it is no longer eligible.
func (s *roster) follow(c ConsumerID) {
	if s.in[c] && !s.t.Eligible(c) {
		s.exit(c)
		s.t.SetAside(c)
	}
}

// sweep takes out of play the consumers whose channel reached its limit. Another queue
// may have used the last credit, and a random choice needs the number of candidates.
func (s *roster) sweep() {
	for _, c := range s.t.Filled() {
		s.follow(c)
	}
}

// best returns the level of the best priority that has a consumer in play, or nil.
func (s *roster) best() *rosterLevel {
	for i := range s.levels {
		if s.levels[i].n > 0 {
			return &s.levels[i]
		}
	}
	return nil
}

// compact removes the entries of consumers that left.
func (s *roster) compact(l *rosterLevel) {
	old := l.entries[1:]
	l.entries, l.tree, l.n = l.entries[:1], l.tree[:1], 0
	for _, c := range old {
		if c == NoConsumer {
			continue
		}
		s.place[c] = l.add(c)
		if s.in[c] {
			l.count(s.place[c], 1)
		}
	}
}

// add appends an entry that is not in play.
func (l *rosterLevel) add(c ConsumerID) int32 {
	i := len(l.entries)
	l.entries = append(l.entries, c)
	var sum int32
	for k := 1; k < i&-i; k <<= 1 {
		sum += l.tree[i-k]
	}
	l.tree = append(l.tree, sum)
	return int32(i)
}

func (l *rosterLevel) count(entry, by int32) {
	l.n += int(by)
	for i := int(entry); i < len(l.tree); i += i & -i {
		l.tree[i] += by
	}
}

// nth returns the consumer in play with index n, counted from 0.
func (l *rosterLevel) nth(n int) ConsumerID {
	step := 1
	for 2*step < len(l.tree) {
		step *= 2
	}
	entry, before := 0, int32(n)
	for ; step > 0; step /= 2 {
		if i := entry + step; i < len(l.tree) && l.tree[i] <= before {
			entry = i
			before -= l.tree[i]
		}
	}
	return l.entries[entry+1]
}
