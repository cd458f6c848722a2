package dispatch

import "sync/atomic"

// A Ledger is a channel-wide prefetch (basic.qos with global set): one limit on
// the unacknowledged messages of all the channel's consumers, whatever their
// queues. It is the only state that queues share, and safe for concurrent use.
type Ledger struct {
	limit atomic.Int64 // 0: none
	taken atomic.Int64
}

// NewLedger returns a ledger with the given limit; 0 is no limit.
func NewLedger(limit uint32) *Ledger {
	l := new(Ledger)
	l.SetLimit(limit)
	return l
}

// SetLimit changes the limit; 0 is no limit. What is taken stays taken. Queues
// with consumers of this channel have to be run afterwards.
func (l *Ledger) SetLimit(limit uint32) { l.limit.Store(int64(limit)) }

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
			return true
		}
	}
}

// Put gives n back.
func (l *Ledger) Put(n int) { l.taken.Add(int64(-n)) }
