package broker

import "time"

// A Clock tells the time and calls functions later. It is the broker's only source of
// time, so that a simulator can drive the broker.
type Clock interface {
	// Now returns the time in microseconds since 1970, or since any other moment
	// that the clock chooses. It never goes back.
	Now() int64

	// AfterFunc calls f once, after d, in a goroutine of its own or, in virtual
	// time, from the driver's loop. It must not call f before it returns.
	AfterFunc(d time.Duration, f func()) Timer
}

// A Timer is a pending call of a [Clock].
type Timer interface {
	// Stop cancels the call and reports whether it was still pending.
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
