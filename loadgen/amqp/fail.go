package amqp

import (
	"context"
	"strconv"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/loadgen"
	"harelab/scenarios"
)

// attemptHeader marks messages that a worker has forwarded.
const attemptHeader = "x-harelab-attempt"

// forwarded holds the parts of a delivery that a worker publishes again.
type forwarded struct {
	headers  amqp091.Table
	mode     uint8
	priority uint8
	body     []byte
}

// carryOut ends a failed attempt.
func (w *worker) carryOut(it *item) {
	switch v := it.verdict; v.End {
	case loadgen.Requeue:
		it.sess.refuse(it, true)
	case loadgen.Reject:
		it.sess.refuse(it, false)
		if !loadgen.DeadLetters(&w.r.s.Queues[it.queue]) {
			w.r.settle(it.seq, it.queue) // the broker discards it
		}
	case loadgen.Forward:
		if it.sess.forward(it, v.To) != nil {
			return // the connection is gone; watch notices it too
		}
		w.ackDone(it)
		if v.To.GiveUp {
			w.r.settle(it.seq, it.queue)
		}
	}
}

// refuse refuses a delivery by the method that its verdict names.
func (s *session) refuse(it *item, requeue bool) {
	err := error(nil)
	if it.verdict.How == scenarios.HowReject {
		err = s.ch.Reject(it.tag, requeue)
	} else {
		err = s.ch.Nack(it.tag, false, requeue)
	}
	if err == nil {
		s.unacked.Add(-1)
		s.w.r.worked.unacked.Add(-1)
	}
}

// forward publishes a delivery again.
func (s *session) forward(it *item, to *loadgen.Forwarding) error {
	headers := amqp091.Table{attemptHeader: it.attempt}
	for k, v := range it.again.headers {
		if k != attemptHeader && k != "x-death" {
			headers[k] = v
		}
	}
	p := amqp091.Publishing{Headers: headers, DeliveryMode: it.again.mode, Priority: it.again.priority, Body: it.again.body}
	if to.Expiration > 0 {
		p.Expiration = strconv.FormatInt(to.Expiration/1000, 10)
	}
	return s.ch.PublishWithContext(context.Background(), to.Exchange, to.RoutingKey, false, false, p)
}
