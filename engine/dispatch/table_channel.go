package dispatch

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// A channel is the consumers of a table that have one limiter.
type channel struct {
	inbox *inbox
	first ConsumerID // linked by peer
	waits bool       // in the inbox, whose lock it is under
}

// channels is what a table keeps of them.
type channels struct {
	of     map[*Limiter]*channel
	inbox  inbox
	firsts []ConsumerID // of the channels that filled up
	filled []ConsumerID // what Filled returned
}

// An inbox is where limiters, from whatever goroutine, tell a queue's table that
// they filled up. The queue reads it when it next looks for a consumer.
type inbox struct {
	any    atomic.Bool
	mu     sync.Mutex
	filled []*channel
}

func (b *inbox) put(ch *channel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !ch.waits {
		ch.waits = true
		b.filled = append(b.filled, ch)
		b.any.Store(true)
	}
}

// take appends to dst the first consumer of each channel that filled up, which
// is NoConsumer if they left.
func (b *inbox) take(dst []ConsumerID) []ConsumerID {
	if !b.any.Load() {
		return dst
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range b.filled {
		ch.waits = false
		dst = append(dst, ch.first)
	}
	b.filled = b.filled[:0]
	b.any.Store(false)
	return dst
}

// WatchLimiters has Filled report the limiters of consumers to come. A selector that
// has to know at any time who is eligible asks for it.
func (t *Consumers) WatchLimiters() { t.watches = true }

// Filled returns, in subscription order, the consumers whose limiters filled up
// since the last call; they may have credit again. The list is valid until the
// next call. O(k log k) for k consumers returned.
func (t *Consumers) Filled() []ConsumerID {
	if !t.Limited() {
		return nil
	}
	k := t.channels
	k.firsts = k.inbox.take(k.firsts[:0])
	k.filled = k.filled[:0]
	for _, c := range t.Log.consumers(k.firsts) {
		if !t.Valid(c) { // they left; or a replayed log, which may say anything
			continue
		}
		for ; c != NoConsumer; c = t.rows[c].peer {
			k.filled = append(k.filled, c)
		}
	}
	if len(k.filled) > 1 {
		slices.SortFunc(k.filled, func(a, b ConsumerID) int { return cmp.Compare(t.rows[a].since, t.rows[b].since) })
	}
	return k.filled
}

// Peer returns the first consumer of a channel, by its limiter, or NoConsumer;
// PeerAfter the following ones.
func (t *Consumers) Peer(l *Limiter) ConsumerID {
	if t.channels != nil {
		if ch := t.channels.of[l]; ch != nil {
			return ch.first
		}
	}
	return NoConsumer
}

// PeerAfter returns the consumer after c with the same limiter, or NoConsumer.
func (t *Consumers) PeerAfter(c ConsumerID) ConsumerID { return t.rows[c].peer }

func (t *Consumers) addPeer(l *Limiter, c ConsumerID) (next ConsumerID) {
	if t.channels == nil {
		t.channels = &channels{of: make(map[*Limiter]*channel)}
	}
	ch := t.channels.of[l]
	if ch == nil {
		ch = &channel{inbox: &t.channels.inbox, first: NoConsumer}
		t.channels.of[l] = ch
		if t.watches {
			l.watch(ch)
		}
	}
	next = ch.first
	ch.first = c
	return next
}

func (t *Consumers) removePeer(l *Limiter, c ConsumerID) {
	ch := t.channels.of[l]
	link := &ch.first
	for *link != c {
		link = &t.rows[*link].peer
	}
	*link = t.rows[c].peer
	if ch.first == NoConsumer {
		delete(t.channels.of, l)
		l.unwatch(ch)
	}
}
