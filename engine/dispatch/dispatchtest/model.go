package dispatchtest

import (
	"cmp"
	"maps"
	"slices"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

// A model is a queue written to be read: it searches lists where the queue keeps
// tables up to date. It determines the decisions of a Step.
type model struct {
	cfg       queue.Config
	limits    queue.Limits
	sel       selectorModel
	order     orderModel
	now       int64
	ids       uint64 // number of messages accepted
	ready     []*message
	unacked   map[dispatch.Ref]*message
	consumers []*consumer // in subscription order
	active    *consumer
	handing   bool        // the next active consumer waits for the queue to run
	blocked   []*consumer // in the order in which the selector set them aside
	wake      int64
	more      bool               // the latest decision was More, not counting Pauses after it
	fresh     *message           // published by this step, which has not run yet
	learned   map[string]learned // by task
	decision  []queue.Decision
}

// learned is the mean service time of a task, over n services.
type learned struct{ n, mean int64 }

func newModel(cfg queue.Config) *model {
	m := &model{cfg: cfg, limits: cfg.Limits, unacked: map[dispatch.Ref]*message{}, learned: map[string]learned{}}
	m.sel = selectorModels[cfg.Selector.Name](cfg.Dispatch)
	m.order = orderModels[cfg.Order.Name](cfg.Dispatch)
	return m
}

// step returns the decisions that follow from e. ref and id are the queue's NextRef
// and NextConsumer.
func (m *model) step(e queue.Event, ref dispatch.Ref, id dispatch.ConsumerID) []queue.Decision {
	m.now = max(m.now, e.Now)
	m.decision = nil
	goesOn := m.more && e.Kind == queue.Run && e.Limiter == nil
	m.more = m.more && e.Kind == queue.Pause
	switch e.Kind {
	case queue.Publish:
		m.publish(e, ref)
	case queue.Ack, queue.Requeue, queue.Discard:
		for _, r := range e.Refs {
			m.settle(e.Kind, r)
		}
		if e.Kind == queue.Requeue {
			m.dropHeads()
		}
	case queue.Join:
		m.join(e, id)
	case queue.Leave:
		m.leave(e.Consumer, e.Hold)
	case queue.Pause, queue.Resume, queue.Limit:
		m.change(e)
	case queue.Get:
		m.get(e.NoAck)
		return m.decision
	case queue.Purge:
		m.purge(queue.Purged)
		return m.decision
	case queue.Close:
		m.purge(queue.Closed)
		for _, r := range slices.Sorted(maps.Keys(m.unacked)) {
			msg := m.unacked[r]
			m.settle(queue.Close, r)
			m.lose(msg, queue.Closed)
		}
		return m.decision
	case queue.Configure:
		m.limits = e.Change.Limits
		if s := e.Change.Strategies; s != nil {
			m.restart(s)
		}
		m.dropHeads()
	case queue.Share:
		m.share(e)
	case queue.Run:
		for _, c := range m.consumers {
			if c.limiter != nil && !goesOn && (e.Limiter == nil || e.Limiter == c.limiter) {
				c.credited = c.blocked
			}
		}
	}
	if e.Kind == queue.Run && e.Limiter == nil {
		m.handing = false
	}
	switch {
	case e.Hold:
	case m.handing:
		m.expire()
		m.schedule()
	default:
		m.run(e.Budget)
	}
	return m.decision
}

func (m *model) publish(e queue.Event, ref dispatch.Ref) {
	if m.limits.Overflow != queue.DropHead && m.over(1, int64(e.Bytes)) {
		if m.limits.Overflow == queue.RejectPublishDLX && m.limits.DeadLetter {
			m.decide(queue.Decision{Kind: queue.DeadLetter, Reason: queue.MaxLen, Ref: ref})
		}
		m.decide(queue.Decision{Kind: queue.Reject, Reason: queue.MaxLen, Ref: ref, Done: true})
		return
	}
	m.ids++
	msg := &message{
		id: m.ids, ref: ref, published: cmp.Or(e.Msg.Published, m.now), expires: e.ExpiresAt,
		priority: e.Msg.Priority, bytes: e.Bytes, redelivered: e.Redelivered,
	}
	m.hint(msg, e.Msg.Cost, e.Msg.Tenant, e.Msg.Task)
	if ttl := m.limits.MessageTTL; ttl >= 0 && (msg.expires == 0 || m.now+ttl < msg.expires) {
		msg.expires = m.now + ttl
	}
	m.push(msg)
	if e.Hold {
		m.dropHeads()
		return
	}
	m.fresh = msg
}

// hint sets what a message has of hints: all that the strategies need.
func (m *model) hint(msg *message, cost int64, tenant, task string) {
	msg.cost, msg.costless = max(cost, 0), cost < 0
	if m.cfg.Order.Needs&dispatch.NeedTenant != 0 {
		msg.tenant = tenant
	}
	if (m.cfg.Order.Needs|m.cfg.Selector.Needs)&dispatch.NeedCost != 0 {
		msg.task = task
		if msg.cost == 0 && !msg.costless {
			msg.cost = m.learned[task].mean
		}
	}
}

// restart replaces the strategies: as if the ready messages had just come, in order of
// age, and the consumers had just joined, with the messages that they hold.
func (m *model) restart(s *queue.Strategies) {
	m.cfg.Selector, m.cfg.Order, m.cfg.Dispatch = s.Selector, s.Order, s.Dispatch
	all := map[dispatch.Ref]*message{}
	for _, msg := range m.ready {
		all[msg.ref] = msg
	}
	maps.Copy(all, m.unacked)
	for _, h := range s.Hints {
		m.hint(all[h.Ref], h.Cost, h.Tenant, h.Task)
	}
	m.order = orderModels[s.Order.Name](s.Dispatch)
	slices.SortFunc(m.ready, func(a, b *message) int { return cmp.Compare(a.id, b.id) })
	for _, msg := range m.ready {
		m.order.push(msg)
	}
	for _, msg := range m.unacked {
		msg.task = "" // nothing is learned from it
		if msg.holder != nil {
			msg.holder.busy = m.now
		}
	}
	m.blocked = nil
	m.sel = selectorModels[s.Selector.Name](s.Dispatch)
	for _, c := range m.consumers {
		c.blocked, c.credited = false, false
		m.sel.join(c)
		m.sel.changed(c, m.now)
	}
}

func (m *model) push(msg *message) {
	m.handing = false
	m.ready = append(m.ready, msg)
	m.order.push(msg)
}

func (m *model) pop() *message {
	msg := m.order.pop(m.now)
	if msg == m.fresh {
		m.fresh = nil
	}
	m.ready = slices.DeleteFunc(m.ready, func(o *message) bool { return o == msg })
	return msg
}

func (m *model) over(messages int, bytes int64) bool {
	for _, msg := range m.ready {
		bytes += int64(msg.bytes)
	}
	return m.limits.MaxLength >= 0 && int64(len(m.ready)+messages) > m.limits.MaxLength ||
		m.limits.MaxBytes >= 0 && bytes > m.limits.MaxBytes
}

func (m *model) dropHeads() {
	for m.limits.Overflow == queue.DropHead && len(m.ready) > 0 && m.over(0, 0) {
		m.lose(m.pop(), queue.MaxLen)
	}
}

func (m *model) lose(msg *message, why queue.Reason) {
	kind := queue.Drop
	if m.limits.DeadLetter && why != queue.Purged && why != queue.Closed {
		kind = queue.DeadLetter
	}
	m.decide(queue.Decision{Kind: kind, Reason: why, Ref: msg.ref, ID: msg.id, Redelivered: msg.redelivered, Done: true})
}

// decide adds a decision without a consumer.
func (m *model) decide(d queue.Decision) {
	d.Consumer = dispatch.NoConsumer
	m.decision = append(m.decision, d)
}

func (m *model) settle(kind queue.Kind, r dispatch.Ref) {
	msg := m.unacked[r]
	if msg == nil {
		return
	}
	delete(m.unacked, r)
	if c := msg.holder; c != nil {
		if kind == queue.Ack && msg.task != "" {
			k := m.learned[msg.task]
			k.n = min(k.n+1, 8)
			k.mean += (m.now - c.busy - k.mean) / k.n
			m.learned[msg.task] = k
		}
		c.busy = m.now
		msg.holder = nil
		c.unacked = slices.DeleteFunc(c.unacked, func(o *message) bool { return o == msg })
		if c.limiter != nil {
			c.limiter.Put(1)
		}
		if slices.Contains(m.consumers, c) {
			m.sel.changed(c, m.now)
		}
		m.credit(c)
	}
	switch kind {
	case queue.Requeue:
		msg.redelivered = true
		msg.attempts++
		if m.limits.DeliveryLimit >= 0 && int64(msg.attempts) > m.limits.DeliveryLimit {
			m.lose(msg, queue.DeliveryLimit)
		} else {
			m.push(msg)
		}
	case queue.Discard:
		m.lose(msg, queue.Rejected)
	}
}

// credit notes that c and its channel may have got credit.
func (m *model) credit(c *consumer) {
	for _, o := range m.consumers {
		if o.blocked && (o == c || c.limiter != nil && o.limiter == c.limiter) {
			o.credited = true
		}
	}
}

func (m *model) join(e queue.Event, id dispatch.ConsumerID) {
	c := &consumer{
		id: id, priority: e.Priority, prefetch: int(e.Prefetch), slots: int(e.Slots), noAck: e.NoAck, limiter: e.Limiter,
		aside: &m.blocked,
	}
	if e.Probe != nil {
		c.probe = e.Probe.(*probe)
	}
	m.consumers = append(m.consumers, c)
	m.sel.join(c)
	m.handing = false
	if m.cfg.SingleActive && m.active == nil {
		m.activate()
	}
}

func (m *model) activate() {
	m.active = nil
	id := dispatch.NoConsumer
	if len(m.consumers) > 0 {
		m.active = slices.MaxFunc(m.consumers, func(a, b *consumer) int { return cmp.Compare(a.priority, b.priority) })
		id = m.active.id
	}
	m.decision = append(m.decision, queue.Decision{Kind: queue.Activate, Consumer: id, Ref: dispatch.NoRef})
}

func (m *model) find(id dispatch.ConsumerID) *consumer {
	for _, c := range m.consumers {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (m *model) leave(id dispatch.ConsumerID, hold bool) {
	c := m.find(id)
	if c == nil {
		return
	}
	m.sel.leave(c)
	m.consumers = slices.DeleteFunc(m.consumers, func(o *consumer) bool { return o == c })
	m.blocked = slices.DeleteFunc(m.blocked, func(o *consumer) bool { return o == c })
	if m.active == c {
		m.handing = hold
		m.activate()
	}
}

func (m *model) change(e queue.Event) {
	c := m.find(e.Consumer)
	if c == nil {
		return
	}
	switch e.Kind {
	case queue.Pause:
		c.paused = true
	case queue.Resume:
		c.paused = false
	case queue.Limit:
		c.prefetch = int(e.Prefetch)
	}
	m.sel.changed(c, m.now)
	m.credit(c)
}

// share gives consumers a limiter, which counts the messages that they hold.
func (m *model) share(e queue.Event) {
	consumers := []*consumer{m.find(e.Consumer)}
	for _, r := range e.Refs {
		if msg := m.unacked[r]; msg != nil {
			consumers = append(consumers, msg.holder)
		}
	}
	for _, c := range consumers {
		if c != nil && c.limiter == nil {
			c.limiter = e.Limiter
			c.limiter.Add(len(c.unacked))
		}
	}
}

func (m *model) get(noAck bool) {
	m.expire()
	if len(m.ready) == 0 {
		m.decide(queue.Decision{Kind: queue.Empty, Ref: dispatch.NoRef})
		return
	}
	m.deliver(m.pop(), nil, noAck)
	m.expire()
	m.schedule()
}

func (m *model) purge(why queue.Reason) {
	for len(m.ready) > 0 {
		m.lose(m.pop(), why)
	}
}

func (m *model) deliver(msg *message, c *consumer, noAck bool) {
	id := dispatch.NoConsumer
	if c != nil {
		id = c.id
	}
	m.decision = append(m.decision, queue.Decision{
		Kind: queue.Deliver, Ref: msg.ref, ID: msg.id, Consumer: id, Redelivered: msg.redelivered, Done: noAck,
		Remaining: len(m.ready), Attempts: uint32(msg.attempts),
	})
	if noAck {
		return
	}
	m.unacked[msg.ref] = msg
	if c != nil {
		msg.holder = c
		if len(c.unacked) == 0 {
			c.busy = m.now
		}
		c.unacked = append(c.unacked, msg)
		if c.limiter != nil {
			c.limiter.TryTake()
		}
		m.sel.changed(c, m.now)
	}
}
