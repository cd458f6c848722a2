package server

import (
	"sync/atomic"

	"harelab/engine/broker"
	"harelab/engine/internal/invariants"
	"harelab/engine/wire"
)

const (
	// highWater is how many octets may wait for a connection's writer before its
	// consumers are paused, so that a consumer that does not read costs the broker
	// no more than this, whatever its prefetch.
	highWater = 1 << 20
	// lowWater is where they are resumed.
	lowWater = 256 << 10
	// floodWater is where the reader waits as well: answers to a client that asks
	// and does not read.
	floodWater = 4 << 20

	// tryBelow is up to where whoever filled the outbox writes it at once, if the
	// socket takes it, rather than wake the writer: a system call costs less than a
	// goroutine switch and a system call. What is more is written while the next
	// chunk is being worked on.
	tryBelow = 16 << 10

	// copyBelow is the size from which a body is written from where it is rather
	// than copied. Below it the copy costs less than another segment of a write.
	copyBelow = 8 << 10

	// methodRoom is what a method other than a delivery takes, but for rare ones.
	methodRoom = 512
)

// An outbox holds the frames that wait for a connection's writer. Anyone may append,
// readers of other connections above all, who deliver to its consumers with a
// queue's lock held: so appending never waits for the socket.
//
// Those who append wake the writer when they are done with all they have, so that it
// wakes once for a batch.
type outbox struct {
	mu       outboxMutex
	fill     frames
	ahead    frames                 // while held: goes before fill
	holding  bool                   // the writer takes nothing of ahead and fill
	gates    []gate                 // behind fill, with what waits for the store
	opened   broker.Round           // those that wait for it or less can go
	lost     bool                   // those that wait are to be dropped
	rest     frames                 // taken from fill and written in part; goes before fill
	unsent   int                    // octets in fill, in rest, behind gates, and in the writer's hands
	finished bool                   // nothing may be appended, the writer ends after what is there
	stalled  []*channel             // those told to pause, to be resumed below lowWater
	late     []*channel             // those with late confirms to tell
	waiting  bool                   // the reader waits in waitRoom
	taken    invariants.Value[int]  // octets in the hands of whoever writes
	lent     invariants.Value[bool] // between begin and end

	spare  frames        // empty, of whoever's turn it is to write
	parked atomic.Bool   // the writer waits in take
	kick   chan struct{} // wakes the writer
	room   chan struct{} // wakes the reader
}

func (o *outbox) init() {
	o.kick = make(chan struct{}, 1)
	o.room = make(chan struct{}, 1)
}

// begin locks the outbox and returns a buffer that has room for n octets, which the
// caller appends to and hands to end. It returns false, and does not lock, if
// nothing may be appended any more.
func (o *outbox) begin(n int) (buf []byte, ok bool) {
	o.mu.Lock()
	if o.finished {
		o.unlock()
		return nil, false
	}
	buf = o.tail().room(n)
	if invariants.Enabled {
		o.lent.Set(true)
	}
	return buf, true
}

// end takes back the buffer of begin and unlocks.
func (o *outbox) end(buf []byte) {
	o.takeBack(buf)
	o.unlock()
}

// endDelivery is end for a delivery on a channel. It reports whether the channel's
// consumers may get more.
func (o *outbox) endDelivery(buf []byte, ch *channel) (writable bool) {
	o.takeBack(buf)
	writable = !o.stall(ch)
	o.unlock()
	return writable
}

// takeBack is end without unlocking.
func (o *outbox) takeBack(buf []byte) {
	if invariants.Enabled {
		o.checkBuffer(buf)
	}
	o.unsent += o.tail().put(buf)
}

// body appends the frames of a large body without copying it and keeps owner, which
// the caller has retained, until they are written. It is called between begin and
// end, with the buffer of the one, and returns that for the other.
func (o *outbox) body(buf []byte, channel uint16, body []byte, frameMax uint32, owner releaser) []byte {
	most := int(frameMax) - wire.FrameOverhead
	fill := o.tail()
	for len(body) > 0 {
		piece := body[:min(most, len(body))]
		body = body[len(piece):]
		o.unsent += fill.put(wire.AppendBodyFrameHead(buf, channel, len(piece)))
		o.unsent += len(piece)
		if len(body) == 0 {
			fill.refer(piece, owner)
		} else {
			fill.refer(piece, nil)
		}
		buf = append(fill.room(2*wire.FrameOverhead), wire.FrameEnd)
	}
	return buf
}

// method appends a method frame, unless the outbox is finished.
func (o *outbox) method(channel uint16, m wire.Method) {
	if buf, ok := o.begin(methodRoom); ok {
		o.end(wire.AppendMethodFrame(buf, channel, m))
	}
}

