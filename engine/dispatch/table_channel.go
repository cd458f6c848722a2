package dispatch

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// A channel lists the consumers of a table that share one limiter.
type channel struct {
	inbox *inbox     // of the table
	first ConsumerID // the list's head; linked by Consumer.peer
	waits bool       // in the inbox; guarded by its lock
}

// channels are the channels of one table.
type channels struct {
	of     map[*Limiter]*channel
	inbox  inbox
	firsts []ConsumerID // scratch: the first consumers of the channels that filled up
	filled []ConsumerID // the latest result of Filled
}

// An inbox collects the channels whose limiters filled up. Limiters add to it from any
// goroutine, and the queue reads it when it next chooses a consumer.
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

// take empties the inbox. It appends to dst the first consumer of each channel that
// filled up, or NoConsumer if the channel's consumers left.
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

// WatchLimiters makes Filled report the limiters of the consumers. A selector calls it
// when it is made, if it keeps a list of the eligible consumers.
func (t *Consumers) WatchLimiters() {
	t.watches = true
	t.eachChannel(func(l *Limiter, ch *channel) { l.watch(ch) })
}

// eachChannel calls f for each channel once, in an order that depends on the consumers
// alone.
func (t *Consumers) eachChannel(f func(*Limiter, *channel)) {
	if !t.Limited() {
		return
	}
	for c := t.first; c != NoConsumer; c = t.rows[c].next {
		if l := t.rows[c].Limiter; l != nil && t.channels.of[l].first == c {
			f(l, t.channels.of[l])
		}
	}
}

// Filled returns, in subscription order, the consumers whose limiters filled up
// since the last call. They may have credit again by now. The result is valid until
// the next call. O(k log k) for k consumers returned.
func (t *Consumers) Filled() []ConsumerID {
	if !t.Limited() {
		return nil
	}
	k := t.channels
	k.firsts = k.inbox.take(k.firsts[:0])
	k.filled = k.filled[:0]
	for _, c := range t.Log.consumers(k.firsts) {
		if !t.Valid(c) { // the consumers left; and a replayed log may hold any number
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

// unwatch ends the reports of Filled.
func (t *Consumers) unwatch() {
	if !t.watches {
		return
	}
	t.watches = false
	t.eachChannel(func(l *Limiter, ch *channel) { l.unwatch(ch) })
	t.channels.discard()
}

// discard empties the inbox.
func (k *channels) discard() {
	if k != nil {
		k.firsts = k.inbox.take(k.firsts[:0])
	}
}

// Peer returns the first of the consumers that have limiter l, or NoConsumer.
// PeerAfter returns the following ones.
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
