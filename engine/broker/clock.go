package broker

import "time"

// A Clock tells the time and calls back when some has passed. All of the broker's
// time comes from one, so that a simulator can drive it.
type Clock interface {
	// Now returns the time in microseconds since 1970, or since any other moment
	// of the clock's choice. It does not go back.
	Now() int64

	// AfterFunc calls f once d has passed, in its own goroutine or, in virtual
	// time, from the driver's loop. It must not call f before it returns.
	AfterFunc(d time.Duration, f func()) Timer
}

// A Timer is a call that a [Clock] was asked for.
type Timer interface {
	// Stop gives up the call and reports whether it was still to come.
	Stop() bool
}

// WallClock returns the clock of this machine, in microseconds since 1970. It is
// monotonic: setting the machine's clock does not move it.
func WallClock() Clock {
	start := time.Now()
	return &wallClock{start: start, origin: start.UnixMicro()}
}

type wallClock struct {
	start  time.Time
	origin int64 // start in microseconds since 1970
}

func (c *wallClock) Now() int64 { return c.origin + time.Since(c.start).Microseconds() }

func (c *wallClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
