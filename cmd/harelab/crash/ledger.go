package crash

import (
	"fmt"
	"slices"
	"sync"
)

// An ID identifies a message: its publisher, and its number from 1 among that publisher's.
type ID struct{ Publisher, Number int }

func (id ID) String() string {
	return fmt.Sprintf("message %d of publisher %d", id.Number, id.Publisher)
}

// A Settlement is what a consumer said about a delivery.
type Settlement int

// The settlements that end a message's stay in its queue.
const (
	Acked    Settlement = iota // basic.ack
	Rejected                   // basic.reject or basic.nack without requeue
)

// A Ledger is the record of what clients and broker said. Any number of goroutines may
// use it.
type Ledger struct {
	queues map[string]Queue

	mu       sync.Mutex
	life     int // number of the broker's lives so far
	messages map[ID]*message
	finished map[int]int // by publisher: up to this number nothing may be delivered any more
	total    Totals
}

// message is what the ledger knows of a message.
type message struct {
	priority  uint8
	confirmed bool
	delivered bool
	copies    map[string]*passage // by queue
}

// A passage is the stay of a message in a queue.
type passage struct {
	due       bool // the message was routed to the queue
	unflagged int  // deliveries without the redelivered flag
	lastLife  int  // life of the last delivery; 0: none
	settled   [2]int
}

// Totals count messages, or deliveries, and list what must not be.
type Totals struct {
	Attempted    int // messages published
	Acknowledged int // confirmed
	Refused      int // nacked
	Recovered    int // not confirmed, and kept nevertheless, as a broker may
	Deliveries   int
	Flagged      int      // deliveries with the redelivered flag
	Twice        int      // dead letters that came twice, as they may after a crash
	Lost         []string // confirmed, and never delivered, or never again after a crash
	Unflagged    []string // delivered again without the redelivered flag
	Resurrected  []string // delivered although their settlement was durable
	Unexpected   []string // in a queue that they were not routed to, or unknown
	Disordered   []string // delivered for the first time after a later one of their publisher
}

// Faults returns what must not be, in words.
func (t *Totals) Faults() []string {
	return slices.Concat(t.Lost, t.Unflagged, t.Resurrected, t.Unexpected, t.Disordered)
}

// NewLedger returns a ledger for the queues that have consumers.
func NewLedger(queues []Queue) *Ledger {
	l := &Ledger{queues: make(map[string]Queue), life: 1, messages: make(map[ID]*message), finished: make(map[int]int)}
	for _, q := range queues {
		l.queues[q.Name] = q
	}
	return l
}

