package server

import (
	"sync"
	"sync/atomic"
	"time"
)

// A heartbeat watches a connection that agreed on an interval: it has something sent
// twice per interval, as the specification's peers expect at least once, and calls
// lost when nothing came for two (AMQP 0-9-1 section 4.2.7: any traffic counts).
//
// It is a timer without a goroutine. What reads and writes only notes the time.
type heartbeat struct {
	interval time.Duration // 0: no heartbeats; set before start
	began    time.Time
	read     atomic.Int64 // when something came last, in nanoseconds since began
	written  atomic.Int64 // when something was sent last
	paused   atomic.Bool  // nothing is read, so nothing can come

	send func() // sends a heartbeat unless something else is on its way
	lost func() // the peer is gone

	mu    sync.Mutex
	timer *time.Timer // nil before start and after stop
}

// start begins to watch. Without an interval it does nothing.
func (h *heartbeat) start(send, lost func()) {
	h.send, h.lost = send, lost
	if h.interval == 0 {
		return
	}
	h.began = time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer = time.AfterFunc(h.interval/2, h.tick)
}

func (h *heartbeat) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
}

// sawRead and sawWrite note that octets came or went.
func (h *heartbeat) sawRead()  { h.note(&h.read) }
func (h *heartbeat) sawWrite() { h.note(&h.written) }

func (h *heartbeat) note(at *atomic.Int64) {
	if h.interval != 0 {
		at.Store(int64(time.Since(h.began)))
	}
}

// pause has the peer be taken for alive while the server does not read, and for a full
// interval after.
func (h *heartbeat) pause(on bool) {
	h.sawRead()
	h.paused.Store(on)
}

// tick does what is due and sets the timer to what is due next.
func (h *heartbeat) tick() {
	now := time.Since(h.began)
	if h.paused.Load() {
		h.read.Store(int64(now))
	}
	dead := time.Duration(h.read.Load()) + 2*h.interval
	if now >= dead {
		h.lost()
		return
	}
	beat := time.Duration(h.written.Load()) + h.interval/2
	if now >= beat {
		h.send()
		beat = now + h.interval/2
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer != nil {
		h.timer.Reset(min(dead, beat) - now)
	}
}
