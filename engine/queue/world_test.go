package queue

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"strings"

	"harelab/engine/dispatch"
	"harelab/engine/dispatch/rng"
)

// A world holds queues and workers in virtual time, for known answers. It is the
// smallest driver that carries out a queue's decisions.
type world struct {
	now        int64
	events     eventHeap
	created    int
	queues     []*worldQueue
	workers    []*worker
	msgs       []*message
	deliveries strings.Builder
	out        []Decision
	checked    bool
	err        error
}

type message struct {
	template
	at               int64
	seq              int
	start, finish    int64
	worker, attempts int
	done, lost       bool
}

type worldQueue struct {
	index    int
	name     string
	q        *Queue
	payloads []*message
	subs     []*sub // by ConsumerID
}

type worker struct {
	index   int
	spec    workerSpec
	up      bool
	life    int // number of crashes so far
	slots   []*task
	buffer  []*task
	limiter *dispatch.Limiter
	rng     rng.SplitMix64
	subs    []*sub
}

type sub struct {
	w        *worker
	wq       *worldQueue
	id       dispatch.ConsumerID
	held     []*task // delivered to the worker and not finished
	watchers []func()
}

// A task is one delivery of a message.
type task struct {
	m     *message
	s     *sub
	ref   dispatch.Ref
	ends  int64
	acked bool // or needs no acknowledgement
}

func (s *sub) Outstanding() int     { return len(s.held) }
func (s *sub) Watch(changed func()) { s.watchers = append(s.watchers, changed) }

func (s *sub) changed() {
	for _, f := range s.watchers {
		f()
	}
}

func (s *sub) Work(now int64) int64 {
	var sum int64
	for _, k := range s.held {
		if k.ends != 0 {
			sum += k.ends - now
		} else {
			sum += k.m.Service * s.w.spec.Slow
		}
	}
	return sum
}

// The ranks of events at one instant.
const (
	internal = iota
	finishing
	controlling
	publishing
)

type worldEvent struct {
	at      int64
	rank    int
	order   int
	perform func()
}

type eventHeap []worldEvent

func (h eventHeap) Len() int      { return len(h) }
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h eventHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank), cmp.Compare(a.order, b.order)) < 0
}
func (h *eventHeap) Push(x any) { *h = append(*h, x.(worldEvent)) }
func (h *eventHeap) Pop() any {
	old := *h
	n := len(old) - 1
	x := old[n]
	*h = old[:n]
	return x
}

func (w *world) after(at int64, rank int, f func()) {
	w.created++
	heap.Push(&w.events, worldEvent{at, rank, w.created, f})
}

func newWorld(s scenario) (*world, error) {
	w := &world{msgs: s.published()}
	byName := map[string]*worldQueue{}
	for i, spec := range s.Queues {
		wq := &worldQueue{index: i, name: spec.Name}
		selector, err := dispatch.LookupSelector(cmp.Or(spec.Dispatch, "rr"))
		if err != nil {
			return nil, err
		}
		order, err := dispatch.LookupOrder(cmp.Or(spec.Order, "fifo"))
		if err != nil {
			return nil, err
		}
		cfg := dispatch.Config{
			Seed: spec.Seed, AgingUS: spec.AgingUS, Quantum: spec.Quantum,
			Weights: spec.Weights, CostByService: spec.Cost == "service",
		}
		if spec.MaxPriority != nil {
			cfg.MaxPriority = *spec.MaxPriority
		}
		wq.q = New(Config{Selector: selector, Order: order, Dispatch: cfg, SingleActive: spec.SingleActive, Limits: Unlimited})
		w.queues = append(w.queues, wq)
		byName[spec.Name] = wq
	}
	names := map[string]*worker{}
	for i, spec := range s.Workers {
		spec.Ack = cmp.Or(spec.Ack, "late")
		spec.Slow = cmp.Or(spec.Slow, 1)
		k := &worker{index: i, spec: spec, rng: rng.New(spec.Seed + uint64(i)), slots: make([]*task, max(spec.Concurrency, 1))}
		w.workers = append(w.workers, k)
		names[spec.Name] = k
	}
	for _, k := range w.workers {
		if k.spec.JoinsAt == nil {
			w.join(k, byName)
		} else {
			w.after(*k.spec.JoinsAt, controlling, func() { w.join(k, byName) })
		}
	}
	for _, c := range s.Control {
		w.after(c.At, controlling, func() {
			if c.Crash != "" {
				w.crash(names[c.Crash])
			} else {
				w.join(names[c.Join], byName)
			}
		})
	}
	w.schedule(0, byName)
	return w, nil
}

