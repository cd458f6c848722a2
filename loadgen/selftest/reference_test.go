package selftest

import (
	"math"
	"slices"
	"sort"
)

// A reference is the yardstick's rules (R1 to R20) written down as plainly as
// possible: lists that are scanned, events that are searched for, no engine code.
// It is slow on purpose. Where it and the engine differ, one of them is wrong, and
// the rules decide which.
type reference struct {
	spec    *scenario
	names   *expansion
	queues  []*refQueue
	workers []*refWorker
	msgs    []*refMsg
	events  []refEvent
	created int64
	now     int64
	out     *outcome
	hash    *lineHash
}

type refQueue struct {
	spec      *queueSpec
	ready     []*refMsg
	consumers []*refConsumer           // in subscription order
	rings     map[int32][]*refConsumer // by consumer priority
	blocked   []*refConsumer
	rng       splitmix
	backlog   []string // drr: tenants with ready messages
	deficit   map[string]int64
	granted   bool // drr: the head's turn has begun
}

type refConsumer struct {
	worker   *refWorker
	queue    *refQueue
	prefetch int
	priority int32
	unacked  int
}

type refWorker struct {
	index     int
	spec      *workerSpec
	up        bool
	life      int // events of an earlier life are gone
	consumers []*refConsumer
	volume    int
	rng       splitmix
	held      []*refMsg // assigned and not finished, in order of assignment
	buffer    []*refMsg
	slots     []*refMsg
	ends      []int64
}

type refMsg struct {
	message
	seq         int
	consumer    *refConsumer // while unacked
	attempts    int
	redelivered bool
	done, lost  bool
	delivered   int64
	start       int64 // of the attempt under way
	final       row   // of the last successful attempt
	worker      int
}

// Ranks of R2.
const (
	internal = iota
	finish
	control
	publish
)

type refEvent struct {
	at      int64
	rank    int
	created int64
	worker  *refWorker // nil: of no worker's life
	life    int
	run     func()
}

// simulateReference runs a scenario.
func simulateReference(s *scenario) *outcome {
	x := s.expand()
	r := &reference{spec: s, names: x, hash: newLineHash(), out: &outcome{
		classes: x.classes.list,
		served:  make([]int64, len(s.Workers)),
		busy:    make([]int64, len(s.Workers)),
	}}
	for i := range s.Queues {
		q := &s.Queues[i]
		r.queues = append(r.queues, &refQueue{spec: q, rings: map[int32][]*refConsumer{}, rng: splitmix{q.Seed}, deficit: map[string]int64{}})
		r.out.queues = append(r.out.queues, q.Name)
	}
	for i := range s.Workers {
		r.workers = append(r.workers, &refWorker{index: i, spec: &s.Workers[i], rng: splitmix{s.Workers[i].Seed + uint64(i)}})
	}
	for i, m := range x.messages {
		r.msgs = append(r.msgs, &refMsg{message: m, seq: i, delivered: -1, start: -1, worker: -1})
	}
	r.schedule()
	for len(r.events) > 0 {
		r.step()
	}
	r.report()
	return r.out
}

// schedule creates the outside events; workers that are there from the start join
// at once (R3).
func (r *reference) schedule() {
	for _, w := range r.workers {
		if w.spec.JoinsAt == nil {
			r.join(w)
		}
	}
	for _, w := range r.workers {
		if w.spec.JoinsAt != nil {
			r.at(*w.spec.JoinsAt, control, nil, func() { r.join(w) })
		}
	}
	for _, c := range r.spec.Control {
		for _, w := range r.workers {
			switch w.spec.Name {
			case c.Crash:
				r.at(c.At, control, nil, func() { r.crash(w) })
			case c.Join:
				r.at(c.At, control, nil, func() { r.join(w) })
			}
		}
	}
	for _, m := range r.msgs {
		r.at(m.at, publish, nil, func() {
			q := r.queues[m.queue]
			r.enqueue(q, m)
			r.run(q)
		})
	}
}

func (r *reference) at(t int64, rank int, w *refWorker, f func()) {
	r.created++
	e := refEvent{at: t, rank: rank, created: r.created, worker: w, run: f}
	if w != nil {
		e.life = w.life
	}
	r.events = append(r.events, e)
}

// step carries out the first event in the order of R2.
func (r *reference) step() {
	first := 0
	for i := range r.events {
		a, b := &r.events[i], &r.events[first]
		if a.at != b.at {
			if a.at < b.at {
				first = i
			}
		} else if a.rank != b.rank {
			if a.rank < b.rank {
				first = i
			}
		} else if a.created < b.created {
			first = i
		}
	}
	e := r.events[first]
	r.events = slices.Delete(r.events, first, first+1)
	r.now = e.at
	if e.worker == nil || e.worker.life == e.life {
		e.run()
	}
}

// enqueue puts a message among the ready ones (R4, R15).
func (r *reference) enqueue(q *refQueue, m *refMsg) {
	q.ready = append(q.ready, m)
	sort.Slice(q.ready, func(i, j int) bool { return q.ready[i].seq < q.ready[j].seq })
	if t := r.names.tenants.list[m.tenant]; !slices.Contains(q.backlog, t) {
		q.backlog = append(q.backlog, t)
	}
}

