package dispatch

// A ConsumerID addresses a consumer of a queue: a dense index into its table. It is
// used again when the consumer has left and all its messages are settled.
type ConsumerID uint32

// NoConsumer stands for no consumer: there is none to pick, or a message answers a
// basic.get.
const NoConsumer ConsumerID = 1<<32 - 1

// A Probe looks into a worker, for the selectors that need it (NeedProbe). Only a
// driver that can see the worker provides one, as virtual time can. Without a probe,
// selectors use the table's counts.
//
// A probe's answers may change with each message that the consumer receives or
// settles. If anything else changes them, the probe must be a WatchedProbe. If a worker
// has consumers on several queues, the probe of each may count all its messages: the
// rules speak of a consumer's outstanding messages and of a worker's work, and leave
// this open.
type Probe interface {
	// Outstanding returns the number of messages that the worker was given and has not
	// finished, acknowledged or not.
	Outstanding() int
	// Work returns the work that the worker has left, in microseconds: the time until
	// all its messages are done, summed over its slots. Between events it falls at a
	// steady rate, one microsecond in a microsecond for each slot in use.
	Work(now int64) int64
}

// A WatchedProbe is a Probe that reports the changes of its answers that its queue did
// not cause: the worker finishes a message, starts one, or gets one from another
// queue.
type WatchedProbe interface {
	Probe
	// Watch asks the probe to call changed after each such change, on the goroutine
	// that steps the queue, between steps. The probe may go on calling after the
	// consumer left.
	Watch(changed func())
}

// A Consumer is a row of a queue's table. The queue keeps it up to date. A selector
// reads it and may set Window.
type Consumer struct {
	Priority int32  // x-priority: greater ones go first
	Prefetch uint32 // greatest number of unacknowledged messages; 0 no limit
	Slots    uint32 // number of messages the worker can work on at once; 0 unknown
	Window   uint32 // the selector's own limit on Unacked; 0 none
	Unacked  uint32 // number of messages delivered and not settled
	Excess   uint32 // value of Unacked when Prefetch last changed
	Work     int64  // sum of the costs of its unsettled messages, in microseconds
	Busy     int64  // time of its latest settlement, or of the delivery that ended its idleness; microseconds
	NoAck    bool   // sends no acknowledgements, so it takes no credit
	Paused   bool   // its connection takes no more messages for now
	Limiter  *Limiter
	Probe    Probe

	joined bool
	since  uint64     // rises in subscription order
	aside  uint64     // rises in the order in which consumers were set aside; 0 in play
	next   ConsumerID // next in subscription order
	prev   ConsumerID // previous in subscription order
	peer   ConsumerID // next consumer with the same limiter
}

// Consumers is the table of a queue's consumers.
type Consumers struct {
	rows        []Consumer
	free        []ConsumerID // rows for reuse
	first, last ConsumerID   // in subscription order
	joined      int          // number of consumers
	probes      int          // number of consumers with a probe
	channels    *channels    // nil: no consumer ever had a limiter
	watches     bool         // see WatchLimiters
	joins       uint64       // number of Adds
	asides      uint64       // number of SetAsides
	Log         *AnswerLog   // records or replays the answers of probes and limiters; nil: does neither
}

// NewConsumers returns an empty table.
func NewConsumers() *Consumers { return &Consumers{first: NoConsumer, last: NoConsumer} }

// At returns a row. It stays valid until the next Add.
func (t *Consumers) At(c ConsumerID) *Consumer { return &t.rows[c] }

// Valid reports whether c is a consumer that has joined and not left.
func (t *Consumers) Valid(c ConsumerID) bool { return int(c) < len(t.rows) && t.rows[c].joined }

// Len returns the number of consumers.
func (t *Consumers) Len() int { return t.joined }

// First returns the consumer that subscribed first, or NoConsumer.
func (t *Consumers) First() ConsumerID { return t.first }

// After returns the consumer that subscribed next after c, or NoConsumer.
func (t *Consumers) After(c ConsumerID) ConsumerID { return t.rows[c].next }

// Next returns the ID that Add will return.
func (t *Consumers) Next() ConsumerID {
	if n := len(t.free); n > 0 {
		return t.free[n-1]
	}
	return ConsumerID(len(t.rows))
}

// Add adds a consumer, the last in subscription order.
func (t *Consumers) Add(row Consumer) ConsumerID {
	c := t.Next()
	if n := len(t.free); n > 0 {
		t.free = t.free[:n-1]
	} else {
		t.rows = append(t.rows, Consumer{})
	}
	t.joins++
	row.joined, row.since = true, t.joins
	row.prev, row.next, row.peer = t.last, NoConsumer, NoConsumer
	if t.last == NoConsumer {
		t.first = c
	} else {
		t.rows[t.last].next = c
	}
	t.last = c
	t.joined++
	if row.Probe != nil {
		t.probes++
	}
	if row.Limiter != nil {
		row.peer = t.addPeer(row.Limiter, c)
	}
	t.rows[c] = row
	return c
}

// Share gives c, which may have left, its channel's limiter. The unacknowledged
// messages of c count against it. Share does nothing if c has a limiter.
func (t *Consumers) Share(c ConsumerID, l *Limiter) {
	row := &t.rows[c]
	if row.Limiter != nil {
		return
	}
	row.Limiter = l
	if row.joined {
		row.peer = t.addPeer(l, c)
	}
	l.Add(int(row.Unacked))
}

