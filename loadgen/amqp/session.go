package amqp

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/loadgen"
	"harelab/scenarios"
)

// A session is the time that a worker spends on one channel, from its join to the
// channel's end.
type session struct {
	w       *worker
	link    *link
	ch      *amqp091.Channel
	dead    chan struct{} // closed when the session or the run ends
	once    sync.Once
	cutOnce sync.Once
	meant   atomic.Bool // the session's end is part of the run
	reader  sync.WaitGroup

	unacked   atomic.Int64 // number of deliveries that wait for an ack
	forgotten atomic.Int64 // number of these that will never get one

	order struct { // puts deliveries in order of their tags
		sync.Mutex
		next  uint64          // the next tag
		early map[uint64]item // deliveries with greater tags
	}
	batch struct {
		sync.Mutex
		items []item // finished, to be acked together
	}
	newest map[orderKey]int64 // greatest number delivered, for inversions; guarded by order
}

// An orderKey names messages that keep their order: those of a queue, sequence and
// priority.
type orderKey struct {
	queue    int32
	sequence int32
	priority uint8
}

// join connects and subscribes the worker.
func (w *worker) join(ctx context.Context) error {
	l, err := w.r.linkOf(ctx, w)
	if err != nil {
		return err
	}
	ch, err := l.conn.Channel()
	if err != nil {
		return err
	}
	sess := &session{w: w, link: l, ch: ch, dead: make(chan struct{}), newest: map[orderKey]int64{}}
	sess.order.next, sess.order.early = 1, map[uint64]item{}
	closed := ch.NotifyClose(make(chan *amqp091.Error, 1))
	w.mu.Lock()
	w.sess = sess
	w.mu.Unlock()
	for i := range w.spec.Consume {
		if err := sess.consume(i); err != nil {
			return err
		}
	}
	sess.reader.Go(func() { sess.watch(closed) })
	return nil
}

// consume makes one subscription.
func (s *session) consume(i int) error {
	w := s.w
	c := &w.spec.Consume[i]
	if err := s.prefetch(i); err != nil {
		return err
	}
	args := amqp091.Table{"x-slots": int32(w.spec.Slots)}
	if c.Priority != 0 {
		args["x-priority"] = c.Priority
	}
	tag := fmt.Sprintf("%s-%d", w.spec.Name, i+1)
	deliveries, err := s.ch.Consume(c.Queue, tag, w.spec.Ack.When == scenarios.NoAck, c.Exclusive, false, false, args)
	if err != nil {
		return fmt.Errorf("consume %q: %w", c.Queue, err)
	}
	s.reader.Go(func() {
		for d := range deliveries {
			s.receive(&d, w.queues[i])
		}
	})
	return nil
}

// prefetch sets the limits for subscription i: one for consumers made later and, if
// the scope is the channel, one for the channel. Setting the first removes the
// second (RabbitMQ's basic.qos), so prefetch sets the second again each time.
func (s *session) prefetch(i int) error {
	spec := s.w.spec
	count := spec.Consume[i].Prefetch
	channel := spec.Scope == scenarios.PerChannel
	switch {
	case channel:
		count = max(count, 0)
	case count < 0:
		count = spec.Prefetch
	}
	own := !channel || slices.ContainsFunc(spec.Consume, func(c scenarios.Consume) bool { return c.Prefetch >= 0 })
	if own && (i == 0 || spec.Consume[i].Prefetch != spec.Consume[i-1].Prefetch) {
		if err := s.ch.Qos(count, 0, false); err != nil {
			return fmt.Errorf("prefetch %d: %w", count, err)
		}
	} else if i > 0 {
		return nil // the limits in force are right
	}
	if channel {
		if err := s.ch.Qos(spec.Prefetch, 0, true); err != nil {
			return fmt.Errorf("prefetch %d for the channel: %w", spec.Prefetch, err)
		}
	}
	return nil
}

