package broker

import (
	"harelab/engine/dispatch"
	"harelab/engine/dispatch/rng"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// A PrefetchSpec says how many messages may be unsettled, 0 for no limit.
type PrefetchSpec struct {
	Count  uint32 // messages
	Size   uint32 // octets; refused unless 0
	Global bool   // for the whole channel, not for each consumer to come
}

// SetPrefetch sets the prefetch of consumers to come or, Global, of the whole channel.
// As in RabbitMQ, a limit for the channel counts all it has not settled when there was
// none before, messages that it got included, and from then on what its consumers get;
// and a prefetch for consumers to come takes it away. Unlike there, a message that was
// got and counted counts no more once it is settled.
//
// Errors: 540 for a size.
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

// newDraws returns a generator that follows from the broker's seed, another one for
// each channel.
func (ch *Channel) newDraws() *rng.SplitMix64 {
	seed := rng.New(ch.vhost.broker.seed)
	r := rng.New(seed.Uint64() + ch.conn.seq<<16 + ch.seq)
	return &r
}

// shareLimiter brings the consumers that the channel has, and those that left and whose
// messages are not settled, under its limit.
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

// countGotten has what the channel got and did not settle count against its limit, or
// not any more.
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

// uncount gives back to the limiter what the channel counted for a message.
func (ch *Channel) uncount(u *unsettled) {
	if u.counted {
		u.counted = false
		ch.limiter.Put(1)
	}
}