// schedule keeps one publish event at a time in the heap.
func (w *world) schedule(i int, queues map[string]*worldQueue) {
	if i == len(w.msgs) {
		return
	}
	m := w.msgs[i]
	w.after(m.at, publishing, func() {
		wq := queues[m.Queue]
		r := wq.q.NextRef()
		for int(r) >= len(wq.payloads) {
			wq.payloads = append(wq.payloads, nil)
		}
		wq.payloads[r] = m
		w.step(wq, Event{Kind: Publish, Msg: dispatch.Meta{
			Published: m.at, Cost: m.Service, Tenant: m.Tenant, Priority: m.Priority,
		}})
		w.schedule(i+1, queues)
	})
}

func (w *world) run() {
	for len(w.events) > 0 && w.err == nil {
		e := heap.Pop(&w.events).(worldEvent)
		w.now = e.at
		e.perform()
	}
}

func (w *world) step(wq *worldQueue, e Event) {
	e.Now = w.now
	out := wq.q.Step(e, w.out[:0])
	for _, d := range out {
		if d.Kind == Deliver {
			w.deliver(wq, d)
		}
	}
	w.out = out
	if w.checked && w.err == nil {
		if err := wq.q.Check(e.Hold); err != nil {
			w.err = fmt.Errorf("at %d, after %v on %s: %w", w.now, e.Kind, wq.name, err)
		}
	}
}

func (w *world) deliver(wq *worldQueue, d Decision) {
	s, m := wq.subs[d.Consumer], wq.payloads[d.Ref]
	k := &task{m: m, s: s, ref: d.Ref, acked: d.Done}
	s.held = append(s.held, k)
	m.attempts++
	m.worker = s.w.index
	life := s.w.life
	w.after(w.now+s.w.spec.DeliverUS, internal, func() {
		if s.w.life != life {
			return
		}
		fmt.Fprintf(&w.deliveries, "%d %d %d\n", w.now, m.seq, s.w.index)
		s.w.buffer = append(s.w.buffer, k)
		w.start(s.w)
	})
}

// start starts tasks of the buffer in idle slots.
func (w *world) start(v *worker) {
	for len(v.buffer) > 0 {
		slot := slices.Index(v.slots, nil)
		if slot < 0 {
			return
		}
		k := v.buffer[0]
		v.buffer = v.buffer[1:]
		v.slots[slot] = k
		k.m.start = w.now
		k.ends = w.now + k.m.Service*v.spec.Slow
		k.s.changed()
		if v.spec.Ack == "early" {
			w.settle(k, Ack)
		}
		life := v.life
		w.after(k.ends, finishing, func() {
			if v.life == life {
				w.finish(v, slot, k)
			}
		})
	}
}

func (w *world) finish(v *worker, slot int, k *task) {
	v.slots[slot] = nil
	k.s.held = slices.DeleteFunc(k.s.held, func(o *task) bool { return o == k })
	k.s.changed()
	failed := k.m.attempts <= k.m.Fail
	if !failed {
		k.m.done, k.m.lost, k.m.finish = true, false, w.now
		k.m.worker = v.index
	}
	switch {
	case failed:
		w.settle(k, Requeue)
	case v.spec.Ack == "late":
		w.settle(k, Ack)
	}
	w.start(v)
}

// settle sends an ack or nack.
func (w *world) settle(k *task, kind Kind) {
	v := k.s.w
	life := v.life
	w.after(w.now+v.spec.AckUS, internal, func() {
		if v.life != life {
			return
		}
		k.acked = true
		w.step(k.s.wq, Event{Kind: kind, Refs: []dispatch.Ref{k.ref}, Hold: true})
		for _, wq := range w.walk(v) {
			if slices.ContainsFunc(v.subs, func(s *sub) bool { return s.wq == wq }) {
				w.step(wq, Event{Kind: Run, Limiter: v.limiter})
			}
		}
	})
}

