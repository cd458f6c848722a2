package dispatch

import "harelab/engine/dispatch/rng"

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "po2",
		Doc:   "to the one of two random consumers with fewer outstanding (power of two choices)",
		Needs: NeedProbe,
		New: func(cfg Config, t *Consumers) Selector {
			return &po2{random{roster: newRoster(t), rng: rng.New(cfg.Seed)}}
		},
	})
}

// po2 is the power of two choices. It draws two different candidates; the second wins
// only if it has strictly fewer messages outstanding, which means the same as for jsq.
// For many consumers it is nearly as good as jsq and looks at two of them
// (Mitzenmacher 1996; Vvedenskaya, Dobrushin, Karpelevich 1996). O(log n).
type po2 struct{ random }

func (s *po2) Pick(int64) ConsumerID {
	s.sweep()
	for l := s.best(); l != nil; l = s.best() {
		c := s.lighter(l)
		if s.t.Take(c) {
			return c
		}
		s.exit(c) // another queue took its channel's last credit
		s.t.SetAside(c)
	}
	return NoConsumer
}

func (s *po2) lighter(l *rosterLevel) ConsumerID {
	if l.n == 1 {
		return l.nth(0)
	}
	i, j := s.rng.Below(l.n), s.rng.Below(l.n-1)
	if j >= i {
		j++
	}
	c, d := l.nth(i), l.nth(j)
	if s.t.Outstanding(d) < s.t.Outstanding(c) {
		return d
	}
	return c
}