// Remove removes c. Its row stays until its messages are settled.
func (t *Consumers) Remove(c ConsumerID) {
	row := &t.rows[c]
	if row.prev == NoConsumer {
		t.first = row.next
	} else {
		t.rows[row.prev].next = row.next
	}
	if row.next == NoConsumer {
		t.last = row.prev
	} else {
		t.rows[row.next].prev = row.prev
	}
	if row.Probe != nil {
		t.probes--
	}
	if row.Limiter != nil {
		t.removePeer(row.Limiter, c)
	}
	t.joined--
	row.joined = false
	t.reclaim(c)
}

// Given adds a message of the given cost to c. Take has taken the credit for it.
func (t *Consumers) Given(c ConsumerID, cost, now int64) {
	row := &t.rows[c]
	if row.Unacked == 0 {
		row.Busy = now
	}
	row.Unacked++
	row.Work += cost
}

// Settled removes a message of the given cost from c, and gives its credit back.
func (t *Consumers) Settled(c ConsumerID, cost, now int64) {
	row := &t.rows[c]
	row.Busy = now
	row.Unacked--
	row.Work -= cost
	if row.Limiter != nil {
		row.Limiter.Put(1)
	}
	if !row.joined {
		t.reclaim(c)
	}
}

func (t *Consumers) reclaim(c ConsumerID) {
	if t.rows[c].Unacked == 0 {
		t.rows[c] = Consumer{}
		t.free = append(t.free, c)
	}
}

// Eligible reports whether c may receive a message: it has joined and is not paused;
// its prefetch and its window allow one more, unless it sends no acknowledgements; and
// its channel's limit allows one more. Even a consumer without acknowledgements waits
// while the channel's other consumers use up that limit (RabbitMQ: rabbit_limiter,
// can_send).
func (t *Consumers) Eligible(c ConsumerID) bool {
	row := &t.rows[c]
	if !row.Free() {
		return false
	}
	return row.Limiter == nil || !t.full(row.Limiter)
}

// Free is Eligible, but ignores the channel's limit.
func (row *Consumer) Free() bool {
	if row.Paused || !row.joined {
		return false
	}
	return row.NoAck ||
		(row.Prefetch == 0 || row.Unacked < row.Prefetch) &&
			(row.Window == 0 || row.Unacked < row.Window)
}

// Take reports whether c is eligible. If it is, and sends acknowledgements, Take takes
// one message of its channel's credit. Take may fail after Eligible succeeded, because
// another queue may have taken the last credit.
func (t *Consumers) Take(c ConsumerID) bool {
	row := &t.rows[c]
	if !row.Free() {
		return false
	}
	switch {
	case row.Limiter == nil:
		return true
	case row.NoAck:
		return !t.full(row.Limiter)
	}
	return t.take(row.Limiter)
}

// Restart prepares the table for another selector: no consumer is set aside or has a
// window. The messages that consumers hold count as delivered now, because selectors
// that measure times see them first.
func (t *Consumers) Restart(now int64) {
	t.unwatch()
	for c := range t.rows {
		row := &t.rows[c]
		row.aside, row.Window = 0, 0
		if row.Unacked > 0 {
			row.Busy = now
		}
	}
}

// Recost changes the cost of an unsettled message of c, which may have left.
func (t *Consumers) Recost(c ConsumerID, by int64) { t.rows[c].Work += by }

// SetAside notes that the selector took c out of play because c is not eligible.
func (t *Consumers) SetAside(c ConsumerID) {
	t.asides++
	t.rows[c].aside = t.asides
}

// Aside returns a number that is greater the later c was set aside, or 0 if c is in
// play.
func (t *Consumers) Aside(c ConsumerID) uint64 { return t.rows[c].aside }

// PutBack undoes SetAside.
func (t *Consumers) PutBack(c ConsumerID) { t.rows[c].aside = 0 }

// Probed reports whether any consumer has a probe.
func (t *Consumers) Probed() bool { return t.probes > 0 }

// Limited reports whether any consumer's channel has a limit.
func (t *Consumers) Limited() bool { return t.channels != nil && len(t.channels.of) > 0 }

// Outstanding returns the number of messages that c has not finished, by its probe.
// Without a probe it returns the number that c has not acknowledged.
func (t *Consumers) Outstanding(c ConsumerID) int {
	if p := t.rows[c].Probe; p != nil {
		return int(t.Log.ask(func() int64 { return int64(p.Outstanding()) }))
	}
	return int(t.rows[c].Unacked)
}

// WorkLeft returns the work that c has left in microseconds, by its probe, and the
// rate at which it falls, found by asking the probe twice. Without a probe it returns
// the sum of the costs of the messages that c has not acknowledged.
func (t *Consumers) WorkLeft(c ConsumerID, now int64) (work, rate int64) {
	p := t.rows[c].Probe
	if p == nil {
		return t.rows[c].Work, 0
	}
	work = t.Log.ask(func() int64 { return p.Work(now) })
	return work, work - t.Log.ask(func() int64 { return p.Work(now + 1) })
}

func (t *Consumers) full(l *Limiter) bool {
	if t.Log == nil {
		return l.Full()
	}
	return t.Log.ask(func() int64 { return bit(l.Full()) }) != 0
}

func (t *Consumers) take(l *Limiter) bool {
	if t.Log == nil {
		return l.TryTake()
	}
	return t.Log.ask(func() int64 { return bit(l.TryTake()) }) != 0
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
