package dispatch

// A ConsumerID addresses a consumer of a queue: an index into its table, dense,
// and used again once the consumer left and all it held was settled.
type ConsumerID uint32

// NoConsumer is no consumer: nobody to pick, or the receiver of a basic.get.
const NoConsumer ConsumerID = 1<<32 - 1

// A Probe looks into a worker, for the selectors that need it (NeedProbe). Only a
// driver that can see the worker has one, as virtual time can; everybody else goes
// by what the queue knows.
//
// A probe's answers may change with each message that the consumer is given or
// settles; a WatchedProbe has to tell what else changes them. A worker with
// consumers on several queues may count all its messages for each of them: the
// rules speak of a consumer's outstanding messages and of a worker's work, and
// leave it open.
type Probe interface {
	// Outstanding is the number of messages assigned and not finished, whatever
	// was acknowledged.
	Outstanding() int
	// Work is the time in microseconds until the worker is through with all it
	// was given, summed over its slots. While nothing changes it, it falls at a
	// steady rate, that of the slots in use.
	Work(now int64) int64
}

// A WatchedProbe is a Probe that tells when its answers change by something
// other than its queue: the worker finishes a message, or starts one, or gets
// one from another queue.
type WatchedProbe interface {
	Probe
	// Watch has the probe call changed after each such change, for as long as it
	// likes. The caller is the goroutine that steps the queue, but not within a
	// step.
	Watch(changed func())
}

// A Consumer is a row of a queue's table. The queue keeps it up to date; a selector
// reads it and may set Window.
type Consumer struct {
	Priority int32  // x-priority: greater ones go first
	Prefetch uint32 // unacknowledged messages at most; 0 no limit
	Slots    uint32 // messages the worker can work on at once; 0 unknown
	Window   uint32 // the selector's own limit on Unacked; 0 none
	Unacked  uint32 // messages with this consumer
	Excess   uint32 // of those, as many as there were when Prefetch was changed last
	Work     int64  // sum of their costs in microseconds
	Busy     int64  // microseconds: since its latest settlement, or since it had none to settle
	NoAck    bool   // needs no acknowledgements, so it takes no credit
	Paused   bool   // its connection takes nothing more for now
	Limiter  *Limiter
	Probe    Probe

	joined bool
	since  uint64 // subscription order
	aside  uint64 // when the selector set it aside; 0 in play
	next   ConsumerID
	prev   ConsumerID // neighbours in subscription order
	peer   ConsumerID // next consumer with the same limiter
}

// Consumers is the table of a queue's consumers.
type Consumers struct {
	rows        []Consumer
	free        []ConsumerID
	first, last ConsumerID // in subscription order
	joined      int
	probes      int       // joined consumers with a probe
	channels    *channels // nil: no consumer ever had a limiter
	watches     bool      // see WatchLimiters
	joins       uint64
	asides      uint64
	Log         *AnswerLog // non-nil: what was asked of probes and limiters is recorded or replayed
}

// NewConsumers returns an empty table.
func NewConsumers() *Consumers { return &Consumers{first: NoConsumer, last: NoConsumer} }

// At returns a row. It stays valid until the next Add.
func (t *Consumers) At(c ConsumerID) *Consumer { return &t.rows[c] }

// Valid reports whether c is a consumer that has joined and not left.
func (t *Consumers) Valid(c ConsumerID) bool { return int(c) < len(t.rows) && t.rows[c].joined }

// Len is the number of consumers.
func (t *Consumers) Len() int { return t.joined }

// First is the consumer that subscribed first, or NoConsumer.
func (t *Consumers) First() ConsumerID { return t.first }

// After is the consumer that subscribed next after c, or NoConsumer.
func (t *Consumers) After(c ConsumerID) ConsumerID { return t.rows[c].next }

// Next is the ID that Add will give.
func (t *Consumers) Next() ConsumerID {
	if n := len(t.free); n > 0 {
		return t.free[n-1]
	}
	return ConsumerID(len(t.rows))
}

// Add takes in a consumer, last in subscription order.
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

// Share has c, which may have left, draw on its channel's limiter from now on; what it
// has not acknowledged counts. It does nothing to a consumer that has a limiter.
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

// Remove takes c out. Its row stays until what it holds is settled.
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

// Given books a message of the given cost with c, whose credit Take took.
func (t *Consumers) Given(c ConsumerID, cost, now int64) {
	row := &t.rows[c]
	if row.Unacked == 0 {
		row.Busy = now
	}
	row.Unacked++
	row.Work += cost
}

// Settled books that a message of the given cost is with c no more.
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

// Eligible reports whether c may be given a message: it is there and not
// paused, its prefetch and its window allow one more, unless it needs no
// acknowledgements, and its channel's limit allows one more. Even a consumer
// without acknowledgements waits for the channel's limit, which the messages of the
// channel's other consumers reach (RabbitMQ: rabbit_limiter, can_send).
func (t *Consumers) Eligible(c ConsumerID) bool {
	row := &t.rows[c]
	if !row.Free() {
		return false
	}
	return row.Limiter == nil || !t.full(row.Limiter)
}

// Free is Eligible without the channel's limit.
func (row *Consumer) Free() bool {
	if row.Paused || !row.joined {
		return false
	}
	return row.NoAck ||
		(row.Prefetch == 0 || row.Unacked < row.Prefetch) &&
			(row.Window == 0 || row.Unacked < row.Window)
}

// Take reports whether c is eligible and, if so, takes one of its channel's
// credit if it needs acknowledgements. Other queues may have taken the last in
// the meantime.
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

// SetAside notes that the selector took c out of play, as it is not eligible.
func (t *Consumers) SetAside(c ConsumerID) {
	t.asides++
	t.rows[c].aside = t.asides
}

// Aside returns when c was set aside, as a rising number, or 0.
func (t *Consumers) Aside(c ConsumerID) uint64 { return t.rows[c].aside }

// PutBack clears what SetAside noted.
func (t *Consumers) PutBack(c ConsumerID) { t.rows[c].aside = 0 }

// Probed reports whether any consumer has a probe.
func (t *Consumers) Probed() bool { return t.probes > 0 }

// Limited reports whether any consumer's channel has a limit.
func (t *Consumers) Limited() bool { return t.channels != nil && len(t.channels.of) > 0 }

// Outstanding is the number of messages c has not finished: by its probe, or
// else those it has not acknowledged.
func (t *Consumers) Outstanding(c ConsumerID) int {
	if p := t.rows[c].Probe; p != nil {
		return int(t.Log.ask(func() int64 { return int64(p.Outstanding()) }))
	}
	return int(t.rows[c].Unacked)
}

// WorkLeft is the work c has left in microseconds: by its probe, or else the
// sum of the costs of what it has not acknowledged. It falls by rate in each
// microsecond, which asking the probe twice shows.
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
