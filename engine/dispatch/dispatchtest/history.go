package dispatchtest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

// A source makes the choices of a history: a generator, or a fuzzer's bytes.
type source interface {
	more() bool
	below(n int) int // n is at most 256
}

type randomSource struct {
	*rand.Rand
	left int
}

func (s *randomSource) more() bool      { s.left--; return s.left >= 0 }
func (s *randomSource) below(n int) int { return s.IntN(n) }

type byteSource []byte

func (s *byteSource) more() bool { return len(*s) > 0 }

func (s *byteSource) below(n int) int {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return int(b) % n
}

// A history is a queue, its model, and the world that their events come from.
type history struct {
	src       source
	q         *queue.Queue
	model     *model // nil: the strategy has none
	now       int64
	latest    int64 // the queue's time
	newest    int64 // Published of the latest message
	held      bool  // the queue has not run since the latest events
	more      bool  // the queue asked for a Run
	limiters  []*dispatch.Limiter
	others    []int // by limiter: number of messages that other queues took
	consumers []dispatch.ConsumerID
	probes    []*probe
	unacked   []dispatch.Ref
	metas     map[dispatch.Ref]dispatch.Meta // of the latest message in each row
	fixed     bool                           // the strategies stay
	steps     int
	log       bytes.Buffer    // a recording
	rec       *queue.Recorder // nil: not recorded
	codec     queue.Codec
	out       []queue.Decision
	needs     dispatch.Needs // the inputs that the queue gets
}

// newHistory draws a configuration and starts a history with it.
func newHistory(src source, sel dispatch.SelectorStrategy, ord dispatch.OrderStrategy) *history {
	cfg := queue.Config{
		Selector: sel,
		Order:    ord,
		Dispatch: config(src),

		SingleActive: src.below(8) == 0,
	}
	h := &history{src: src, now: 3, needs: everything, metas: make(map[dispatch.Ref]dispatch.Meta)} // 3: a clock that steps back stays above 0
	cfg.Limits = h.limits()
	h.q = queue.New(cfg)
	if src.below(2) == 0 {
		h.rec = queue.NewRecorder(h.q, &h.log)
	}
	if selectorModels[sel.Name] != nil && orderModels[ord.Name] != nil {
		h.model = newModel(cfg)
	}
	for range 3 {
		h.limiters = append(h.limiters, dispatch.NewLimiter(uint32(1+src.below(4))))
		h.others = append(h.others, 0)
	}
	return h
}

// config draws the settings of strategies.
func config(src source) dispatch.Config {
	return dispatch.Config{
		Seed:          uint64(src.below(256)),
		MaxPriority:   uint8(src.below(3) * 2),
		AgingUS:       int64(1 + src.below(5)),
		Quantum:       int64(src.below(4)),
		Weights:       map[string]int64{"a": 2, "b": 3},
		CostByService: src.below(2) == 0,
	}
}

// strategies draws other strategies, if the queue has a model those with one. Mostly the
// messages get hints.
func (h *history) strategies() *queue.Strategies {
	s := &queue.Strategies{Dispatch: config(h.src)}
	selectors, orders := dispatch.Selectors(), dispatch.Orders()
	if h.model != nil {
		selectors = slices.DeleteFunc(selectors, func(s dispatch.SelectorStrategy) bool { return selectorModels[s.Name] == nil })
		orders = slices.DeleteFunc(orders, func(o dispatch.OrderStrategy) bool { return orderModels[o.Name] == nil })
	}
	s.Selector = selectors[h.src.below(len(selectors))]
	s.Order = orders[h.src.below(len(orders))]
	if h.src.below(4) == 0 {
		return s
	}
	for _, r := range slices.Sorted(maps.Keys(h.metas)) {
		if m, _ := h.q.Message(r); m.State != dispatch.Free {
			meta := h.metas[r]
			s.Hints = append(s.Hints, queue.Hint{Ref: r, Cost: meta.Cost, Tenant: meta.Tenant, Task: meta.Task})
		}
	}
	return s
}

// limits draws limits; half of the draws have none.
func (h *history) limits() queue.Limits {
	l := queue.Unlimited
	if h.src.below(2) == 0 {
		return l
	}
	if h.src.below(2) == 0 {
		l.MaxLength = int64(h.src.below(12))
	}
	if h.src.below(3) == 0 {
		l.MaxBytes = int64(h.src.below(40))
	}
	if h.src.below(3) == 0 {
		l.MessageTTL = int64(h.src.below(20))
	}
	if h.src.below(3) == 0 {
		l.DeliveryLimit = int64(h.src.below(4))
	}
	l.Overflow = queue.Overflow(h.src.below(3))
	l.DeadLetter = h.src.below(2) == 0
	return l
}