// walk returns the queues in the order in which an ack of a worker runs them. If the
// worker's channel has a limit, the order begins at a random one of the queues that
// compete for it.
func (w *world) walk(v *worker) []*worldQueue {
	if v.limiter == nil || v.limiter.Full() {
		return w.queues
	}
	var competing []int
	for i, wq := range w.queues {
		if wq.q.Competes(v.limiter) {
			competing = append(competing, i)
		}
	}
	if len(competing) < 2 {
		return w.queues
	}
	k := competing[v.rng.Below(len(competing))]
	return slices.Concat(w.queues[k:], w.queues[:k])
}

func (w *world) join(v *worker, queues map[string]*worldQueue) {
	v.up = true
	v.limiter = nil
	if v.spec.ChannelPrefetch != 0 {
		v.limiter = dispatch.NewLimiter(v.spec.ChannelPrefetch)
	}
	v.subs = nil
	for _, spec := range v.spec.Subscribe {
		wq := queues[spec.Queue]
		s := &sub{w: v, wq: wq, id: wq.q.NextConsumer()}
		for int(s.id) >= len(wq.subs) {
			wq.subs = append(wq.subs, nil)
		}
		wq.subs[s.id] = s
		v.subs = append(v.subs, s)
		w.step(wq, Event{
			Kind: Join, Prefetch: spec.Prefetch, Priority: spec.Priority, NoAck: v.spec.Ack == "auto",
			Limiter: v.limiter, Probe: s, Slots: uint32(len(v.slots)),
		})
	}
}

func (w *world) crash(v *worker) {
	v.up = false
	v.life++
	v.buffer = nil
	clear(v.slots)
	back := make([][]dispatch.Ref, len(w.queues))
	for _, s := range v.subs {
		w.step(s.wq, Event{Kind: Leave, Consumer: s.id, Hold: true})
		for r := dispatch.Ref(0); int(r) < len(s.wq.payloads); r++ {
			if m, ok := s.wq.q.Message(r); ok && m.State == dispatch.Unacked && m.Consumer == s.id {
				back[s.wq.index] = append(back[s.wq.index], r)
				w.reopen(s.wq.payloads[r])
			}
		}
		for _, k := range s.held {
			if k.acked {
				k.m.lost, k.m.start, k.m.finish = true, -1, -1
			}
		}
		s.held = nil
	}
	for i, wq := range w.queues {
		if back[i] != nil {
			w.step(wq, Event{Kind: Requeue, Refs: back[i], Hold: true})
		}
	}
	for i, wq := range w.queues {
		if back[i] != nil || wq.q.cfg.SingleActive {
			w.step(wq, Event{Kind: Run})
		}
	}
	v.subs = nil
}

// reopen undoes an attempt that a crash ended.
func (w *world) reopen(m *message) {
	m.done, m.start, m.finish, m.worker = false, -1, -1, -1
}

// messages draws the messages of a generated group.
func (g *genSpec) messages() []*message {
	arrival, service := rng.New(g.Arrival.Seed), rng.New(g.Service.Seed)
	var route rng.SplitMix64
	if g.Route != nil {
		route = rng.New(g.Route.Seed)
	}
	msgs := make([]*message, g.N)
	var at int64
	for i := range msgs {
		if g.Arrival.Kind == "exp" {
			at += arrival.Exp(g.Arrival.Mean)
		} else {
			at += g.Arrival.Every
		}
		m := &message{at: at, template: template{Queue: g.Queue, Class: g.Class, Priority: g.Priority}}
		switch g.Service.Kind {
		case "exp":
			m.Service = service.Exp(g.Service.Mean)
		case "const":
			m.Service = g.Service.US
		case "choice":
			r := int64(service.Below(int(g.Service.Total)))
			for _, item := range g.Service.Items {
				if r -= item.Weight; r < 0 {
					m.Service = item.Service
					m.Class = cmp.Or(item.Class, m.Class)
					m.Queue = cmp.Or(item.Queue, m.Queue)
					m.Priority = cmp.Or(item.Priority, m.Priority)
					break
				}
			}
		}
		if g.Route != nil {
			m.Queue = g.Route.Queues[route.Below(len(g.Route.Queues))]
		}
		msgs[i] = m
	}
	return msgs
}
