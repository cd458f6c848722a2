package server

import (
	"sync"
	"sync/atomic"
	"time"
)

// A heartbeat watches a connection that negotiated an interval. It sends a heartbeat if
// nothing was sent for half an interval, since peers expect something at least once an
// interval. It calls lost if nothing came for two intervals (AMQP 0-9-1 section 4.2.7: any
// traffic counts).
//
// It is a timer without a goroutine. Reads and writes only store the time.
type heartbeat struct {
	interval time.Duration // 0: no heartbeats; set before start
	began    time.Time
	read     atomic.Int64 // time of the last read, in nanoseconds since began
	written  atomic.Int64 // time of the last write, in nanoseconds since began
	paused   atomic.Bool  // the server does not read, so silence proves nothing

	send func() // sends a heartbeat, unless other frames are about to be sent
	lost func() // ends the connection: the peer is gone

	mu    sync.Mutex
	timer *time.Timer // nil before start and after stop
}

// start starts the timer. Without an interval it does nothing.
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

// sawRead and sawWrite note the time of a read or a write.
func (h *heartbeat) sawRead()  { h.note(&h.read) }
func (h *heartbeat) sawWrite() { h.note(&h.written) }

func (h *heartbeat) note(at *atomic.Int64) {
	if h.interval != 0 {
		at.Store(int64(time.Since(h.began)))
	}
}

// pause(true) makes the peer count as alive while the server does not read. pause(false)
// ends that; the peer then has two full intervals to send something.
func (h *heartbeat) pause(on bool) {
	h.sawRead()
	h.paused.Store(on)
}

// tick sends a heartbeat or gives the peer up, if that is due, and sets the timer to the
// next such time.
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
