package broker

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"

	"harelab/engine/exchange"
	"harelab/engine/message"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// delays holds the messages of an x-delayed-message exchange until their time has come. The
// store keeps those that are persistent, if the exchange is durable, as the entries of a
// queue that has no name: the time of an entry is when the message goes out.
type delays struct {
	exchange *Exchange
	storeID  store.QueueID // 0: the store keeps nothing

	mu      queueMutex
	waiting delayHeap
	added   uint64
	timer   Timer // runs until the first message is due; nil: not running
	closed  bool
}

type delayedMessage struct {
	due int64  // microseconds
	seq uint64 // of messages that are due at the same time the earlier one goes first
	msg *message.Message
}

// add takes over a reference. delay is in milliseconds. If the exchange is deleted, so is
// the message.
func (d *delays) add(op *operation, m *message.Message, delay int64) {
	if m.Persistent() && d.storeID != 0 {
		if err := op.broker.mayStore(true); err != nil {
			op.failed = err
			op.release(m)
			return
		}
	}
	due := op.time() + min(delay, maxDelay)*1000
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		op.release(m)
		return
	}
	if m.Persistent() && d.storeID != 0 {
		id := op.handOver(m)
		op.broker.store.Add(d.storeID, id, store.Entry{ExpiresAt: due})
		op.broker.store.Done(id)
		op.stored = true
	}
	if d.push(m, due); d.waiting[0].msg == m {
		d.arm(op)
	}
}

// maxDelay is the longest delay, in milliseconds: about 49 days, as with RabbitMQ's plugin.
const maxDelay = 1<<32 - 1

// push adds a message. d is locked.
func (d *delays) push(m *message.Message, due int64) {
	d.added++
	heap.Push(&d.waiting, delayedMessage{due, d.added, m})
}

// arm sets the timer for the first message. d is locked.
func (d *delays) arm(op *operation) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if len(d.waiting) > 0 {
		d.timer = op.broker.after(max(d.waiting[0].due-op.time(), 0), d.fire)
	}
}

// fire sends out what is due.
func (d *delays) fire(op *operation) {
	for _, m := range d.take(op) {
		d.send(op, m)
	}
}

// take removes the messages that are due.
func (d *delays) take(op *operation) (due []*message.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.waiting) > 0 && d.waiting[0].due <= op.time() {
		due = append(due, heap.Pop(&d.waiting).(delayedMessage).msg)
	}
	d.arm(op)
	return due
}

// send routes a message as the exchange's inner type does, and puts it into queues. It takes
// over a reference. In the store the entry of the delay goes after the new ones have come.
func (d *delays) send(op *operation, m *message.Message) {
	ttl := int64(-1)
	properties := editProperties(m.Properties(), func(ps *wire.Properties) {
		ps.Headers = slices.Clone(ps.Headers)
		exchange.Delayed(&ps.Headers)
		if n, err := parseExpiration(ps.Expiration); err == nil && ps.Expiration != "" {
			ttl = n
		}
	})
	hidden := op.routeKept(d.exchange, m, properties.Headers())
	queues := slices.Clone(op.queues)
	op.keep(m.Exchange(), m.RoutingKey(), &properties, m.Body(), hidden)
	if len(queues) > 0 {
		op.queues = append(op.queues[:0], queues...)
		op.enqueue(op.hold(message.NewHiding(m.Exchange(), m.RoutingKey(), &properties, m.Body(), hidden)), ttl)
	}
	if m.StoreID() != 0 {
		op.broker.store.Remove(d.storeID, store.MessageID(m.StoreID()))
		op.changed = true
	}
	op.release(m)
}

// close drops what is delayed.
func (d *delays) close(op *operation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, w := range d.waiting {
		op.release(w.msg)
	}
	d.waiting = nil
	d.arm(op)
	if d.storeID != 0 {
		op.broker.store.Drop(d.storeID, 0, store.LastMessage)
		op.changed = true
	}
}

// stop stops the timer, because the broker closes.
func (d *delays) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *delays) each(f func(*message.Message)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.waiting {
		f(w.msg)
	}
}

// stopDelays stops the timers of all exchanges.
func (v *VHost) stopDelays() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for x := range v.allExchanges {
		if x.delays != nil {
			x.delays.stop()
		}
	}
}

// fillDelays reads the delayed messages of all exchanges, and returns what holds them.
func (b *Broker) fillDelays() (all []*delays, err error) {
	r := &recovery{broker: b}
	b.run(func(op *operation) {
		for _, v := range b.VHosts() {
			v.mu.Lock()
			exchanges := v.sortedExchanges()
			v.mu.Unlock()
			for _, x := range exchanges {
				if x.delays == nil || x.delays.storeID == 0 {
					continue
				}
				if err = r.fillDelays(op, x.delays); err != nil {
					err = fmt.Errorf("%s: %w", v.exchangeResource(x.name), err)
					return
				}
				all = append(all, x.delays)
			}
		}
	})
	return all, err
}

func (r *recovery) fillDelays(op *operation, d *delays) error {
	return r.broker.store.Entries(d.storeID, func(id store.MessageID, e store.Entry) error {
		r.broker.messageIDs.passed(uint64(id))
		m, err := r.load(op, id)
		if err != nil {
			return fmt.Errorf("message %d: %w", id, err)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.push(m, e.ExpiresAt)
		return nil
	})
}

// recovered sets the timer for the first time. What came due meanwhile goes out at once.
func (d *delays) recovered(op *operation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.arm(op)
}

// A delayHeap is a heap of messages, the first one due at its root.
type delayHeap []delayedMessage

func (h delayHeap) Len() int      { return len(h) }
func (h delayHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h delayHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].due, h[j].due), cmp.Compare(h[i].seq, h[j].seq)) < 0
}
func (h *delayHeap) Push(x any) { *h = append(*h, x.(delayedMessage)) }
func (h *delayHeap) Pop() any {
	old := *h
	n := len(old) - 1
	x := old[n]
	old[n] = delayedMessage{}
	*h = old[:n]
	return x
}