// run assigns messages while it can (R5).
func (r *reference) run(q *refQueue) {
	for len(q.ready) > 0 {
		c := r.pick(q)
		if c == nil {
			return
		}
		m := r.next(q)
		q.ready = slices.DeleteFunc(q.ready, func(o *refMsg) bool { return o == m })
		r.assign(c, m)
	}
}

// eligible is R6.
func (c *refConsumer) eligible() bool {
	w := c.worker
	if !w.up {
		return false
	}
	return w.spec.Ack == "auto" ||
		(c.prefetch == 0 || c.unacked < c.prefetch) &&
			(w.spec.ChannelPrefetch == 0 || w.volume < w.spec.ChannelPrefetch)
}

// pick chooses the consumer of the next message (R8, R9, R12).
func (r *reference) pick(q *refQueue) *refConsumer {
	if q.spec.SingleActive {
		if len(q.consumers) > 0 && q.consumers[0].eligible() {
			return q.consumers[0]
		}
		return nil
	}
	if q.spec.Dispatch == "rr" || q.spec.Dispatch == "rr-eager" {
		return q.pickRing()
	}
	var best []*refConsumer
	for _, c := range q.consumers {
		switch {
		case !c.eligible():
		case len(best) == 0 || c.priority > best[0].priority:
			best = []*refConsumer{c}
		case c.priority == best[0].priority:
			best = append(best, c)
		}
	}
	if len(best) == 0 {
		return nil
	}
	return r.choose(q, best)
}

func (r *reference) choose(q *refQueue, of []*refConsumer) *refConsumer {
	least := func(measure func(*refConsumer) int64) *refConsumer {
		best := of[0]
		for _, c := range of {
			if measure(c) < measure(best) {
				best = c
			}
		}
		return best
	}
	outstanding := func(c *refConsumer) int64 { return int64(len(c.worker.held)) }
	switch q.spec.Dispatch {
	case "jsq":
		return least(outstanding)
	case "lwl":
		return least(func(c *refConsumer) int64 { return c.worker.workLeft(r.now) })
	case "random":
		if len(of) == 1 {
			return of[0]
		}
		return of[q.rng.below(uint64(len(of)))]
	case "po2":
		if len(of) == 1 {
			return of[0]
		}
		i, j := q.rng.below(uint64(len(of))), q.rng.below(uint64(len(of)-1))
		if j >= i {
			j++
		}
		if outstanding(of[j]) < outstanding(of[i]) {
			return of[j]
		}
		return of[i]
	}
	panic("unknown dispatch " + q.spec.Dispatch)
}

// pickRing is R8.
func (q *refQueue) pickRing() *refConsumer {
	var priorities []int32
	for p := range q.rings {
		priorities = append(priorities, p)
	}
	slices.Sort(priorities)
	slices.Reverse(priorities)
	for _, p := range priorities {
		for len(q.rings[p]) > 0 {
			c := q.rings[p][0]
			q.rings[p] = q.rings[p][1:]
			if c.eligible() {
				q.rings[p] = append(q.rings[p], c)
				return c
			}
			q.blocked = append(q.blocked, c)
		}
	}
	return nil
}

func (w *refWorker) service(m *refMsg) int64 {
	return int64(math.Round(float64(m.message.service) * w.spec.Slow))
}

func (w *refWorker) workLeft(now int64) int64 {
	sum := int64(0)
	for _, m := range w.held {
		if slot := slices.Index(w.slots, m); slot >= 0 {
			sum += w.ends[slot] - now
		} else {
			sum += w.service(m)
		}
	}
	return sum
}

// next chooses the next message (R7).
func (r *reference) next(q *refQueue) *refMsg {
	if q.spec.Order == "drr" {
		return r.nextDRR(q)
	}
	rank := func(m *refMsg) int64 {
		p := min(int64(m.priority), int64(*q.spec.MaxPriority))
		switch q.spec.Order {
		case "priority":
			return p
		case "aging":
			return p + (r.now-m.at)/q.spec.AgingUS
		case "sjf":
			return -m.message.service
		}
		return 0
	}
	best := q.ready[0]
	for _, m := range q.ready {
		if rank(m) > rank(best) {
			best = m
		}
	}
	return best
}

func (r *reference) nextDRR(q *refQueue) *refMsg {
	oldest := func(tenant string) *refMsg {
		for _, m := range q.ready {
			if r.names.tenants.list[m.tenant] == tenant {
				return m
			}
		}
		return nil
	}
	for {
		t := q.backlog[0]
		if !q.granted {
			weight := int64(1)
			if w, ok := q.spec.Weights[t]; ok {
				weight = w
			}
			q.deficit[t] += q.spec.Quantum * weight
			q.granted = true
		}
		m := oldest(t)
		cost := int64(1)
		if q.spec.Cost == "service" {
			cost = m.message.service
		}
		if cost > q.deficit[t] {
			q.backlog = append(q.backlog[1:], t)
			q.granted = false
			continue
		}
		q.deficit[t] -= cost
		left := 0
		for _, o := range q.ready {
			if r.names.tenants.list[o.tenant] == t {
				left++
			}
		}
		if left == 1 {
			q.backlog = q.backlog[1:]
			q.deficit[t] = 0
			q.granted = false
		}
		return m
	}
}
