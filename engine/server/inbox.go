package server

import (
	"io"
	"sync"
	"time"

	"harelab/engine/wire"
)

const (
	// idleRead is the read buffer of a connection that does nothing.
	idleRead = 4 << 10
	// busyRead is that of one whose reads fill it, large enough that the price of
	// a system call is shared by hundreds of small messages and small enough to
	// stay in a core's cache.
	busyRead = 64 << 10
	// idleAfter is how long a read has to wait for the buffer to shrink again.
	idleAfter = time.Second
)

// busyBuffers keeps read buffers of busyRead octets for connections that become busy.
var busyBuffers = sync.Pool{New: func() any { return new([busyRead]byte) }}

// An inbox holds what was read from a socket and not handled yet. Frames are handed
// out in place: they stay valid until the next fill.
type inbox struct {
	buf        []byte
	start, end int             // buf[start:end] is not handled yet
	busy       *[busyRead]byte // buf, if it came from busyBuffers
	full       bool            // the last read left no room
}

// fill reads once from r, after it has made room.
func (in *inbox) fill(r io.Reader) error {
	in.makeRoom()
	began := time.Now()
	n, err := r.Read(in.buf[in.end:])
	in.end += n
	in.full = in.end == len(in.buf)
	if len(in.buf) > idleRead && in.end == n && n < idleRead && time.Since(began) > idleAfter {
		in.shrink()
	}
	if n > 0 {
		return nil
	}
	return err
}

// makeRoom moves what is left to the front and lets the buffer grow if the last read
// filled it. It grows with what came, not with what a frame says it holds, and no
// further than to twice the largest frame.
func (in *inbox) makeRoom() {
	size := len(in.buf)
	switch {
	case size == 0:
		in.buf = make([]byte, idleRead)
	case !in.full:
	case size < busyRead:
		in.replace(busyBuffers.Get().(*[busyRead]byte))
	case in.start == 0: // one frame is larger than the buffer
		larger := make([]byte, 2*size)
		copy(larger, in.buf)
		in.drop()
		in.buf = larger
	}
	if in.start > 0 {
		in.end = copy(in.buf, in.buf[in.start:in.end])
		in.start = 0
	}
}

// replace goes on in a buffer of the pool.
func (in *inbox) replace(b *[busyRead]byte) {
	in.end = copy(b[:], in.buf[in.start:in.end])
	in.start = 0
	in.drop()
	in.buf, in.busy = b[:], b
}

// shrink goes back to a small buffer, which has room for what is left.
func (in *inbox) shrink() {
	small := make([]byte, idleRead)
	in.end = copy(small, in.buf[in.start:in.end])
	in.start = 0
	in.drop()
	in.buf = small
}

// drop gives the buffer back. Nothing that was handed out may be used any more.
func (in *inbox) drop() {
	if in.busy != nil {
		busyBuffers.Put(in.busy)
	}
	in.buf, in.busy = nil, nil
}

// next hands out the next frame, or ok == false if it is not all there yet.
func (in *inbox) next(frameMax uint32) (f wire.Frame, ok bool, err error) {
	f, n, err := wire.NextFrame(in.buf[in.start:in.end], frameMax)
	in.start += n
	return f, n > 0, err
}
