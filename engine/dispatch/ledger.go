package dispatch

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A Ledger is a channel-wide prefetch (basic.qos with global set): one limit on
// the unacknowledged messages of all the channel's consumers, whatever their
// queues. It is the only state that queues share, and safe for concurrent use.
type Ledger struct {
	limit atomic.Int64 // 0: none
	taken atomic.Int64

	mu       sync.Mutex                 // of those who change watchers
	watchers atomic.Pointer[[]*channel] // told when the limit is reached; nil: nobody
}

// NewLedger returns a ledger with the given limit; 0 is no limit.
func NewLedger(limit uint32) *Ledger {
	l := new(Ledger)
	l.SetLimit(limit)
	return l
}

// SetLimit changes the limit; 0 is no limit. What is taken stays taken. Queues
// with consumers of this channel have to be run afterwards.
func (l *Ledger) SetLimit(limit uint32) {
	l.limit.Store(int64(limit))
	if l.Full() {
		l.tell()
	}
}

// Limit returns the limit; 0 is no limit.
func (l *Ledger) Limit() uint32 { return uint32(l.limit.Load()) }

// Taken returns how much is taken.
func (l *Ledger) Taken() int { return int(l.taken.Load()) }

// Full reports whether TryTake would fail.
func (l *Ledger) Full() bool {
	limit := l.limit.Load()
	return limit != 0 && l.taken.Load() >= limit
}

// TryTake takes one, unless the limit is reached.
func (l *Ledger) TryTake() bool {
	for {
		limit, taken := l.limit.Load(), l.taken.Load()
		if limit != 0 && taken >= limit {
			return false
		}
		if l.taken.CompareAndSwap(taken, taken+1) {
			if l.Full() {
				l.tell()
			}
			return true
		}
	}
}

// Add takes n, whatever the limit: what was given away before the ledger was kept.
func (l *Ledger) Add(n int) {
	l.taken.Add(int64(n))
	if l.Full() {
		l.tell()
	}
}

// Put gives n back.
func (l *Ledger) Put(n int) { l.taken.Add(int64(-n)) }

func (l *Ledger) watch(ch *channel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var now []*channel
	if old := l.watchers.Load(); old != nil {
		now = slices.Clone(*old)
	}
	now = append(now, ch)
	l.watchers.Store(&now)
}

func (l *Ledger) unwatch(ch *channel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.watchers.Load(); old != nil {
		now := slices.DeleteFunc(slices.Clone(*old), func(o *channel) bool { return o == ch })
		l.watchers.Store(&now)
	}
}

func (l *Ledger) tell() {
	if watchers := l.watchers.Load(); watchers != nil {
		for _, ch := range *watchers {
			ch.inbox.put(ch)
		}
	}
}
