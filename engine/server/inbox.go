package server

import (
	"io"
	"sync"
	"time"

	"harelab/engine/wire"
)

const (
	// idleRead is the size of the read buffer of an idle connection, in octets.
	idleRead = 4 << 10
	// busyRead is the size of the read buffer of a connection whose reads fill the small
	// one. It is large enough for hundreds of small messages to share a system call, and
	// small enough to stay in a core's cache.
	busyRead = 64 << 10
	// idleAfter is how long a read has to wait before the buffer shrinks again.
	idleAfter = time.Second
)

// busyBuffers pools read buffers of busyRead octets.
var busyBuffers = sync.Pool{New: func() any { return new([busyRead]byte) }}

// An inbox holds the octets that were read from a socket and not handled yet. The frames
// that it returns refer to its buffer: they are valid until the next fill.
type inbox struct {
	buf        []byte
	start, end int             // buf[start:end] is not handled yet
	busy       *[busyRead]byte // buf, if it came from busyBuffers
	full       bool            // the last read left no room
}

// fill makes room and reads once from r.
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

// makeRoom moves the unhandled octets to the front and enlarges the buffer if the last read
// filled it. The buffer grows with the octets that came, not with the size that a frame
// claims, and to at most twice the largest frame.
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

// replace moves the unhandled octets to a buffer of the pool.
func (in *inbox) replace(b *[busyRead]byte) {
	in.end = copy(b[:], in.buf[in.start:in.end])
	in.start = 0
	in.drop()
	in.buf, in.busy = b[:], b
}

// shrink moves the unhandled octets to a small buffer, which has room for them.
func (in *inbox) shrink() {
	small := make([]byte, idleRead)
	in.end = copy(small, in.buf[in.start:in.end])
	in.start = 0
	in.drop()
	in.buf = small
}

// drop returns the buffer to the pool. Frames that next has returned are invalid then.
func (in *inbox) drop() {
	if in.busy != nil {
		busyBuffers.Put(in.busy)
	}
	in.buf, in.busy = nil, nil
}

// next returns the next frame. ok is false if the frame has not come whole yet.
func (in *inbox) next(frameMax uint32) (f wire.Frame, ok bool, err error) {
	f, n, err := wire.NextFrame(in.buf[in.start:in.end], frameMax)
	in.start += n
	return f, n > 0, err
}
