package server

import (
	"net"
	"sync"
	"sync/atomic"

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

	// copyBelow is the size from which a body is written from where it is rather
	// than copied. Below it the copy costs less than another segment in a writev.
	copyBelow = 8 << 10

	// keepBuffer is the largest buffer that goes back to the pool.
	keepBuffer = highWater + highWater/4
)

// A releaser is a message whose body is referred to.
type releaser interface{ Release() }

// frames is a run of octets to be written: buf, with bodies let in.
type frames struct {
	buf    []byte
	bodies []bodyRef
	size   int     // octets in all
	pooled *[]byte // where buf came from
}

// A bodyRef is a piece of a body that is written from where it lies.
type bodyRef struct {
	at     int // its place: before buf[at]
	octets []byte
	owner  releaser // released when the piece is written, nil if another piece follows
}

var frameBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 16<<10)
	return &b
}}

// An outbox holds the frames that wait for a connection's writer. Anyone may append,
// readers of other connections above all, who deliver to its consumers with a
// queue's lock held: so appending never waits for the socket.
//
// Two buffers take turns: one is filled while the writer writes the other. Those who
// append call wake when they are done with all they have, so that the writer
// wakes once for a batch.
type outbox struct {
	mu       sync.Mutex
	fill     frames
	unsent   int        // octets in fill and in the writer's hands
	finished bool       // nothing may be appended, the writer ends after what is there
	stalled  []*channel // those told to pause, to be resumed below lowWater
	late     []*channel // those with late confirms to tell
	waiting  bool       // the reader waits in waitRoom

	parked atomic.Bool   // the writer waits in take
	kick   chan struct{} // wakes the writer
	room   chan struct{} // wakes the reader
}

func (o *outbox) init() {
	o.kick = make(chan struct{}, 1)
	o.room = make(chan struct{}, 1)
}

// begin locks the outbox and returns the buffer to append to, which the caller hands
// to end. It returns false, and does not lock, if nothing may be appended any more.
func (o *outbox) begin() (buf []byte, ok bool) {
	o.mu.Lock()
	if o.finished {
		o.mu.Unlock()
		return nil, false
	}
	if o.fill.pooled == nil {
		o.fill.pooled = frameBuffers.Get().(*[]byte)
		o.fill.buf = *o.fill.pooled
	}
	return o.fill.buf, true
}

// end takes back the buffer of begin and unlocks.
func (o *outbox) end(buf []byte) {
	o.grow(buf)
	o.mu.Unlock()
}

// grow accounts for what was appended to the buffer. The caller holds o.mu.
func (o *outbox) grow(buf []byte) {
	n := len(buf) - len(o.fill.buf)
	o.fill.buf = buf
	o.fill.size += n
	o.unsent += n
}

// body appends the frames of a large body without copying it and keeps owner until
// they are written. The caller has called begin, retained owner, and goes on with
// the buffer that body returns.
func (o *outbox) body(buf []byte, channel uint16, body []byte, frameMax uint32, owner releaser) []byte {
	most := int(frameMax) - wire.FrameOverhead
	for len(body) > 0 {
		piece := body[:min(most, len(body))]
		body = body[len(piece):]
		buf = wire.AppendBodyFrameHead(buf, channel, len(piece))
		ref := bodyRef{at: len(buf), octets: piece}
		if len(body) == 0 {
			ref.owner = owner
		}
		buf = append(buf, wire.FrameEnd)
		o.fill.bodies = append(o.fill.bodies, ref)
		o.fill.size += len(piece)
		o.unsent += len(piece)
	}
	return buf
}

// method appends a method frame. It reports false if the outbox is finished.
func (o *outbox) method(channel uint16, m wire.Method) bool {
	buf, ok := o.begin()
	if ok {
		o.end(wire.AppendMethodFrame(buf, channel, m))
	}
	return ok
}

// wake lets the writer take what was appended.
func (o *outbox) wake() {
	if o.parked.CompareAndSwap(true, false) {
		o.kick <- struct{}{}
	}
}

// finish lets the writer end after what is there.
func (o *outbox) finish() {
	o.mu.Lock()
	o.finished = true
	o.mu.Unlock()
	o.wake()
}

// take waits for frames and swaps them for the empty ones of the writer. It returns
// false when the outbox is finished and empty.
func (o *outbox) take(spare frames) (frames, bool) {
	o.mu.Lock()
	for o.fill.size == 0 {
		if o.finished {
			o.mu.Unlock()
			return frames{}, false
		}
		spare.giveBack()
		o.fill.giveBack()
		o.parked.Store(true)
		o.mu.Unlock()
		<-o.kick
		o.mu.Lock()
	}
	full := o.fill
	o.fill = spare
	o.mu.Unlock()
	return full, true
}

// sent says that n octets were written. It returns the channels that are to be
// resumed: not here, since that takes locks that are held while others append.
func (o *outbox) sent(n int) (resume []*channel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unsent -= n
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
		o.mu.Unlock()
		return
	}
	o.waiting = true
	o.mu.Unlock()
	select {
	case <-o.room:
	case <-gone:
	}
}

// abandon drops what is there: the socket failed. Nothing may be appended any more.
func (o *outbox) abandon() {
	o.mu.Lock()
	o.finished = true
	left := o.fill
	o.fill = frames{}
	o.stalled = nil
	o.mu.Unlock()
	left.release()
	left.giveBack()
	o.wake()
}

// writeTo writes the frames in one go and lets go of the bodies. segments is scratch.
func (f *frames) writeTo(nc net.Conn, segments net.Buffers) (net.Buffers, error) {
	if len(f.bodies) == 0 {
		_, err := nc.Write(f.buf)
		return segments, err
	}
	segments = segments[:0]
	at := 0
	for _, b := range f.bodies {
		segments = append(segments, f.buf[at:b.at], b.octets)
		at = b.at
	}
	segments = append(segments, f.buf[at:])
	rest := segments // WriteTo consumes its receiver
	_, err := rest.WriteTo(nc)
	clear(segments)
	f.release()
	return segments, err
}

// release lets go of the bodies.
func (f *frames) release() {
	for i, b := range f.bodies {
		if b.owner != nil {
			b.owner.Release()
		}
		f.bodies[i] = bodyRef{}
	}
	f.bodies = f.bodies[:0]
}

// empty makes the frames ready to be filled again.
func (f *frames) empty() {
	f.buf, f.size = f.buf[:0], 0
}

// giveBack returns the buffer to the pool: an idle connection has none.
func (f *frames) giveBack() {
	if f.pooled != nil && cap(f.buf) <= keepBuffer {
		*f.pooled = f.buf[:0]
		frameBuffers.Put(f.pooled)
	}
	*f = frames{}
}
