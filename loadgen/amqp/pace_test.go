package amqp

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// chain does n pieces of work of the given service. Each starts gap after the end of
// the one before and ends late by late. chain returns the end of the last one. All
// messages were published at the beginning.
func chain(n int, service, gap, late time.Duration) time.Duration {
	zero := time.Unix(1000, 0)
	now := zero
	var p pace
	for range n {
		p = p.follow(now, zero, 0)
		now = now.Add(service - p.makeUp(service) + late)
		p.ended, p.late = now, p.late+late
		now = now.Add(gap)
	}
	return p.ended.Sub(zero)
}

// TestLatenessDoesNotAddUp: a chain of work ends as late as one piece of it, and the
// gaps between the pieces, which the broker causes, stay.
func TestLatenessDoesNotAddUp(t *testing.T) {
	for _, c := range []struct {
		name               string
		n                  int
		service, gap, late time.Duration
		want               time.Duration
	}{
		{"in time", 40, 10 * ms, 0, 0, 400 * ms},
		{"late", 40, 10 * ms, 0, 3 * ms, 403 * ms},
		{"a round trip stays", 40, 10 * ms, ms, 3 * ms, 442 * ms},
		{"half the service is paid at most", 40, 10 * ms, 0, 6 * ms, 445 * ms},
		{"no work at all", 40, 0, 0, ms, 40 * ms},
		{"a pause of its own clears the debt", 2, 10 * ms, catchUp + 1, 3 * ms, 26*ms + catchUp + 1},
		{"a machine that stands still shows", 2, 100 * ms, 0, 50 * ms, 280 * ms},
	} {
		if got := chain(c.n, c.service, c.gap, c.late); got != c.want {
			t.Errorf("%s: ended at %v, want %v", c.name, got, c.want)
		}
	}
}

// TestOnlyWaitingWorkMakesUp wants work on a message that came after its slot
// should have been free to take its full time: it did not wait for the slot.
func TestOnlyWaitingWorkMakesUp(t *testing.T) {
	ended := time.Unix(1000, 0)
	p := pace{ended: ended, late: 3 * ms}
	for _, c := range []struct {
		due  time.Duration // of the message, from the end of the work before
		want time.Duration
	}{{-10 * ms, 3 * ms}, {-3 * ms, 3 * ms}, {-3*ms + 1, 0}, {0, 0}} {
		f := p.follow(ended.Add(ms), ended.Add(c.due), 0)
		if got := f.makeUp(100 * ms); got != c.want {
			t.Errorf("a message due %v after the end before: pays %v, want %v", c.due, got, c.want)
		}
	}
}

func TestPeak(t *testing.T) {
	var p peak
	for _, d := range []time.Duration{ms, 3 * ms, 2 * ms, -ms} {
		p.note(d)
	}
	if p.us.Load() != 3000 {
		t.Errorf("peak %d us, want 3000", p.us.Load())
	}
}
