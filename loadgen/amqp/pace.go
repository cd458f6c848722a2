package amqp

import (
	"sync/atomic"
	"time"
)

// A pace keeps a slot on the scenario's time. The system wakes a slot somewhat
// after its work should have ended, and consecutive work would add these delays up:
// forty pieces of 10 ms would take as long as forty-four. So a slot carries its
// lateness over, and ends the next work sooner by the same time. Logged times are
// the real ones: the work that ended late is longer than its service time, and the
// work after it is shorter.
type pace struct {
	ended time.Time     // when the last work ended
	late  time.Duration // time by which it ended late and that is not made up yet
}

// catchUp is the greatest lateness that a slot makes up. A longer delay means that
// the machine stood still, not that a wake-up was late: it stays in the figures and
// becomes a finding.
const catchUp = 20 * time.Millisecond

// follow returns the pace for work that starts now on a message that was due to be
// published at due. The slot makes up its lateness only if the message was waiting
// for the slot: it was published before the slot should have been free, and work on
// it starts at once, from the worker's buffer or within a round trip.
func (p pace) follow(now, due time.Time, rtt time.Duration) pace {
	if due.After(p.ended.Add(-p.late)) || now.Sub(p.ended) > catchUp+rtt {
		return pace{}
	}
	p.late = min(p.late, catchUp)
	return p
}

// makeUp returns the time by which work of the given service ends sooner, at most
// half of it, and subtracts it from the lateness.
func (p *pace) makeUp(service time.Duration) time.Duration {
	sooner := min(p.late, service/2)
	p.late -= sooner
	return sooner
}

// A peak is the longest of the durations noted.
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

// watchStep is the interval of watch's wake-ups.
const watchStep = 4 * time.Millisecond

// watch wakes up at short intervals and notes its lateness, so that the run also
// knows of delays that hit neither a publisher nor a slot.
func (r *runner) watch() {
	sleeper := r.alarm.Sleeper()
	for due := r.zero; !r.fake && sleeper.Until(due, r.halt); {
		now := time.Now()
		r.late.note(now.Sub(due))
		due = now.Add(watchStep)
	}
}
