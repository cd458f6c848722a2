package dispatchtest

import (
	"slices"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

// run is rule R5. First it puts back the consumers that got credit (R10).
func (m *model) run(budget uint32) {
	for _, c := range slices.Clone(m.blocked) {
		if c.credited && c.eligible(m.sel.window(c)) {
			c.blocked = false
			m.blocked = slices.DeleteFunc(m.blocked, func(o *consumer) bool { return o == c })
			m.sel.back(c)
		}
	}
	for _, c := range m.consumers {
		c.credited = false
	}
	for n := uint32(1); len(m.ready) > 0; n++ {
		m.expire()
		if len(m.ready) == 0 {
			break
		}
		c := m.pick()
		if c == nil {
			break
		}
		m.deliver(m.pop(), c, c.noAck)
		if n == budget && len(m.ready) > 0 {
			m.more = true
			m.decide(queue.Decision{Kind: queue.More, Ref: dispatch.NoRef})
			return
		}
	}
	if m.fresh != nil {
		m.fresh = nil
		m.dropHeads()
	}
	m.expire()
	m.schedule()
}

func (m *model) pick() *consumer {
	if m.cfg.SingleActive {
		if m.active != nil && m.active.eligible(m.sel.window(m.active)) {
			return m.active
		}
		return nil
	}
	return m.sel.pick(m.now)
}

// head returns the message that would be next, or nil.
func (m *model) head() *message {
	if len(m.ready) == 0 {
		return nil
	}
	return m.order.clone().pop(m.now)
}

func (m *model) expire() {
	for h := m.head(); h != nil && h != m.fresh && h.expires != 0 && h.expires <= m.now; h = m.head() {
		m.lose(m.pop(), queue.Expired)
	}
}

func (m *model) schedule() {
	h := m.head()
	if h == nil || h.expires == 0 || m.wake > m.now && m.wake <= h.expires {
		return
	}
	m.wake = h.expires
	m.decide(queue.Decision{Kind: queue.WakeAt, Ref: dispatch.NoRef, At: h.expires})
}
