package broker

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"harelab/engine/message"
	"harelab/engine/store"
)

// A pager keeps the octets of ready messages in a store instead of memory, once messages
// take more than a budget. Those of persistent messages in durable queues are in the
// broker's store anyway; others go to a spill store, which is empty at the start and need
// not be synced.
//
// Queues decide without the octets: a row of the state machine has all that a decision
// needs. What is done with a decision needs them, and waits for them while no lock is held:
//
//   - Before its consumers ask, a goroutine of the queue reads ahead in the order in which
//     messages came, by priority if that is the queue's order.
//   - A delivery whose octets are not there yet waits in its consumer's list, and so do the
//     later deliveries of that consumer, so that their order stays. The consumer is paused
//     meanwhile, and its tags are given when the Sink gets the messages.
//   - basic.get and dead letters read for themselves, after the queue is unlocked.
//   - Expiry without dead-lettering, purges and overflow need no octets.
//
// Once the Sink has it, a message that was read is dropped again; a redelivery reads it
// again.
type pager struct {
	budget int64       // octets that messages take in this process before they are paged out
	base   int64       // octets that they took before the broker
	main   store.Store // the broker's store; nil: none
	spill  store.Store // nil: transient messages stay in memory
	lastID atomic.Uint64
	queues atomic.Uint64 // number of queues that have spilled

	mu      sync.Mutex
	closed  bool
	readers sync.WaitGroup // goroutines that read ahead
	reading chan struct{}  // a place for each goroutine that may read at a time
}

// maxReaders is the number of queues that read at a time. What they read at once is
// memory too.
const maxReaders = 16

// newPager returns nil if there is nothing to page with, or if a tracer wants to see every
// message.
func newPager(o *Options, base int64, spill store.Observer) *pager {
	if o.PageAbove <= 0 || o.Store == nil && o.Spill == nil || o.Tracer != nil {
		return nil
	}
	if o.Spill != nil {
		o.Spill.Start(spill)
	}
	return &pager{budget: o.PageAbove, base: base, main: o.Store, spill: o.Spill, reading: make(chan struct{}, maxReaders)}
}

// A spillObserver logs the failure of the spill store.
type spillObserver struct{ logger *slog.Logger }

func (spillObserver) Completed(store.Round) {}

func (o spillObserver) Failed(err error) {
	o.logger.Error("the spill store has failed: transient messages stay in memory", "error", err)
}

// page decides whether a message that is about to be enqueued is paged out. If a queue
// needs that, it hands the octets over to the spill store.
func (op *operation) page(p *pager, m *message.Message, stored bool) {
	op.paging, op.spillID = p.over(op), 0
	if op.paging && p.spilling() && !(stored && op.allStored()) {
		op.spillID = p.handOver(op, m)
	}
}

// over reports whether messages take more than the budget.
func (p *pager) over(op *operation) bool { return message.Held()+op.held-p.base > p.budget }

// spilling reports whether transient messages can be paged out.
func (p *pager) spilling() bool { return p.spill != nil && p.spill.Failed() == nil }

// begin reports whether a goroutine may be started to read. It calls p.readers.Done when it
// ends.
func (p *pager) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.readers.Add(1)
	return true
}

// close ends the goroutines that read. A nil pager has none.
func (p *pager) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.readers.Wait()
}

// A stub says where the octets of a message are besides memory: an identity in the main
// store, or in the spill store. 0: nowhere.
type stub uint64

const (
	stubSpilled stub = 1 << iota // in the spill store
	stubAhead                    // the octets were read ahead, and the message is ready since
	stubShift   = iota
)

func stubOf(id store.MessageID, flags stub) stub { return stub(id)<<stubShift | flags }

func (s stub) id() store.MessageID { return store.MessageID(s >> stubShift) }

func (s stub) spilled() bool { return s&stubSpilled != 0 }

// read reads a message that was paged out. The caller releases it. No lock is held.
func (p *pager) read(op *operation, s stub) (m *message.Message, err error) {
	from := p.main
	if s.spilled() {
		from = p.spill
	}
	if op.octets, err = from.Load(s.id(), op.octets[:0]); err != nil {
		return nil, err
	}
	if m, err = message.Decode(op.octets); err != nil {
		return nil, err
	}
	if !s.spilled() {
		m.SetStoreID(uint64(s.id()))
	}
	return op.hold(m), nil
}

// handOver gives a message's octets to the spill store, before any queue holds the message.
func (p *pager) handOver(op *operation, m *message.Message) store.MessageID {
	id := store.MessageID(p.lastID.Add(1))
	op.octets = m.AppendHead(op.octets[:0])
	p.spill.Message(id, op.octets, m.Octets())
	op.spilled = true
	return id
}
