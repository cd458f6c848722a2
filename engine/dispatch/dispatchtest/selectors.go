package dispatchtest

import (
	"slices"

	"harelab/engine/dispatch"
	"harelab/engine/dispatch/rng"
)

// A consumer is the model's view of a consumer.
type consumer struct {
	id       dispatch.ConsumerID
	priority int32
	prefetch int
	slots    int
	noAck    bool
	paused   bool
	limiter  *dispatch.Limiter
	probe    *probe
	unacked  []*message
	busy     int64        // time at which it began to work on the oldest
	blocked  bool         // set aside by the selector
	credited bool         // may be put back when the queue runs
	aside    *[]*consumer // the model's list of blocked consumers
}

// block sets c aside, as the latest.
func (c *consumer) block() {
	if !c.blocked {
		c.blocked = true
		*c.aside = append(*c.aside, c)
	}
}

// A probe answers with numbers that the history sets.
type probe struct {
	outstanding int
	at          int64 // time at which the work was set
	work, rate  int64 // work at that time, and by how much it falls in a microsecond
	watchers    []func()
}

func (p *probe) Outstanding() int     { return p.outstanding }
func (p *probe) Work(now int64) int64 { return p.work - p.rate*(now-p.at) }
func (p *probe) Watch(changed func()) { p.watchers = append(p.watchers, changed) }

func (p *probe) set(outstanding int, at, work, rate int64) {
	p.outstanding, p.at, p.work, p.rate = outstanding, at, work, rate
	for _, changed := range p.watchers {
		changed()
	}
}

// eligible is rule R6, with the window of the strategy; 0 is none.
func (c *consumer) eligible(window int) bool {
	if c.paused || c.limiter != nil && c.limiter.Full() {
		return false
	}
	return c.noAck ||
		(c.prefetch == 0 || len(c.unacked) < c.prefetch) &&
			(window == 0 || len(c.unacked) < window)
}

func (c *consumer) outstanding() int {
	if c.probe != nil {
		return c.probe.outstanding
	}
	return len(c.unacked)
}

func (c *consumer) work(now int64) int64 {
	if c.probe != nil {
		return c.probe.Work(now)
	}
	var sum int64
	for _, m := range c.unacked {
		sum += m.cost
	}
	return sum
}

// A selectorModel is a Selector written as its rule says, whatever it costs.
type selectorModel interface {
	join(c *consumer)
	leave(c *consumer)
	pick(now int64) *consumer // nil: no consumer
	changed(c *consumer, now int64)
	back(c *consumer)
	window(c *consumer) int
}

// selectorModels are the models of selectors, by name. For a selector without one, the
// suite checks only the queue's invariants.
var selectorModels = map[string]func(cfg dispatch.Config) selectorModel{
	"rr":       func(dispatch.Config) selectorModel { return &ringModel{} },
	"rr-eager": func(dispatch.Config) selectorModel { return &ringModel{eager: true} },
	"fair":     func(dispatch.Config) selectorModel { return &ringModel{eager: true, fair: true} },
	"jsq": func(dispatch.Config) selectorModel {
		return &leastModel{load: func(c *consumer, _ int64) int64 { return int64(c.outstanding()) }}
	},
	"lwl":    func(dispatch.Config) selectorModel { return &leastModel{load: (*consumer).work} },
	"random": func(cfg dispatch.Config) selectorModel { return &drawModel{rng: rng.New(cfg.Seed)} },
	"po2":    func(cfg dispatch.Config) selectorModel { return &drawModel{rng: rng.New(cfg.Seed), two: true} },
	"jiq": func(cfg dispatch.Config) selectorModel {
		return &idleModel{drawModel: drawModel{rng: rng.New(cfg.Seed)}}
	},
	"adaptive": func(dispatch.Config) selectorModel { return &adaptiveModel{paces: map[*consumer]*paceModel{}} },
}

// ringModel is rule R8. One list serves all priorities: the head of a priority is the
// first consumer in the list with that priority.
type ringModel struct {
	eager, fair bool
	ring        []*consumer
}

func (r *ringModel) window(c *consumer) int {
	if r.fair {
		return max(c.slots, 1)
	}
	return 0
}

func (r *ringModel) join(c *consumer)  { r.ring = append(r.ring, c) }
func (r *ringModel) back(c *consumer)  { r.ring = append(r.ring, c) }
func (r *ringModel) leave(c *consumer) { r.remove(c) }

