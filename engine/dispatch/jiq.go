package dispatch

import "harelab/engine/dispatch/rng"

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "jiq",
		Doc:   "to an idle consumer, longest idle first, else to a random one (join the idle queue)",
		Needs: NeedSlots,
		New: func(cfg Config, t *Consumers) Selector {
			return &jiq{random: random{roster: newRoster(t), rng: rng.New(cfg.Seed)}}
		},
	})
}

// jiq is join the idle queue (Lu et al. 2011). Consumers with an idle slot stand in
// line, and the one that has stood longest is next. If none is idle, the message goes
// to a random eligible consumer. A consumer has an idle slot if it has fewer
// unacknowledged messages than slots (one slot if their number is unknown). A better
// consumer priority comes before idleness. O(log n).
type jiq struct {
	random
	idle rings
}

func (s *jiq) Join(c ConsumerID) {
	s.random.Join(c)
	s.idle.join(c, s.t.At(c).Priority)
	s.line(c)
}

func (s *jiq) Leave(c ConsumerID) {
	s.idle.leave(c, s.t.At(c).Priority)
	s.random.Leave(c)
}

func (s *jiq) Return(c ConsumerID) {
	s.random.Return(c)
	s.line(c)
}

func (s *jiq) Changed(c ConsumerID, now int64) {
	s.random.Changed(c, now)
	s.line(c)
}

// line puts c in line if it is idle, or takes it out if it is not.
func (s *jiq) line(c ConsumerID) {
	row := s.t.At(c)
	if s.in[c] && row.Unacked < max(row.Slots, 1) {
		s.idle.enter(c, row.Priority)
	} else {
		s.idle.exit(c, row.Priority)
	}
}

func (s *jiq) Pick(int64) ConsumerID {
	s.sweep()
	for {
		c, l := s.idle.first(), s.best()
		if c == NoConsumer || s.t.At(c).Priority != l.priority {
			return s.pick()
		}
		s.idle.exit(c, l.priority)
		if s.t.Take(c) {
			s.idle.enter(c, l.priority)
			return c
		}
		s.exit(c) // another queue took its channel's last credit
		s.t.SetAside(c)
	}
}

// sweep is roster.sweep, and takes the same consumers out of the line.
func (s *jiq) sweep() {
	for _, c := range s.t.Filled() {
		s.follow(c)
		s.line(c)
	}
}
