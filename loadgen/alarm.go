package loadgen

import (
	"container/heap"
	"sync"
	"time"
)

// An Alarm wakes goroutines at absolute instants. Go's own timers are late by
// up to a millisecond on an idle Linux machine, since the scheduler waits for
// whole milliseconds (golang.org/issue/44343). On Linux an Alarm uses the kernel's
// timer descriptors, which are late by some tens of microseconds; elsewhere it uses
// Go's timers. Any number of goroutines may use it.
type Alarm struct {
	mu      sync.Mutex
	clock   timer // nil: use Go's timers
	waiting sleepers
	closed  bool
	stopped chan struct{}
	late    time.Duration // extra delay of each wake-up by Go's timers, for tests
}

// A timer is a kernel timer that one goroutine waits on.
type timer interface {
	set(d time.Duration)
	wait() bool // false when the timer is closed
	close()
}

// NewAlarm returns an Alarm. The caller closes it.
func NewAlarm() *Alarm {
	a := &Alarm{clock: newTimer(), stopped: make(chan struct{})}
	if a.clock == nil {
		close(a.stopped)
		return a
	}
	go a.serve()
	return a
}

// Coarse returns an Alarm on Go's timers that wakes every sleeper late by the given
// time, for tests with a fake clock.
func Coarse(late time.Duration) *Alarm {
	a := &Alarm{stopped: make(chan struct{}), late: late}
	close(a.stopped)
	return a
}

// Close ends the Alarm. No goroutine may be waiting on it.
func (a *Alarm) Close() {
	a.mu.Lock()
	if a.clock != nil && !a.closed {
		a.clock.close()
	}
	a.closed = true
	a.mu.Unlock()
	<-a.stopped
}

// A Sleeper is what one goroutine waits with on an Alarm. It belongs to that
// goroutine.
type Sleeper struct {
	alarm *Alarm
	at    time.Time
	wake  chan struct{}
	index int // in the heap, -1 when not waiting
}

// Sleeper returns a sleeper on the alarm.
func (a *Alarm) Sleeper() *Sleeper {
	return &Sleeper{alarm: a, wake: make(chan struct{}, 1), index: -1}
}

// Until sleeps until t. It returns false if cancel was closed before.
func (s *Sleeper) Until(t time.Time, cancel <-chan struct{}) bool {
	d := time.Until(t)
	if d <= 0 {
		return true
	}
	if s.alarm.clock == nil {
		timer := time.NewTimer(d + s.alarm.late)
		defer timer.Stop()
		select {
		case <-timer.C:
			return true
		case <-cancel:
			return false
		}
	}
	s.alarm.add(s, t)
	select {
	case <-s.wake:
		return true
	case <-cancel:
		if !s.alarm.remove(s) {
			<-s.wake // it was woken in between
		}
		return false
	}
}

func (a *Alarm) add(s *Sleeper, t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.at = t
	heap.Push(&a.waiting, s)
	if a.waiting[0] == s {
		a.clock.set(time.Until(t))
	}
}

func (a *Alarm) remove(s *Sleeper) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.index < 0 {
		return false
	}
	heap.Remove(&a.waiting, s.index)
	return true
}

// serve wakes the sleepers that are due each time the kernel's timer expires.
func (a *Alarm) serve() {
	defer close(a.stopped)
	for a.clock.wait() {
		a.mu.Lock()
		for len(a.waiting) > 0 && !a.closed {
			d := time.Until(a.waiting[0].at)
			if d > 0 {
				a.clock.set(d)
				break
			}
			s := heap.Pop(&a.waiting).(*Sleeper)
			s.wake <- struct{}{}
		}
		a.mu.Unlock()
	}
}

// sleepers is a heap, the earliest first.
type sleepers []*Sleeper

func (h sleepers) Len() int           { return len(h) }
func (h sleepers) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h sleepers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *sleepers) Push(x any) {
	s := x.(*Sleeper)
	s.index = len(*h)
	*h = append(*h, s)
}

func (h *sleepers) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	s.index = -1
	return s
}
