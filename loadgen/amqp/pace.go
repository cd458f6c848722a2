package amqp

import (
	"sync/atomic"
	"time"
)

// A pace keeps a slot on the scenario's time. The system wakes a slot somewhat
// after its work should have ended, and in a chain of work that would add up:
// forty pieces of 10 ms would take as long as forty-four. So a slot owes what
// it was late, and pays by ending the work that follows that much sooner. The
// instants that are written down are those that were: the service time of such
// work is shorter, and where its slot was late the work before it was longer.
type pace struct {
	ended time.Time     // when the last work ended
	owes  time.Duration // how much later than on time that was
}

// catchUp is the most that a slot can owe. A longer delay is no late wake-up: the
// machine stood still. It stays in the figures and becomes a finding.
const catchUp = 20 * time.Millisecond

// follow returns the pace for work that starts now on a message that was due
// to be published at due. It has a debt only where the slot was what it waited
// for: when the message was there by the time the slot should have been free,
// and came as soon as it was, be it from the worker's buffer or a round trip
// away.
func (p pace) follow(now, due time.Time, rtt time.Duration) pace {
	if due.After(p.ended.Add(-p.owes)) || now.Sub(p.ended) > catchUp+rtt {
		return pace{}
	}
	p.owes = min(p.owes, catchUp)
	return p
}

// pay returns how much sooner work of the given service ends, at most half of
// it, and takes that off the debt.
func (p *pace) pay(service time.Duration) time.Duration {
	paid := min(p.owes, service/2)
	p.owes -= paid
	return paid
}

// A peak is the longest of some durations.
type peak struct{ us atomic.Int64 }

func (p *peak) note(d time.Duration) {
	us := d.Microseconds()
	for {
		old := p.us.Load()
		if us <= old || p.us.CompareAndSwap(old, us) {
			return
		}
	}
}

// watchStep is how often watch looks whether the machine stands still.
const watchStep = 4 * time.Millisecond

// watch wakes up all the time and notes how late, so that the run knows of
// delays that hit neither a publisher nor a slot but what is between them.
func (r *runner) watch() {
	sleeper := r.alarm.Sleeper()
	for due := r.zero; !r.fake && sleeper.Until(due, r.halt); {
		now := time.Now()
		r.late.note(now.Sub(due))
		due = now.Add(watchStep)
	}
}