// run draws events until the source has no more, and returns the first error.
func (h *history) run() error {
	for h.src.more() {
		if err := h.draw(); err != nil {
			return err
		}
	}
	if err := h.step(queue.Event{Kind: queue.Run}); err != nil || h.rec == nil {
		return err
	}
	return queue.Replay(&h.log)
}

// draw draws an event and steps with it.
func (h *history) draw() error {
	h.now += int64(max(h.src.below(8)-4, 0))
	e := queue.Event{Hold: h.src.below(8) == 0}
	if h.src.below(4) == 0 {
		e.Budget = uint32(1 + h.src.below(3))
	}
	switch h.src.below(32) {
	default: // ten in 32
		e.Kind = queue.Publish
		e.Msg = dispatch.Meta{
			Cost:     int64(h.src.below(7)) - 1,
			Tenant:   string("abcd"[h.src.below(4)]),
			Priority: uint8(h.src.below(6)),
		}
		if h.src.below(8) == 0 {
			e.Msg.Cost *= 100 // many turns of drr
		}
		if h.src.below(3) == 0 {
			e.Msg.Task = string("xyz"[h.src.below(3)])
		}
		e.Bytes = uint32(h.src.below(10))
		e.Redelivered = h.src.below(8) == 0
		if h.src.below(6) == 0 {
			e.ExpiresAt = h.now + int64(h.src.below(10))
		}
	case 0, 1, 2, 3, 4, 5, 6:
		e.Kind, e.Refs = queue.Ack, h.messages()
	case 7, 8:
		e.Kind, e.Refs = queue.Requeue, h.messages()
	case 9:
		e.Kind, e.Refs = queue.Discard, h.messages()
	case 10, 11, 12:
		e = h.joining(e)
	case 13:
		e.Kind, e.Consumer = queue.Leave, h.consumer()
	case 14:
		e.Kind, e.Consumer = queue.Pause, h.consumer()
	case 15:
		e.Kind, e.Consumer = queue.Resume, h.consumer()
	case 16:
		e.Kind, e.Consumer, e.Prefetch = queue.Limit, h.consumer(), uint32(h.src.below(5))
	case 17:
		e.Kind = queue.Expire
	case 18:
		e.Kind, e.NoAck = queue.Get, h.src.below(2) == 0
	case 19:
		return h.otherQueue()
	case 20:
		switch h.src.below(4) {
		case 0: // Purge or Close, below
		case 1:
			e.Kind, e.Consumer, e.Refs = queue.Share, h.consumer(), h.messages()
			e.Limiter = h.limiters[h.src.below(len(h.limiters))]
			return h.step(e)
		default:
			return h.probe()
		}
		e.Kind = [...]queue.Kind{queue.Purge, queue.Purge, queue.Purge, queue.Close}[h.src.below(4)]
	case 21:
		if h.src.below(2) == 0 {
			return h.probe()
		}
		e.Kind, e.Change = queue.Configure, &queue.Change{Limits: h.limits()}
		if !h.fixed && h.src.below(2) == 0 {
			e.Change.Strategies = h.strategies()
		}
	}
	return h.step(e)
}

func (h *history) joining(e queue.Event) queue.Event {
	e.Kind = queue.Join
	e.Prefetch = uint32(h.src.below(4))
	e.Slots = uint32(h.src.below(3))
	if h.src.below(8) == 0 {
		e.Slots = uint32(h.src.below(20))
	}
	e.Priority = int32(h.src.below(3)) - 1
	e.NoAck = h.src.below(6) == 0
	if h.src.below(3) == 0 {
		e.Limiter = h.limiters[h.src.below(len(h.limiters))]
	}
	if h.src.below(4) == 0 {
		p := new(probe)
		if len(h.probes) > 0 && h.src.below(4) == 0 {
			p = h.probes[h.src.below(len(h.probes))] // the worker gets another consumer
		}
		h.probes = append(h.probes, p)
		e.Probe = p
	}
	return e
}

// messages draws a few of the unacked messages, and sometimes one that is not unacked.
func (h *history) messages() []dispatch.Ref {
	var refs []dispatch.Ref
	for range 1 + h.src.below(3) {
		if len(h.unacked) == 0 || h.src.below(16) == 0 {
			refs = append(refs, dispatch.Ref(h.src.below(256)))
			continue
		}
		refs = append(refs, h.unacked[h.src.below(len(h.unacked))])
	}
	return refs
}

// consumer draws a consumer, and sometimes an ID that no consumer has.
func (h *history) consumer() dispatch.ConsumerID {
	if len(h.consumers) == 0 || h.src.below(16) == 0 {
		return dispatch.ConsumerID(h.src.below(256))
	}
	return h.consumers[h.src.below(len(h.consumers))]
}