// hold keeps back what is appended from now on, by whomever, until release: what
// follows from a method comes after the method's answer, and that is not to be seen
// before all is done.
func (o *outbox) hold() {
	o.mu.Lock()
	fill := o.tail()
	o.ahead, *fill, o.holding = *fill, frames{}, true
	o.unlock()
}

// release appends the answer that hold waited for, nil for none, and what came
// meanwhile, behind a gate if the answer has to wait for the store. Without a hold it
// is method, or answer.
func (o *outbox) release(channel uint16, m wire.Method, gated bool) {
	o.mu.Lock()
	defer o.unlock()
	after := frames{}
	if o.holding {
		fill := o.tail()
		after, *fill = *fill, o.ahead
		o.ahead, o.holding = frames{}, false
	}
	if m != nil && !o.finished {
		if gated {
			o.shut()
		}
		fill := o.tail()
		o.unsent += fill.put(wire.AppendMethodFrame(fill.room(methodRoom), channel, m))
	}
	o.tail().join(after)
	o.pass()
}

// wake lets the writer take what was appended.
func (o *outbox) wake() {
	if o.claim() {
		o.kick <- struct{}{}
	}
}

// claim reports whether the writer was parked. If so it is the caller's turn to write,
// or to kick the writer.
func (o *outbox) claim() bool { return o.parked.CompareAndSwap(true, false) }

// finish lets the writer end after what is there.
func (o *outbox) finish() {
	o.mu.Lock()
	o.finished = true
	o.unlock()
	o.wake()
}

// take waits for frames and swaps them for the spare ones. It returns false when the
// outbox is finished and empty.
func (o *outbox) take() (f frames, ok bool) {
	o.mu.Lock()
	defer o.unlock()
	for o.rest.size == 0 && (o.holding || o.fill.size == 0) {
		if o.finished && len(o.gates) == 0 {
			return frames{}, false
		}
		o.parked.Store(true)
		o.unlock()
		<-o.kick
		o.mu.Lock()
	}
	if o.rest.size > 0 {
		f, o.rest = o.rest, frames{}
	} else {
		f, o.fill = o.fill, o.spare
	}
	o.taken.Set(o.taken.Get() + f.size)
	return f, true
}

// takeSmall is take for someone other than the writer who has claimed its turn: it does
// not wait. done says that there is nothing to write; then the writer is parked again.
// ok is false if what there is should be left to the writer.
func (o *outbox) takeSmall() (f frames, ok, done bool) {
	o.mu.Lock()
	defer o.unlock()
	switch {
	case o.finished || o.holding || o.fill.size > tryBelow || len(o.fill.segments) > 1:
		return frames{}, false, false
	case o.fill.size == 0:
		o.parked.Store(true)
		return frames{}, false, true
	}
	f, o.fill = o.fill, o.spare
	o.taken.Set(o.taken.Get() + f.size)
	return f, true, false
}

// reuse takes the frames that take or takeSmall gave, written and released.
func (o *outbox) reuse(f frames) { o.spare = f }

// putBack leaves to the writer what takeSmall gave and the socket did not take.
func (o *outbox) putBack(f frames) {
	o.mu.Lock()
	o.rest, o.spare = f, frames{}
	o.taken.Set(o.taken.Get() - f.size)
	o.unlock()
}

// sent says that n octets were written. It returns the channels that are to be
// resumed: not here, since that takes locks that are held while others append.
func (o *outbox) sent(n int) (resume []*channel) {
	o.mu.Lock()
	defer o.unlock()
	o.unsent -= n
	o.taken.Set(o.taken.Get() - n)
	if o.unsent > lowWater {
		return nil
	}
	if o.waiting {
		o.waiting = false
		o.room <- struct{}{}
	}
	resume, o.stalled = o.stalled, nil
	for _, ch := range resume {
		ch.stalled = false
	}
	return resume
}

// stall reports whether the channel's consumers have to pause, and notes that they
// are to be resumed. The caller holds o.mu.
func (o *outbox) stall(ch *channel) bool {
	if o.unsent <= highWater {
		return false
	}
	if !ch.stalled {
		ch.stalled = true
		o.stalled = append(o.stalled, ch)
	}
	return true
}

// waitRoom returns when the outbox has room for more answers, or gone is closed.
func (o *outbox) waitRoom(gone <-chan struct{}) {
	o.mu.Lock()
	if o.finished || o.unsent <= floodWater {
		o.unlock()
		return
	}
	o.waiting = true
	o.unlock()
	select {
	case <-o.room:
	case <-gone:
	}
}

// abandon drops what is there: the socket failed. Nothing may be appended any more.
func (o *outbox) abandon() {
	o.mu.Lock()
	o.finished = true
	o.unsent -= o.fill.size + o.ahead.size + o.rest.size
	o.fill.release()
	o.ahead.release()
	o.rest.release()
	o.dropGates()
	o.stalled = nil
	o.unlock()
	o.wake()
}
