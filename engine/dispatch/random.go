package dispatch

import "harelab/engine/dispatch/rng"

func init() {
	RegisterSelector(SelectorStrategy{
		Name: "random",
		Doc:  "to a random eligible consumer",
		New: func(cfg Config, t *Consumers) Selector {
			return &random{roster: newRoster(t), rng: rng.New(cfg.Seed)}
		},
	})
}

// random draws uniformly among the eligible consumers of the best priority that has
// any. It draws no number for a single candidate. O(log n).
type random struct {
	roster
	rng rng.SplitMix64
}

func (s *random) Join(c ConsumerID)             { s.join(c) }
func (s *random) Leave(c ConsumerID)            { s.leave(c) }
func (s *random) Return(c ConsumerID)           { s.enter(c) }
func (s *random) Changed(c ConsumerID, _ int64) { s.follow(c) }

func (s *random) Pick(int64) ConsumerID {
	s.sweep()
	return s.pick()
}

func (s *random) pick() ConsumerID {
	for l := s.best(); l != nil; l = s.best() {
		c := l.draw(&s.rng)
		if s.t.Take(c) {
			return c
		}
		s.exit(c) // another queue took its channel's last credit
		s.t.SetAside(c)
	}
	return NoConsumer
}

// draw returns a random consumer in play. There must be one.
func (l *rosterLevel) draw(r *rng.SplitMix64) ConsumerID {
	if l.n == 1 {
		return l.nth(0)
	}
	return l.nth(r.Below(l.n))
}
