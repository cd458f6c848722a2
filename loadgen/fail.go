package loadgen

import (
	"fmt"
	"math/rand/v2"

	"harelab/scenarios"
)

// A Verdict is how an attempt at a message ends. The zero value is success.
type Verdict struct {
	End Ending
	How string      // with Requeue and Reject: scenarios.HowNack or HowReject
	To  *Forwarding // with Forward
}

// An Ending is what a worker does when its work is done.
type Ending uint8

// The endings.
const (
	Succeed Ending = iota // ack the delivery in the worker's ack mode
	Requeue               // return the delivery to its queue
	Reject                // refuse the delivery for good: it is dead-lettered or dropped
	Forward               // publish the message elsewhere, then ack the delivery
)

// A Forwarding is where a worker publishes a failed message again.
type Forwarding struct {
	Exchange, RoutingKey string
	Expiration           int64 // TTL in microseconds, whole milliseconds; 0: none
	GiveUp               bool  // workers do not try the message again
}

// Refuses reports whether the delivery is nacked or rejected.
func (v Verdict) Refuses() bool { return v.End == Requeue || v.End == Reject }

// A FailPolicy decides which attempts of one worker fail and how their messages are
// tried again. It draws from the worker's own stream of the seed, so its decisions
// depend on the order in which the worker starts work and on nothing else.
//
// A FailPolicy belongs to one goroutine at a time.
type FailPolicy struct {
	spec     *scenarios.Fail
	from, to int64 // microseconds of run time; to 0: no end
	timeout  int64 // microseconds; 0: none
	draw     *rand.Rand
}

// NewFailPolicy returns the policy of a worker, or nil if the worker never fails.
// The error names a value that is not allowed.
func NewFailPolicy(s *scenarios.Scenario, w *scenarios.Worker) (*FailPolicy, error) {
	f := w.Fail
	if f == nil {
		return nil, nil
	}
	refuse := func(format string, args ...any) (*FailPolicy, error) {
		return nil, &scenarios.Error{File: s.File, Msg: fmt.Sprintf("worker %q: ", w.Name) + fmt.Sprintf(format, args...)}
	}
	if w.Ack.When != scenarios.OnDone {
		return refuse("fail with ack %q: give %q, as after an earlier ack nothing is left to refuse", w.Ack.When, scenarios.OnDone)
	}
	switch f.Retry {
	case scenarios.RetryImmediate, scenarios.RetryFixed:
	case scenarios.RetryBackoff:
		if len(f.Backoff.Keys) == 0 || len(f.Backoff.Keys) != len(f.Backoff.Delay) {
			return refuse("fail.backoff has %d keys and %d delays: give one delay per key, and at least one",
				len(f.Backoff.Keys), len(f.Backoff.Delay))
		}
	default:
		return refuse("unknown fail.retry %q (have %s, %s, %s)", f.Retry,
			scenarios.RetryImmediate, scenarios.RetryFixed, scenarios.RetryBackoff)
	}
	if f.How != scenarios.HowNack && f.How != scenarios.HowReject {
		return refuse("unknown fail.how %q (have %s, %s)", f.How, scenarios.HowNack, scenarios.HowReject)
	}
	return &FailPolicy{
		spec: f, from: f.From.Microseconds(), to: f.To.Microseconds(), timeout: f.Timeout.Microseconds(),
		draw: scenarios.Stream(s.Seed, "fail/"+w.Name),
	}, nil
}

// Attempt returns how long an attempt at a message occupies its slot and how it will
// end. Call it once for each attempt, when its work starts: attempt is as for Decide, now
// the run time, and work how long the attempt takes to its end, in microseconds.
func (p *FailPolicy) Attempt(attempt int32, now, work int64) (took int64, v Verdict) {
	if p != nil && p.timeout > 0 && work > p.timeout {
		return p.timeout, p.retry(int(attempt))
	}
	return work, p.Decide(attempt, now+work)
}

// Decide returns how an attempt at a message will end. Call it once for each
// attempt, when its work starts: attempt is the number of deliveries of the message
// so far, this one included, and end is the run time in microseconds at which the
// work is due to end. A nil policy returns success.
func (p *FailPolicy) Decide(attempt int32, end int64) Verdict {
	if p == nil || !p.fails(attempt, end) {
		return Verdict{}
	}
	return p.retry(int(attempt))
}

// fails reports whether an attempt fails. It draws only within the policy's span of
// run time.
func (p *FailPolicy) fails(attempt int32, end int64) bool {
	if int(attempt) <= p.spec.First {
		return true
	}
	return end >= p.from && (p.to == 0 || end < p.to) && p.draw.Float64() < p.spec.P
}

// retry returns what a worker does with a message whose attempt failed.
func (p *FailPolicy) retry(attempt int) Verdict {
	f := p.spec
	last := f.MaxAttempts > 0 && attempt >= f.MaxAttempts
	switch {
	case last && f.Then != "":
		return Verdict{End: Forward, To: &Forwarding{RoutingKey: f.Then, GiveUp: true}}
	case last, f.Retry == scenarios.RetryFixed:
		return Verdict{End: Reject, How: f.How}
	case f.Retry == scenarios.RetryBackoff:
		return Verdict{End: Forward, To: p.backoff(attempt)}
	}
	return Verdict{End: Requeue, How: f.How} // NewFailPolicy refuses other values
}

// backoff draws the delay before the next attempt.
func (p *FailPolicy) backoff(attempt int) *Forwarding {
	b := &p.spec.Backoff
	n := min(attempt, len(b.Keys)) - 1
	ms := float64(b.Delay[n].Milliseconds()) * (1 + b.Jitter*(2*p.draw.Float64()-1))
	return &Forwarding{Exchange: b.Exchange, RoutingKey: b.Keys[n], Expiration: 1000 * max(1, int64(ms))}
}