// otherQueue acts for another queue, which takes credit of a channel's limit or gives
// it back, or changes the limit. The queue runs after the last two.
func (h *history) otherQueue() error {
	i := h.src.below(len(h.limiters))
	l := h.limiters[i]
	switch h.src.below(4) {
	case 0, 1:
		if l.TryTake() {
			h.others[i]++
		}
		return nil
	case 2:
		l.Put(h.others[i])
		h.others[i] = 0
	case 3:
		l.SetLimit(uint32(h.src.below(5)))
	}
	e := queue.Event{Kind: queue.Run, Limiter: l}
	if !h.more && h.src.below(4) == 0 {
		e.Limiter = nil // after More, this would only resume the run
	}
	return h.step(e)
}

// probe changes the answers of a worker's probe.
func (h *history) probe() error {
	if len(h.probes) > 0 {
		p := h.probes[h.src.below(len(h.probes))]
		p.set(h.src.below(4), h.now, int64(h.src.below(6)), int64(h.src.below(3)))
	}
	return nil
}

// step steps the queue and its model.
func (h *history) step(e queue.Event) error {
	e.Now = h.now - int64(max(h.src.below(16)-13, 0)) // a clock may step back
	if e.Kind == queue.Publish {
		e.Msg.Published = h.age(e.Now)
	}
	h.latest = max(h.latest, e.Now)
	ref, id := h.q.NextRef(), h.q.NextConsumer()
	taken := h.taken()
	if e.Kind == queue.Publish {
		h.metas[ref] = e.Msg
	}
	h.steps++
	if h.rec != nil {
		h.out = h.rec.Step(e, h.out[:0])
	} else {
		h.out = h.q.Step(withhold(e, h.needs), h.out[:0])
		h.note(e)
	}
	if h.model != nil {
		// The model steps with the limiters as they were before the queue's step.
		after := h.taken()
		h.take(taken)
		want := h.model.step(e, ref, id)
		if got := h.taken(); !slices.Equal(got, after) {
			return h.fail("the model took %v of the limiters, the queue %v", got, after)
		}
		if !slices.Equal(want, h.out) {
			return h.fail("the model decided\n%s", spell(want))
		}
	}
	h.follow(e, id)
	// Get, Purge and Close do not run the queue; the last two leave nothing ready.
	h.more = len(h.out) > 0 && h.out[len(h.out)-1].Kind == queue.More || h.more && e.Kind == queue.Pause
	h.held = e.Hold || h.more || h.held && e.Kind == queue.Get
	if err := h.q.Check(h.held); err != nil {
		return h.fail("%v", err)
	}
	return nil
}

// age draws Published for a message that arrives now: 0 for now, or an earlier time,
// but not before that of the previous message.
func (h *history) age(now int64) int64 {
	published := int64(0)
	if h.src.below(4) == 0 {
		published = max(h.latest-int64(h.src.below(12)), h.newest, 1)
	}
	h.newest = cmp.Or(published, max(h.latest, now))
	return published
}

// follow updates the lists of consumers and of unacked messages.
func (h *history) follow(e queue.Event, id dispatch.ConsumerID) {
	switch e.Kind {
	case queue.Join:
		h.consumers = append(h.consumers, id)
	case queue.Leave:
		h.consumers = slices.DeleteFunc(h.consumers, func(c dispatch.ConsumerID) bool { return c == e.Consumer })
	}
	for _, d := range h.out {
		if d.Kind == queue.Deliver && !d.Done {
			h.unacked = append(h.unacked, d.Ref)
		}
	}
	slices.Sort(h.unacked)
	h.unacked = slices.DeleteFunc(slices.Compact(h.unacked), func(r dispatch.Ref) bool {
		m, _ := h.q.Message(r)
		return m.State != dispatch.Unacked
	})
}

func (h *history) taken() []int {
	var n []int
	for _, l := range h.limiters {
		n = append(n, l.Taken())
	}
	return n
}

func (h *history) take(n []int) {
	for i, l := range h.limiters {
		l.Put(l.Taken() - n[i])
	}
}

// note logs a step for the text of a failure.
func (h *history) note(e queue.Event) {
	h.log.Write(append(h.codec.AppendEvent(nil, e), '\n'))
	for _, d := range h.out {
		h.log.Write(append(queue.AppendDecision([]byte("> "), d), '\n'))
	}
}

func (h *history) fail(format string, args ...any) error {
	lines := strings.SplitAfter(h.log.String(), "\n")
	last := lines[max(len(lines)-40, 0):]
	return fmt.Errorf("step %d: %s\nthe last steps:\n%s", h.steps, fmt.Sprintf(format, args...), strings.Join(last, ""))
}

func spell(decisions []queue.Decision) string {
	var b []byte
	for _, d := range decisions {
		b = append(queue.AppendDecision(append(b, "> "...), d), '\n')
	}
	return string(b)
}
