package broker

import (
	"container/heap"
	"time"
)

// A testClock is a clock that a test advances.
type testClock struct {
	now    int64 // microseconds
	timers timerHeap
	made   int
}

type testTimer struct {
	clock *testClock
	at    int64
	order int // order among timers of the same time
	f     func()
	index int // index in the heap; -1: not in it
}

func (c *testClock) Now() int64 { return c.now }

func (c *testClock) AfterFunc(d time.Duration, f func()) Timer {
	c.made++
	t := &testTimer{clock: c, at: c.now + d.Microseconds(), order: c.made, f: f}
	heap.Push(&c.timers, t)
	return t
}

func (t *testTimer) Stop() bool {
	if t.index < 0 {
		return false
	}
	heap.Remove(&t.clock.timers, t.index)
	return true
}

// advance moves the clock and calls the timers that become due.
func (c *testClock) advance(d time.Duration) {
	end := c.now + d.Microseconds()
	for len(c.timers) > 0 && c.timers[0].at <= end {
		t := heap.Pop(&c.timers).(*testTimer)
		c.now = max(c.now, t.at)
		t.f()
	}
	c.now = end
}

type timerHeap []*testTimer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*testTimer)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