func (r *ringModel) remove(c *consumer) {
	r.ring = slices.DeleteFunc(r.ring, func(o *consumer) bool { return o == c })
}

func (r *ringModel) changed(c *consumer, _ int64) {
	if r.eager && !c.blocked && !c.eligible(r.window(c)) {
		r.remove(c)
		c.block()
	}
}

func (r *ringModel) pick(int64) *consumer { return r.turn(r.window) }

// turn returns the next eligible consumer in turn, and sets aside those before it.
func (r *ringModel) turn(window func(*consumer) int) *consumer {
	for len(r.ring) > 0 {
		head := r.ring[0]
		for _, c := range r.ring {
			if c.priority > head.priority {
				head = c
			}
		}
		r.remove(head)
		if head.eligible(window(head)) {
			r.ring = append(r.ring, head)
			return head
		}
		head.block()
	}
	return nil
}

// rosterModel is common to the rules of R9: it lists all consumers in subscription
// order; the eligible ones of the best priority are the candidates.
type rosterModel struct{ all []*consumer }

func (s *rosterModel) window(*consumer) int     { return 0 }
func (s *rosterModel) join(c *consumer)         { s.all = append(s.all, c) }
func (s *rosterModel) back(*consumer)           {}
func (s *rosterModel) changed(*consumer, int64) {}
func (s *rosterModel) leave(c *consumer) {
	s.all = slices.DeleteFunc(s.all, func(o *consumer) bool { return o == c })
}

func (s *rosterModel) candidates() []*consumer {
	var best []*consumer
	for _, c := range s.all {
		if !c.eligible(0) {
			continue
		}
		if len(best) > 0 && c.priority > best[0].priority {
			best = nil
		}
		if len(best) == 0 || c.priority == best[0].priority {
			best = append(best, c)
		}
	}
	return best
}

// leastModel is jsq and lwl of rule R9.
type leastModel struct {
	rosterModel
	load func(c *consumer, now int64) int64
}

func (s *leastModel) pick(now int64) *consumer {
	var best *consumer
	for _, c := range s.candidates() {
		if best == nil || s.load(c, now) < s.load(best, now) {
			best = c
		}
	}
	return best
}

// drawModel is random and po2 of rule R9.
type drawModel struct {
	rosterModel
	rng rng.SplitMix64
	two bool
}

func (s *drawModel) pick(int64) *consumer { return s.draw(s.candidates()) }

func (s *drawModel) draw(among []*consumer) *consumer {
	switch {
	case len(among) == 0:
		return nil
	case len(among) == 1:
		return among[0]
	case !s.two:
		return among[s.rng.Below(len(among))]
	}
	i, j := s.rng.Below(len(among)), s.rng.Below(len(among)-1)
	if j >= i {
		j++
	}
	if among[j].outstanding() < among[i].outstanding() {
		return among[j]
	}
	return among[i]
}

// idleModel is jiq. Consumers with an idle slot stand in line, in the order in which
// the model found them idle; without any, it draws one. It finds out that another
// queue used up a channel's limit only when it picks a consumer.
type idleModel struct {
	drawModel
	line []*consumer
}

func (s *idleModel) join(c *consumer)             { s.drawModel.join(c); s.look(c) }
func (s *idleModel) leave(c *consumer)            { s.drawModel.leave(c); s.drop(c) }
func (s *idleModel) changed(c *consumer, _ int64) { s.look(c) }
func (s *idleModel) back(c *consumer)             { s.look(c) }

func (s *idleModel) drop(c *consumer) {
	s.line = slices.DeleteFunc(s.line, func(o *consumer) bool { return o == c })
}

// look puts c in line or takes it out. A consumer set aside waits until it is put back.
func (s *idleModel) look(c *consumer) {
	if !c.eligible(0) {
		c.block()
	}
	if c.blocked || len(c.unacked) >= max(c.slots, 1) {
		s.drop(c)
	} else if !slices.Contains(s.line, c) {
		s.line = append(s.line, c)
	}
}

func (s *idleModel) pick(int64) *consumer {
	for _, c := range s.all {
		if c.limiter != nil && !c.eligible(0) {
			s.look(c)
		}
	}
	among := s.candidates()
	for _, c := range s.line {
		if len(among) > 0 && c.priority == among[0].priority {
			s.drop(c)
			s.line = append(s.line, c)
			return c
		}
	}
	return s.draw(among)
}
