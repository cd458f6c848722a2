package dispatch

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A Limiter is a channel-wide prefetch (basic.qos with global set): one limit on
// the unacknowledged messages of all the channel's consumers, whatever their
// queues. It is RabbitMQ's rabbit_limiter. It is the only state that queues share, and
// safe for concurrent use.
type Limiter struct {
	limit atomic.Int64 // number of messages; 0 is no limit
	taken atomic.Int64 // number of unacknowledged messages

	mu       sync.Mutex                 // held by writers of watchers
	watchers atomic.Pointer[[]*channel] // notified when the limit is reached; nil: none
}

// NewLimiter returns a limiter with the given limit; 0 is no limit.
func NewLimiter(limit uint32) *Limiter {
	l := new(Limiter)
	l.SetLimit(limit)
	return l
}

// SetLimit changes the limit; 0 is no limit. Messages already taken still count. The
// caller must run the queues with consumers of this channel afterwards.
func (l *Limiter) SetLimit(limit uint32) {
	l.limit.Store(int64(limit))
	if l.Full() {
		l.notify()
	}
}

// Limit returns the limit; 0 is no limit.
func (l *Limiter) Limit() uint32 { return uint32(l.limit.Load()) }

// Taken returns the number of messages that count against the limit.
func (l *Limiter) Taken() int { return int(l.taken.Load()) }

// Full reports whether TryTake would fail.
func (l *Limiter) Full() bool {
	limit := l.limit.Load()
	return limit != 0 && l.taken.Load() >= limit
}

// TryTake counts one more message and returns true, unless the limit is reached.
func (l *Limiter) TryTake() bool {
	for {
		limit, taken := l.limit.Load(), l.taken.Load()
		if limit != 0 && taken >= limit {
			return false
		}
		if l.taken.CompareAndSwap(taken, taken+1) {
			if l.Full() {
				l.notify()
			}
			return true
		}
	}
}

// Add counts n more messages, whatever the limit. These are messages that were
// delivered before the channel had this limiter.
func (l *Limiter) Add(n int) {
	l.taken.Add(int64(n))
	if l.Full() {
		l.notify()
	}
}

// Put counts n messages less.
func (l *Limiter) Put(n int) { l.taken.Add(int64(-n)) }

func (l *Limiter) watch(ch *channel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var now []*channel
	if old := l.watchers.Load(); old != nil {
		now = slices.Clone(*old)
	}
	now = append(now, ch)
	l.watchers.Store(&now)
}

func (l *Limiter) unwatch(ch *channel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.watchers.Load(); old != nil {
		now := slices.DeleteFunc(slices.Clone(*old), func(o *channel) bool { return o == ch })
		l.watchers.Store(&now)
	}
}

// notify puts the watching channels into the inboxes of their queues.
func (l *Limiter) notify() {
	if watchers := l.watchers.Load(); watchers != nil {
		for _, ch := range *watchers {
			ch.inbox.put(ch)
		}
	}
}