// receive takes a delivery from the client. The client passes each subscription's
// deliveries on a Go channel of its own; receive puts those of all subscriptions
// back in the order in which the broker sent them, by their tags.
func (s *session) receive(d *amqp091.Delivery, queue int32) {
	it := item{sess: s, tag: d.DeliveryTag, queue: queue, redelivered: d.Redelivered, received: s.w.r.now(), seq: -1, class: -1}
	r := s.w.r
	body, ours := loadgen.ReadBody(d.Body)
	if ours {
		it.seq, it.intended, it.class, it.service = body.Seq, body.Intended, body.Class, body.Service
		if r.attempts != nil {
			it.attempt = r.attempts.next(it.seq)
		}
	}
	if s.w.spec.Fail != nil {
		it.again = &forwarded{headers: d.Headers, mode: d.DeliveryMode, priority: d.Priority, body: d.Body}
	}
	r.worked.delivered.Add(1)
	if it.forgotten = s.w.spec.Ack.When == scenarios.NoAck; !it.forgotten {
		r.worked.unacked.Add(1)
		s.unacked.Add(1)
	}
	s.order.Lock()
	defer s.order.Unlock()
	if !d.Redelivered && ours && d.Headers["x-death"] == nil && d.Headers[attemptHeader] == nil {
		s.compare(it.seq, orderKey{queue, body.Sequence, d.Priority})
	}
	s.order.early[it.tag] = it
	for {
		next, ok := s.order.early[s.order.next]
		if !ok {
			return
		}
		delete(s.order.early, s.order.next)
		s.order.next++
		s.w.arrive(next)
	}
}

// compare counts an inversion if a later message with the same key was delivered
// before. Messages that are published on several connections have no order.
func (s *session) compare(seq int64, at orderKey) {
	r := s.w.r
	if int(at.sequence) >= len(r.s.Load) || r.s.Load[at.sequence].Connections > 1 || !r.plan.Static() {
		return
	}
	if newest, ok := s.newest[at]; ok && seq < newest {
		s.w.mu.Lock()
		s.w.log.Inversions++
		s.w.mu.Unlock()
		return
	}
	s.newest[at] = seq
}

// ack acks one delivery. An error means that the connection is gone; watch notices
// it too.
func (s *session) ack(it *item) {
	if s.ch.Ack(it.tag, false) == nil {
		s.answered(it)
	}
}

// answered counts a delivery whose ack was sent.
func (s *session) answered(it *item) {
	s.unacked.Add(-1)
	s.w.r.worked.unacked.Add(-1)
	s.w.r.worked.acked.Add(1)
	s.w.mu.Lock()
	s.w.log.Acked = append(s.w.log.Acked, it.seq)
	s.w.mu.Unlock()
}

// later adds a delivery to the batch, and acks the batch once it has count of them.
func (s *session) later(it *item, count int) {
	s.batch.Lock()
	defer s.batch.Unlock()
	s.batch.items = append(s.batch.items, *it)
	if len(s.batch.items) >= count {
		s.flushLocked()
	}
}

// flush acks the batch.
func (s *session) flush() {
	s.batch.Lock()
	defer s.batch.Unlock()
	s.flushLocked()
}

// flushLocked acks the batch; batch is locked. One ack with multiple serves if the
// batch is all deliveries up to its last tag: with one slot, work ends in the order
// of delivery.
func (s *session) flushLocked() {
	items := s.batch.items
	if len(items) == 0 {
		return
	}
	if len(s.w.slots) == 1 && s.w.spec.Ack.Forget == 0 && s.w.spec.Fail == nil {
		if s.ch.Ack(items[len(items)-1].tag, true) == nil {
			for i := range items {
				s.answered(&items[i])
			}
		}
	} else {
		for i := range items {
			s.ack(&items[i])
		}
	}
	s.batch.items = items[:0]
}

// watch cuts the session's work when the channel closes or the run ends. It ends the
// run if the scenario does not close the channel.
func (s *session) watch(closed <-chan *amqp091.Error) {
	select {
	case err := <-closed:
		if err != nil && !s.meant.Load() {
			s.w.r.fatal("worker-lost", fmt.Sprintf("Worker %s was cut off: %v.", s.w.spec.Name, inWords(err)))
		}
	case <-s.w.r.halt:
	}
	s.cutWork()
}

func (s *session) cutWork() { s.cutOnce.Do(func() { close(s.dead) }) }

// end cuts the worker's work and abandons its deliveries. The caller has closed or
// killed the link.
func (s *session) end() {
	s.once.Do(func() {
		w := s.w
		w.mu.Lock()
		if w.sess == s {
			w.sess = nil
		}
		held := w.buffer
		w.buffer = nil
		w.mu.Unlock()
		s.cutWork()
		s.reader.Wait()
		w.r.worked.held.Add(-int64(len(held)))
		w.r.worked.unacked.Add(-s.unacked.Load())
		for i := range held {
			w.abandon(&held[i])
		}
		// Deliveries with smaller tags than these were lost with the connection.
		for _, tag := range slices.Sorted(maps.Keys(s.order.early)) {
			it := s.order.early[tag]
			w.abandon(&it)
		}
	})
}
