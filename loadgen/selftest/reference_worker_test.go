package selftest

import "slices"

// This file is the reference's workers: R10, R11 and R13 to R17.

// assign gives a message to a consumer; it arrives deliver_us later (R17).
func (r *reference) assign(c *refConsumer, m *refMsg) {
	w := c.worker
	m.attempts++
	m.worker, m.delivered, m.start = w.index, -1, -1
	w.held = append(w.held, m)
	if w.spec.Ack != "auto" {
		c.unacked++
		w.volume++
		m.consumer = c
	}
	if c.queue.spec.Dispatch == "rr-eager" && !c.eligible() {
		if i := slices.Index(c.queue.rings[c.priority], c); i >= 0 {
			c.queue.rings[c.priority] = slices.Delete(c.queue.rings[c.priority], i, i+1)
			c.queue.blocked = append(c.queue.blocked, c)
		}
	}
	r.at(r.now+w.spec.DeliverUS, internal, w, func() {
		m.delivered = r.now
		r.hash.line(r.now, int64(m.seq), int64(w.index))
		w.buffer = append(w.buffer, m)
		r.work(w)
	})
}

// failing reports whether the attempt under way ends in a nack (R16).
func (m *refMsg) failing(w *refWorker) bool {
	return w.spec.Ack != "auto" && m.attempts <= int(m.fail)
}

// work starts messages while it can (R11).
func (r *reference) work(w *refWorker) {
	for len(w.buffer) > 0 {
		slot := slices.Index(w.slots, nil)
		if slot < 0 {
			return
		}
		m := w.buffer[0]
		w.buffer = w.buffer[1:]
		m.start = r.now
		w.slots[slot] = m
		w.ends[slot] = r.now + w.service(m)
		if w.spec.Ack == "early" && !m.failing(w) {
			r.sendAck(w, m, false)
		}
		r.at(w.ends[slot], finish, w, func() { r.finish(w, m, slot) })
	}
}

func (r *reference) finish(w *refWorker, m *refMsg, slot int) {
	w.slots[slot] = nil
	w.held = slices.DeleteFunc(w.held, func(o *refMsg) bool { return o == m })
	switch {
	case m.failing(w):
		r.sendAck(w, m, true)
	default:
		r.out.served[w.index]++
		r.out.busy[w.index] += r.now - m.start
		m.done = true
		m.final = row{delivered: m.delivered, start: m.start, finish: r.now, worker: int32(w.index), slot: int32(slot)}
		if w.spec.Ack == "late" {
			r.sendAck(w, m, false)
		}
	}
	r.work(w)
}

// sendAck has the broker learn of an ack or nack ack_us later (R17), and act on it
// (R10).
func (r *reference) sendAck(w *refWorker, m *refMsg, nack bool) {
	r.at(r.now+w.spec.AckUS, internal, w, func() {
		c := m.consumer
		m.consumer = nil
		c.unacked--
		w.volume--
		if nack {
			m.redelivered = true
			m.worker, m.delivered = -1, -1
			r.enqueue(c.queue, m)
		}
		for _, q := range r.walk(w) {
			q.unblock(w)
			if slices.ContainsFunc(w.consumers, func(c *refConsumer) bool { return c.queue == q }) {
				r.run(q)
			}
		}
	})
}

// walk returns all queues in the order in which an ack of a worker has them looked
// at: from the first declared, or from a drawn one of those that compete.
func (r *reference) walk(w *refWorker) []*refQueue {
	var competing []int
	for i, q := range r.queues {
		if len(q.ready) > 0 && slices.ContainsFunc(q.consumers, func(c *refConsumer) bool {
			return c.worker == w && c.eligible() && (!q.spec.SingleActive || c == q.consumers[0])
		}) {
			competing = append(competing, i)
		}
	}
	if w.spec.ChannelPrefetch == 0 || w.spec.Ack == "auto" || len(competing) < 2 {
		return r.queues
	}
	k := competing[w.rng.below(uint64(len(competing)))]
	return slices.Concat(r.queues[k:], r.queues[:k])
}

// unblock moves a worker's blocked consumers that are eligible again to the tails
// of their rings.
func (q *refQueue) unblock(w *refWorker) {
	var still []*refConsumer
	for _, c := range q.blocked {
		if c.worker == w && c.eligible() {
			q.rings[c.priority] = append(q.rings[c.priority], c)
		} else {
			still = append(still, c)
		}
	}
	q.blocked = still
}

// join is R13.
func (r *reference) join(w *refWorker) {
	if w.up {
		return
	}
	w.up = true
	w.slots = make([]*refMsg, w.spec.Concurrency)
	w.ends = make([]int64, w.spec.Concurrency)
	for _, s := range w.spec.Subscribe {
		for _, q := range r.queues {
			if q.spec.Name == s.Queue {
				c := &refConsumer{worker: w, queue: q, prefetch: s.Prefetch, priority: s.Priority}
				w.consumers = append(w.consumers, c)
				q.consumers = append(q.consumers, c)
				q.rings[c.priority] = append(q.rings[c.priority], c)
				r.run(q)
			}
		}
	}
}

// crash is R14.
func (r *reference) crash(w *refWorker) {
	if !w.up {
		return
	}
	w.up = false
	w.life++
	for _, m := range w.held {
		if m.consumer == nil {
			m.lost = true
		}
	}
	own := func(c *refConsumer) bool { return c.worker == w }
	back := map[*refQueue]bool{}
	for _, q := range r.queues {
		q.consumers = slices.DeleteFunc(q.consumers, own)
		q.blocked = slices.DeleteFunc(q.blocked, own)
		for p := range q.rings {
			q.rings[p] = slices.DeleteFunc(q.rings[p], own)
		}
		for _, m := range r.msgs { // in order of age
			if m.consumer != nil && m.consumer.worker == w && m.consumer.queue == q {
				m.consumer = nil
				m.redelivered = true
				m.worker, m.delivered = -1, -1
				r.enqueue(q, m)
				back[q] = true
			}
		}
	}
	w.consumers, w.held, w.buffer, w.slots, w.volume = nil, nil, nil, nil, 0
	for _, q := range r.queues {
		if back[q] || q.spec.SingleActive {
			r.run(q)
		}
	}
}

// report fills in the rows.
func (r *reference) report() {
	for _, m := range r.msgs {
		o := row{state: "unserved", delivered: m.delivered, start: -1, finish: -1, worker: int32(m.worker), slot: -1}
		switch {
		case m.done:
			o = m.final
			o.state = "done"
		case m.lost:
			o.state = "lost"
		}
		o.class, o.queue, o.arrival, o.service = m.class, m.queue, m.at, m.message.service
		o.attempts, o.redelivered = int32(m.attempts), m.redelivered
		r.out.rows = append(r.out.rows, o)
	}
	r.out.deliveries = r.hash.hex()
}

// splitmix is the generator of R18, for the reference's own draws.
type splitmix struct{ state uint64 }

func (s *splitmix) below(n uint64) uint64 {
	s.state += 0x9E3779B97F4A7C15
	z := s.state
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return ((z ^ (z >> 31)) >> 32) * n >> 32
}
