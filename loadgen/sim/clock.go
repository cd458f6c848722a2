package sim

import (
	"time"

	"harelab/engine/broker"
)

// epoch is the broker's time when a run begins: the year 2000, in microseconds
// since 1970. It is not 0, which the broker takes for "no time".
const epoch = 946_684_800_000_000

// A clock is the broker's clock in virtual time: it shows the time of the driver's
// agenda. Timers are events on that agenda.
type clock struct {
	agenda *agenda
	timers []*timer
	free   []int32
}

type timer struct {
	clock *clock
	f     func()
	live  bool
}

// Now implements [broker.Clock].
func (c *clock) Now() int64 { return epoch + c.agenda.now }

// AfterFunc implements [broker.Clock].
func (c *clock) AfterFunc(d time.Duration, f func()) broker.Timer {
	t := &timer{clock: c, f: f, live: true}
	var i int32
	if n := len(c.free); n > 0 {
		i, c.free = c.free[n-1], c.free[:n-1]
		c.timers[i] = t
	} else {
		i = int32(len(c.timers))
		c.timers = append(c.timers, t)
	}
	us := int64((max(d, 0) + time.Microsecond - 1) / time.Microsecond)
	c.agenda.add(c.agenda.now+us, rankInternal, event{kind: expired, arg: i})
	return t
}

// Stop implements [broker.Timer].
func (t *timer) Stop() bool {
	was := t.live
	t.live = false
	return was
}

// fire calls the function of timer i, unless the timer was stopped.
func (c *clock) fire(i int32) {
	t := c.timers[i]
	c.timers[i] = nil
	c.free = append(c.free, i)
	if t.live {
		t.live = false
		t.f()
	}
}
