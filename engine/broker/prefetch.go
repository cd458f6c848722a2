package broker

import (
	"harelab/engine/dispatch"
	"harelab/engine/dispatch/rng"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// A PrefetchSpec limits the number of unsettled messages. The zero value is no limit.
type PrefetchSpec struct {
	Count  uint32 // messages
	Size   uint32 // octets; not supported, must be 0
	Global bool   // one limit for the whole channel instead of one for each new consumer
}

// SetPrefetch sets the prefetch of new consumers or, with Global, of the whole channel.
//
// As in RabbitMQ, a limit that is set on a channel without one counts all unsettled
// messages of the channel, including those of basic.get. From then on it counts only
// messages of consumers. Setting the prefetch of new consumers removes the channel's
// limit. Unlike in RabbitMQ, settling a counted message of basic.get frees its credit.
//
// Errors: 540 for a Size.
func (ch *Channel) SetPrefetch(spec PrefetchSpec) error {
	if spec.Size != 0 {
		return refuse(wire.NotImplemented, "prefetch_size!=0 (%d)", spec.Size)
	}
	if spec.Global {
		ch.limit(spec.Count)
		return nil
	}
	ch.prefetch = spec.Count
	ch.limit(0)
	return nil
}

// limit sets the prefetch of the whole channel and runs its queues.
func (ch *Channel) limit(n uint32) {
	if ch.limiter == nil && n == 0 {
		return
	}
	op := ch.begin()
	if ch.limiter == nil {
		ch.limiter = dispatch.NewLimiter(0)
		if ch.draws == nil {
			ch.draws = ch.newDraws()
		}
		ch.shareLimiter(op)
	}
	switch was := ch.limiter.Limit(); {
	case was == 0 && n > 0:
		ch.countGets(true)
	case was > 0 && n == 0:
		ch.countGets(false)
	}
	ch.limiter.SetLimit(n)
	ch.finish(op, queue.Ack, nil)
	op.end()
}

// newDraws returns the channel's own generator, seeded from the broker's seed and the
// channel's place in the order of opening.
func (ch *Channel) newDraws() *rng.SplitMix64 {
	seed := rng.New(ch.vhost.broker.seed)
	r := rng.New(seed.Uint64() + ch.conn.seq<<16 + ch.seq)
	return &r
}

// shareLimiter puts the channel's consumers under its limiter, and the unsettled messages
// of consumers that have left.
func (ch *Channel) shareLimiter(op *operation) {
	ch.mu.Lock()
	consumers := append([]*Consumer(nil), ch.ordered...)
	op.settled = op.settled[:0]
	for i := range ch.unacked.n {
		if e := ch.unacked.entry(i); e.queue != nil && !e.byGet && !e.queue.settings.Load().Quorum {
			op.settled = append(op.settled, *e)
		}
	}
	ch.mu.Unlock()
	for _, c := range consumers {
		if c.queue.settings.Load().Quorum {
			continue
		}
		c.queue.event(op, queue.Event{Kind: queue.Share, Hold: true, Limiter: ch.limiter, Consumer: c.id})
	}
	op.eachQueue(op.settled, func(q *Queue, refs []dispatch.Ref) {
		q.event(op, queue.Event{Kind: queue.Share, Hold: true, Limiter: ch.limiter, Consumer: dispatch.NoConsumer, Refs: refs})
	})
}

// countGets adds the channel's unsettled messages of basic.get to its limiter, or removes
// those that it added.
func (ch *Channel) countGets(counts bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	count := func(u *unsettled) {
		switch {
		case u.queue == nil || !u.byGet || u.counted == counts:
		case counts:
			u.counted = true
			ch.limiter.Add(1)
		default:
			ch.uncount(u)
		}
	}
	for i := range ch.unacked.n {
		count(ch.unacked.entry(i))
	}
	if !counts {
		for i := range ch.tx.settled {
			count(&ch.tx.settled[i].unsettled)
		}
	}
}

// uncount returns a message's credit to the limiter, if countGets took it.
func (ch *Channel) uncount(u *unsettled) {
	if u.counted {
		u.counted = false
		ch.limiter.Put(1)
	}
}
