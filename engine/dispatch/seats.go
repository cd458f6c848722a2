package dispatch

import (
	"cmp"
	"slices"
)

// seats lists the eligible consumers in subscription order and finds the n-th:
// what the strategies that draw need. Each consumer priority has a row of
// seats, and a Fenwick tree (1994) counts those in play. All operations are
// O(log n) amortised; those of one channel fill up and come back together, each
// for O(log n).
type seats struct {
	t      *Consumers
	levels []seatLevel // best priority first
	place  []int32     // by ConsumerID: its seat, from 1
	in     []bool      // by ConsumerID: in play
}

type seatLevel struct {
	priority int32
	members  int          // consumers seated here
	n        int          // of those, in play
	seats    []ConsumerID // from index 1, in subscription order; NoConsumer: left
	tree     []int32      // tree[i]: in play among the lowbit(i) seats up to i
}

func newSeats(t *Consumers) seats {
	t.WatchLedgers()
	return seats{t: t}
}

func (s *seats) level(priority int32) (*seatLevel, int, bool) {
	i, ok := slices.BinarySearchFunc(s.levels, priority, func(l seatLevel, p int32) int {
		return cmp.Compare(p, l.priority)
	})
	if !ok {
		return nil, i, false
	}
	return &s.levels[i], i, true
}

func (s *seats) of(c ConsumerID) *seatLevel {
	l, _, _ := s.level(s.t.At(c).Priority)
	return l
}

// join seats c, last, and puts it in play if it is eligible; else aside.
func (s *seats) join(c ConsumerID) {
	for int(c) >= len(s.place) {
		s.place = append(s.place, 0)
		s.in = append(s.in, false)
	}
	priority := s.t.At(c).Priority
	l, i, ok := s.level(priority)
	if !ok {
		s.levels = slices.Insert(s.levels, i, seatLevel{
			priority: priority, seats: []ConsumerID{NoConsumer}, tree: []int32{0},
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

func (s *seats) leave(c ConsumerID) {
	s.exit(c)
	l, i, _ := s.level(s.t.At(c).Priority)
	l.seats[s.place[c]] = NoConsumer
	l.members--
	switch {
	case l.members == 0:
		s.levels = slices.Delete(s.levels, i, i+1)
	case len(l.seats) > 2*l.members+16:
		s.compact(l)
	}
}

// enter puts c in play.
func (s *seats) enter(c ConsumerID) {
	if !s.in[c] {
		s.in[c] = true
		s.of(c).count(s.place[c], 1)
	}
}

// exit takes c out of play.
func (s *seats) exit(c ConsumerID) {
	if s.in[c] {
		s.in[c] = false
		s.of(c).count(s.place[c], -1)
	}
}

// follow takes c out of play, aside, if it is not eligible any more.
func (s *seats) follow(c ConsumerID) {
	if s.in[c] && !s.t.Eligible(c) {
		s.exit(c)
		s.t.SetAside(c)
	}
}

// sweep does so for the consumers whose channel's limit was reached, as other
// queues may do: a draw has to know how many candidates there are.
func (s *seats) sweep() {
	for _, c := range s.t.Filled() {
		s.follow(c)
	}
}

// best returns the best level that has a consumer in play, or nil.
func (s *seats) best() *seatLevel {
	for i := range s.levels {
		if s.levels[i].n > 0 {
			return &s.levels[i]
		}
	}
	return nil
}

// compact closes the gaps that consumers left behind.
func (s *seats) compact(l *seatLevel) {
	old := l.seats[1:]
	l.seats, l.tree, l.n = l.seats[:1], l.tree[:1], 0
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

// add appends a seat that is not in play.
func (l *seatLevel) add(c ConsumerID) int32 {
	i := len(l.seats)
	l.seats = append(l.seats, c)
	var sum int32
	for k := 1; k < i&-i; k <<= 1 {
		sum += l.tree[i-k]
	}
	l.tree = append(l.tree, sum)
	return int32(i)
}

func (l *seatLevel) count(seat, by int32) {
	l.n += int(by)
	for i := int(seat); i < len(l.tree); i += i & -i {
		l.tree[i] += by
	}
}

// nth returns the consumer in play that n others in play are seated before.
func (l *seatLevel) nth(n int) ConsumerID {
	step := 1
	for 2*step < len(l.tree) {
		step *= 2
	}
	seat, before := 0, int32(n)
	for ; step > 0; step /= 2 {
		if i := seat + step; i < len(l.tree) && l.tree[i] <= before {
			seat = i
			before -= l.tree[i]
		}
	}
	return l.seats[seat+1]
}
