package amqp

import (
	"context"
	"strconv"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/scenarios"
)

// attemptHeader tells forwarded messages from first ones.
const attemptHeader = "x-harelab-attempt"

// forwarding is what a worker needs to publish a delivery again.
type forwarding struct {
	headers  amqp091.Table
	mode     uint8
	priority uint8
	body     []byte
}

// A verdict is how an attempt ends.
type verdict struct {
	end           verdictEnd
	exchange, key string // forward
	expiration    int64  // forward: milliseconds, 0 is none
	attempt       int
	last          bool // forward: given up
}

type verdictEnd uint8

const (
	succeed verdictEnd = iota
	requeue
	reject
	forward
)

// verdict decides by the scenario's fail policy how work that ended at the
// given run time ends.
func (w *worker) verdict(it *item, ended int64) verdict {
	f := w.spec.Fail
	if f == nil {
		return verdict{}
	}
	v := verdict{attempt: w.r.attempts.next(it.seq)}
	w.mu.Lock()
	defer w.mu.Unlock()
	fails := v.attempt <= f.First
	if to := f.To.Microseconds(); !fails && ended >= f.From.Microseconds() && (to == 0 || ended < to) {
		fails = w.fail.Float64() < f.P
	}
	if !fails {
		return verdict{}
	}
	over := f.MaxAttempts > 0 && v.attempt >= f.MaxAttempts
	switch {
	case over && f.Then != "":
		v.end, v.key, v.last = forward, f.Then, true
	case over, f.Retry == scenarios.RetryFixed:
		v.end = reject
	case f.Retry == scenarios.RetryBackoff:
		n := min(v.attempt, len(f.Backoff.Keys)) - 1
		ms := float64(f.Backoff.Delay[n].Milliseconds()) * (1 + f.Backoff.Jitter*(2*w.fail.Float64()-1))
		v.end, v.exchange, v.key, v.expiration = forward, f.Backoff.Exchange, f.Backoff.Keys[n], max(1, int64(ms))
	default:
		v.end = requeue
	}
	return v
}

// carryOut ends a failed attempt.
func (w *worker) carryOut(it *item, v verdict) {
	s := it.sess
	var err error
	switch v.end {
	case requeue:
		err = s.ch.Nack(it.tag, false, true)
	case reject:
		err = s.ch.Nack(it.tag, false, false)
	case forward:
		if err = w.forward(it, v); err == nil {
			err = s.ch.Ack(it.tag, false)
		}
		if v.last {
			w.r.settle(it.seq, it.queue)
		}
	}
	if err == nil {
		s.unacked.Add(-1)
		w.r.unacked.Add(-1)
	}
}

func (w *worker) forward(it *item, v verdict) error {
	headers := amqp091.Table{attemptHeader: int32(v.attempt)}
	for k, val := range it.body.headers {
		if k != attemptHeader && k != "x-death" {
			headers[k] = val
		}
	}
	p := amqp091.Publishing{Headers: headers, DeliveryMode: it.body.mode, Priority: it.body.priority, Body: it.body.body}
	if v.expiration > 0 {
		p.Expiration = strconv.FormatInt(v.expiration, 10)
	}
	return it.sess.ch.PublishWithContext(context.Background(), v.exchange, v.key, false, false, p)
}