// Attempt notes that a message is about to be published.
func (l *Ledger) Attempt(id ID, to Route) {
	m := &message{priority: to.Priority, copies: make(map[string]*passage, len(to.To))}
	for _, q := range to.To {
		m.copies[q] = &passage{due: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages[id] = m
	l.total.Attempted++
}

// Confirm notes that the broker confirmed a message.
func (l *Ledger) Confirm(id ID, ack bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ack {
		l.total.Refused++
		return
	}
	l.total.Acknowledged++
	l.messages[id].confirmed = true
}

// Crash notes that a life of the broker has ended, and that all clients know.
func (l *Ledger) Crash() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.life++
}

// A Reader is one consumer's view: the order of the deliveries on one channel. One
// goroutine at a time uses it.
type Reader struct {
	ledger *Ledger
	alone  bool // it is the only consumer, and requeues nothing: all deliveries are in order
	last   map[stream]int
}

// A stream is a sequence of messages that are delivered in order.
type stream struct {
	queue     string
	publisher int
	priority  uint8
}

// Reader returns a view for a new channel. alone says that no other consumer has taken
// anything from the queues in this life of the broker.
func (l *Ledger) Reader(alone bool) *Reader {
	return &Reader{ledger: l, alone: alone, last: make(map[stream]int)}
}

// Deliver notes a delivery.
func (r *Reader) Deliver(queue string, id ID, redelivered bool) {
	l := r.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &l.total
	t.Deliveries++
	if redelivered {
		t.Flagged++
	}
	if id.Number <= l.finished[id.Publisher] {
		t.Resurrected = append(t.Resurrected, fmt.Sprintf("%v came back from %s, redelivered %t", id, queue, redelivered))
		return
	}
	m := l.messages[id]
	if m == nil {
		t.Unexpected = append(t.Unexpected, fmt.Sprintf("%v in %s was never published", id, queue))
		return
	}
	p := l.passage(m, queue)
	if p == nil {
		t.Unexpected = append(t.Unexpected, fmt.Sprintf("%v in %s, to which it was not routed", id, queue))
		return
	}
	m.delivered = true
	l.checkFlag(id, queue, p, redelivered)
	p.lastLife = l.life
	if l.queues[queue].Derived || redelivered && !r.alone {
		return
	}
	s := stream{queue: queue, publisher: id.Publisher}
	if l.queues[queue].Priorities {
		s.priority = m.priority
	}
	if before := r.last[s]; before > id.Number {
		t.Disordered = append(t.Disordered, fmt.Sprintf("%v came from %s after number %d, redelivered %t", id, queue, before, redelivered))
	}
	r.last[s] = max(r.last[s], id.Number)
}

// passage returns the message's stay in a queue that it may be in, or nil.
func (l *Ledger) passage(m *message, queue string) *passage {
	if p := m.copies[queue]; p != nil {
		return p
	}
	for from, p := range m.copies {
		if l.queues[from].DeadLetter == queue && p.settled[Rejected] > 0 {
			m.copies[queue] = new(passage)
			return m.copies[queue]
		}
	}
	return nil
}

// checkFlag checks that only a first delivery is not flagged. It compares lives and counts,
// not the order in which consumers tell the ledger.
func (l *Ledger) checkFlag(id ID, queue string, p *passage, redelivered bool) {
	if redelivered {
		return
	}
	p.unflagged++
	if p.unflagged == 1 && (p.lastLife == 0 || p.lastLife == l.life) {
		return
	}
	if l.queues[queue].Derived {
		l.total.Twice++
		return
	}
	l.total.Unflagged = append(l.total.Unflagged, fmt.Sprintf("%v came from %s again, in life %d after life %d", id, queue, l.life, p.lastLife))
}

// Settle notes that a consumer is about to settle a delivery.
func (l *Ledger) Settle(queue string, id ID, how Settlement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.messages[id]; m != nil && m.copies[queue] != nil {
		m.copies[queue].settled[how]++
	}
}

// Finish checks all messages after the queues were drained and the settlements are known to
// be durable, and forgets them: none may be delivered again.
func (l *Ledger) Finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, m := range l.messages {
		l.finish(id, m)
		l.finished[id.Publisher] = max(l.finished[id.Publisher], id.Number)
	}
	clear(l.messages)
}

func (l *Ledger) finish(id ID, m *message) {
	t := &l.total
	if !m.confirmed {
		if m.delivered {
			t.Recovered++
		}
		return
	}
	for queue, p := range m.copies {
		acked, rejected := p.settled[Acked], p.settled[Rejected]
		to := l.queues[queue].DeadLetter
		switch {
		case p.due && acked+rejected == 0 && p.lastLife == 0:
			t.Lost = append(t.Lost, fmt.Sprintf("%v was never delivered from %s", id, queue))
		case p.due && acked+rejected == 0:
			t.Lost = append(t.Lost, fmt.Sprintf("%v did not come again from %s after life %d", id, queue, p.lastLife))
		case to != "" && rejected > 0 && acked == 0 && (m.copies[to] == nil || m.copies[to].settled[Acked] == 0):
			t.Lost = append(t.Lost, fmt.Sprintf("%v was rejected from %s and is not in %s", id, queue, to))
		}
	}
}

// Totals returns the counts so far.
func (l *Ledger) Totals() Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}
