package broker

import (
	"sync"
	"sync/atomic"

	"harelab/engine/message"
)

// rowOctets is the memory that a queue takes for a message besides the message itself: its
// row in the state machine and its place in the queue's table.
const rowOctets = 64 + 8

// reportAbove is the change of memory, in octets, up to which a connection keeps the change
// to itself: goroutines contend for the account.
const reportAbove = 4 << 10

// An account compares the memory that messages take with the broker's limit. It counts the
// messages of the whole process from the time when the broker was made, because the limit
// is the process's.
type account struct {
	limit   int64        // octets that the process may take; 0: no limit
	high    int64        // octets of messages from which publishers are blocked
	base    int64        // octets that messages took before
	process atomic.Int64 // octets that the process takes, as Watch was told
	short   atomic.Bool  // the memory alarm is set
	mu      sync.Mutex   // held while the alarm is set or cleared
}

func (a *account) init(limit int64) {
	a.limit, a.high, a.base = limit, limit/10*7, message.Held()
}

// hold accounts for and tracks a new message.
func (op *operation) hold(m *message.Message) *message.Message {
	op.held += int64(m.Size())
	return op.broker.tracker.Track(m)
}

// release removes a reference to a message.
func (op *operation) release(m *message.Message) { op.held -= int64(m.Unref()) }

// report adds what the operation's calls took or freed to the account.
func (op *operation) report() {
	if op.held == 0 {
		return
	}
	sum := message.Hold(op.held)
	op.held = 0
	op.broker.memory.check(op.broker, sum)
}

// check sets or clears the memory alarm, if sum, the octets that messages take, or the
// memory of the process has crossed a limit. Messages clear it at three quarters of what
// sets it, the process at 19 of 20 parts, so that it does not flicker.
func (a *account) check(b *Broker, sum int64) {
	if a.limit == 0 {
		return
	}
	used, process, short := sum-a.base, a.process.Load(), a.short.Load()
	if short && (used >= a.high/4*3 || process >= a.limit/20*19) || !short && used < a.high && process < a.limit {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.short.Load() == short { // nobody was faster
		a.short.Store(!short)
		b.alarms.set(AlarmMemory, !short, "messages", used, "process", process, "limit", a.limit)
	}
}

// Watch tells the broker how many octets of memory the process takes, and how many are
// free on the disk, -1 if that is unknown. A program that sets a limit in [Options] calls
// Watch several times a second. The disk's alarm clears at one and a half times the limit.
func (b *Broker) Watch(process, diskFree int64) {
	b.memory.process.Store(process)
	b.memory.check(b, message.Held())
	b.diskFree.Store(diskFree)
	if diskFree < 0 || b.diskFreeLimit == 0 {
		return
	}
	short := b.Alarms()&AlarmDisk != 0
	if !short && diskFree < b.diskFreeLimit || short && diskFree >= b.diskFreeLimit/2*3 {
		b.alarms.set(AlarmDisk, !short, "free", diskFree, "limit", b.diskFreeLimit)
	}
}

// Resources describes the memory and the disk of a broker. All but Alarms are octets.
type Resources struct {
	Messages      int64 // memory that messages take, with their places in queues
	Process       int64 // memory that the process takes; 0: nobody called Watch
	MemoryLimit   int64 // 0: none
	DiskFree      int64 // -1: unknown
	DiskFreeLimit int64 // 0: none
	Alarms        Alarm
}

// Resources returns the resources as of now.
func (b *Broker) Resources() Resources {
	return Resources{
		Messages:      message.Held() - b.memory.base,
		Process:       b.memory.process.Load(),
		MemoryLimit:   b.memory.limit,
		DiskFree:      b.diskFree.Load(),
		DiskFreeLimit: b.diskFreeLimit,
		Alarms:        b.Alarms(),
	}
}
