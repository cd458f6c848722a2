package amqp

import (
	"context"
	"slices"
	"time"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// checkInterval is the interval at which wait checks the stop conditions. It also
// checks them when the last copy is settled.
const checkInterval = 20 * time.Millisecond

// wait returns when the run has to end.
func (r *runner) wait(ctx context.Context, published <-chan struct{}) {
	timeout := time.NewTimer(time.Until(r.zero.Add(r.s.Stop.Timeout)))
	defer timeout.Stop()
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	done := false
	var quiet quietness
	for {
		select {
		case <-ctx.Done():
			r.partial = true
			r.findings.add("interrupted", "The run was interrupted. The figures cover the time until then.", false)
			return
		case <-timeout.C:
			r.partial, r.timedOut = true, true
			return
		case <-r.halt:
			r.partial = true // fatal ended it
			return
		case <-published:
			done, published = true, nil
		case <-r.outstanding.Drained():
		case <-tick.C:
		}
		if done && r.complete(&quiet) {
			return
		}
	}
}

// complete reports whether the run may end. All of its load is published.
func (r *runner) complete(quiet *quietness) bool {
	if r.answersMissing() {
		return false
	}
	switch r.s.Stop.When {
	case scenarios.StopPublished:
		return true
	case scenarios.StopPublishedAndIdle:
		idle := r.now() - max(r.worked.latest.Load(), r.published.latest.Load())
		return idle >= r.s.Stop.Idle.Microseconds() && r.returning.Load() == 0
	}
	return r.outstanding.Left() == 0 && r.returning.Load() == 0 && !r.expires() || quiet.long(r)
}

// expires reports whether messages that were published to queues without consumers may
// still expire, and go on to other queues.
func (r *runner) expires() bool {
	if !r.published.aside.Load() {
		return false
	}
	for i := range r.s.Queues {
		if !r.consumed[i] && expiring(&r.s.Queues[i]) {
			return true
		}
	}
	return r.now() < r.lastExpiry()
}

// lastExpiry returns the run time at which the last message has expired that was
// published with a time to live of its own; 0: none was.
func (r *runner) lastExpiry() int64 {
	if slices.Index(r.consumed, false) < 0 {
		return 0
	}
	longest := time.Duration(0)
	for i := range r.s.Classes {
		longest = max(longest, r.s.Classes[i].Expiration)
	}
	if longest == 0 {
		return 0
	}
	return r.published.latest.Load() + longest.Microseconds()
}

func expiring(q *scenarios.Queue) bool {
	return slices.ContainsFunc(q.Arguments, func(a scenarios.Argument) bool { return a.Name == "x-message-ttl" })
}

// answersMissing reports whether publishers wait for confirms.
func (r *runner) answersMissing() bool {
	return r.published.answered.Load() < r.published.expected.Load()
}

// quietness detects that the outstanding copies will never reach a worker: they were
// lost with a connection, expired, or were dropped by the broker.
type quietness struct {
	since time.Time // start of the quiet time; zero: the run is not quiet
	next  time.Time // time of the next check
}

// patience is the quiet time after which the run gives up the outstanding copies.
const patience = time.Second

// long reports whether queues have been empty and workers idle for patience.
func (q *quietness) long(r *runner) bool {
	now := time.Now()
	if now.Before(q.next) {
		return false
	}
	q.next = now.Add(patience / 4)
	waiting, err := r.admin.ready(r.flowing())
	if err != nil || waiting > 0 || r.worked.busy.Load() > 0 || r.worked.held.Load() > 0 || r.returning.Load() > 0 || r.worked.unacked.Load() > r.forgotten() {
		q.since = time.Time{}
		return false
	}
	if q.since.IsZero() {
		q.since = now
	}
	return now.Sub(q.since) >= patience
}

// forgotten returns the number of deliveries that may stay unacked because the
// scenario forgets acks.
func (r *runner) forgotten() int64 {
	n := int64(0)
	for _, w := range r.workers {
		if w.spec.Ack.Forget > 0 {
			n += int64(w.spec.Prefetch)
		}
	}
	return n
}

// flowing returns the queues that messages leave: to a worker, or when they expire.
func (r *runner) flowing() []int {
	var list []int
	own := r.now() < r.lastExpiry() // messages with a time to live of their own are left
	for i := range r.s.Queues {
		if r.consumed[i] || expiring(&r.s.Queues[i]) || own {
			list = append(list, i)
		}
	}
	return list
}

// maxInspected is the greatest number of queues whose depths are sampled. With more
// queues, samples have none.
const maxInspected = 64

// sample records the state of the run at the end of each interval.
func (r *runner) sample() {
	all := make([]int, len(r.s.Queues))
	for i := range all {
		all[i] = i
	}
	if len(all) > maxInspected {
		all = nil
	}
	offered := r.plan.Offered()
	sleeper := r.alarm.Sleeper()
	at, ok := r.series.Next(0)
	for ok && sleeper.Until(r.at(at), r.halt) {
		s := run.Sample{
			At: at, Offered: offered(at) + r.published.byUsers.Load(), Sent: r.published.sent.Load(), Confirmed: -1,
			Delivered: r.worked.delivered.Load(), Acked: r.worked.acked.Load(), Ready: -1, Unacked: r.worked.unacked.Load(), Held: r.worked.held.Load(),
		}
		if r.published.expected.Load() > 0 {
			s.Confirmed = r.published.confirmed.Load()
		}
		if all != nil {
			if n, err := r.admin.ready(all); err == nil {
				s.Ready = n
			}
		}
		r.series.Add(s)
		at, _ = r.series.Next(max(at, r.now()-r.series.Interval())) // late: skip all but the latest
	}
}

// report calls the caller's Progress.
func (r *runner) report() {
	if r.o.Progress == nil {
		return
	}
	const step = 200 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	var last [5]int64 // number of finished messages at the last five reports
	for n := 0; ; n++ {
		p := r.progress()
		p.Rate = float64(p.Done - last[n%len(last)])
		last[n%len(last)] = p.Done
		r.o.Progress(p)
		select {
		case <-tick.C:
		case <-r.halt:
			r.o.Progress(r.progress())
			return
		}
	}
}

func (r *runner) progress() loadgen.Progress {
	elapsed := max(0, time.Since(r.zero))
	p := loadgen.Progress{
		Planned: int64(r.plan.Planned()), Published: r.published.sent.Load(), Delivered: r.worked.delivered.Load(), Done: r.worked.finished.Load(),
		Elapsed: elapsed, Left: -1,
	}
	waits := loadgen.NewWaits(len(r.s.Classes))
	for _, w := range r.workers {
		waits.Merge(w.waits)
	}
	for i := range r.s.Classes {
		c := loadgen.ClassProgress{Class: r.s.Classes[i].Name, P50: -1, P99: -1}
		if p50, ok := waits.Quantile(int32(i), 50); ok {
			c.P50 = p50
			c.P99, _ = waits.Quantile(int32(i), 99)
		}
		p.Classes = append(p.Classes, c)
	}
	p.Depth = max(0, r.outstanding.Left()-r.worked.held.Load()-r.worked.busy.Load())
	if r.demand.Least() > 0 {
		p.Left = max(r.demand.Until-elapsed, r.workLeft(), 0)
	}
	return p
}

// workLeft estimates the time that the slots still work: the work that is under way
// and not begun, spread evenly, but at least the longest work under way.
func (r *runner) workLeft() time.Duration {
	now, sum, longest := r.now(), r.demand.Work.Microseconds()-r.worked.begun.Load(), int64(0)
	for _, w := range r.workers {
		for i := range w.slots {
			left := max(0, w.slots[i].ends.Load()-now)
			sum, longest = sum+left, max(longest, left)
		}
	}
	return time.Duration(max(longest, sum/int64(max(1, r.demand.Slots)))) * time.Microsecond
}
