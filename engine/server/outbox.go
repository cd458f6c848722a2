package server

import (
	"sync/atomic"

	"harelab/engine/broker"
	"harelab/engine/internal/invariants"
	"harelab/engine/wire"
)

const (
	// highWater is the number of unsent octets above which a connection's consumers are
	// paused. It bounds what a consumer that does not read costs the broker, whatever
	// its prefetch.
	highWater = 1 << 20
	// lowWater is the number of unsent octets at which they are resumed.
	lowWater = 256 << 10
	// floodWater is the number of unsent octets above which the reader waits as well: the
	// client makes requests and does not read the answers.
	floodWater = 4 << 20

	// tryBelow is the number of octets up to which the goroutine that filled the outbox
	// writes them itself, if the socket takes them, instead of waking the writer: a
	// system call costs less than a goroutine switch and a system call. The writer
	// writes more octets than that while the next chunk is carried out.
	tryBelow = 16 << 10

	// copyBelow is the size below which a body is copied into the outbox. The copy costs
	// less than another segment of a write. Larger bodies are written from where they
	// lie.
	copyBelow = 8 << 10

	// methodRoom is the room that almost every method other than a delivery fits in, in
	// octets.
	methodRoom = 512
)

// An outbox holds the frames that wait for a connection's writer. Any goroutine may
// append. Most are readers of other connections, which deliver with a queue's lock held,
// so appending never waits for the socket.
//
// A goroutine that has appended wakes the writer at the end of its batch, so that the
// writer wakes once for the whole batch.
type outbox struct {
	mu       outboxMutex
	fill     frames
	ahead    frames                 // while held: frames that go before fill
	holding  bool                   // hold was called: the writer takes nothing of ahead and fill
	gates    []gate                 // frames behind fill that wait for the store
	opened   broker.Round           // the last durable round; gates for it or an earlier one open
	lost     bool                   // frames behind gates are dropped
	rest     frames                 // frames taken from fill and written in part; they go before fill
	unsent   int                    // number of octets in all frames and in those that the writer has taken
	finished bool                   // nothing may be appended; the writer ends when the outbox is empty
	stalled  []*channel             // channels whose consumers are paused, to be resumed at lowWater
	late     []*channel             // channels with late settlements to confirm
	waiting  bool                   // the reader waits in waitRoom
	taken    invariants.Value[int]  // number of octets that the writer has taken and not written
	lent     invariants.Value[bool] // begin was called and end was not

	spare  frames        // empty frames for the next take; the goroutine that writes owns them
	parked atomic.Bool   // the writer waits in take
	kick   chan struct{} // wakes the writer
	room   chan struct{} // wakes the reader
}

func (o *outbox) init() {
	o.kick = make(chan struct{}, 1)
	o.room = make(chan struct{}, 1)
}

// begin locks the outbox and returns a buffer with room for n octets. The caller appends to
// the buffer and passes it to end. If the outbox is finished, begin returns false and does
// not lock.
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

// body appends the frames of a large body without copying it. The caller has retained
// owner; it is released when the frames are written. body is called between begin and end:
// it takes begin's buffer and returns end's.
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

// hold keeps back the frames that any goroutine appends from now on, until release. The
// frames that a method causes must come after the method's answer, and the answer must not
// be sent before the method is done.
func (o *outbox) hold() {
	o.mu.Lock()
	fill := o.tail()
	o.ahead, *fill, o.holding = *fill, frames{}, true
	o.unlock()
}

// release ends a hold: it appends the method's answer, nil for none, and then the frames
// that were kept back. If gated, all of them go behind a gate. Without a hold it only
// appends the answer.
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

// claim reports whether the writer was parked. If it was, the caller has to write, or to
// kick the writer.
func (o *outbox) claim() bool { return o.parked.CompareAndSwap(true, false) }

// finish makes the writer end when the outbox is empty. Nothing may be appended any more.
func (o *outbox) finish() {
	o.mu.Lock()
	o.finished = true
	o.unlock()
	o.wake()
}

// take waits for frames and takes them; the spare frames replace them. It returns false
// when the outbox is finished and empty. The writer calls it.
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

// takeSmall is take for another goroutine, which has claimed the writer's place. It does
// not wait. done means that there is nothing to write; the writer is parked again then. ok
// is false if the caller should leave the frames to the writer.
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

// reuse makes frames of take or takeSmall the spare ones, after they were written and
// released.
func (o *outbox) reuse(f frames) { o.spare = f }

// putBack returns the rest of takeSmall's frames, which the socket did not take, to the
// outbox.
func (o *outbox) putBack(f frames) {
	o.mu.Lock()
	o.rest, o.spare = f, frames{}
	o.taken.Set(o.taken.Get() - f.size)
	o.unlock()
}

// sent notes that n octets were written. It returns the channels to resume. The caller
// resumes them, since that takes locks that other goroutines hold while they append.
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

// stall reports whether the channel's consumers have to pause. If so, a later sent resumes
// them. The caller holds o.mu.
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

// waitRoom waits until the outbox has room for more answers, or gone is closed.
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

// abandon drops all frames after the socket has failed. Nothing may be appended any more.
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
