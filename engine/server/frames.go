package server

import (
	"net"
	"sync"
)

// chunkSize is the size of a chunk in octets. It is large enough for a write of many
// chunks to be worth its system call, and small enough for a chunk to be still in the
// core's cache when it is written.
const chunkSize = 32 << 10

// A chunk is memory of an outbox in which frames are collected. An idle connection has
// none.
type chunk [chunkSize]byte

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// A releaser is a message whose body a segment refers to.
type releaser interface{ Release() }

// frames are octets to be written, in segments. A segment is a chunk filled with frames,
// or a large body between two of them, which is written from where it lies. Octets that
// were put in are not moved again.
type frames struct {
	segments []segment
	size     int // number of octets in all segments
}

// A segment is a run of octets.
type segment struct {
	octets []byte
	chunk  *chunk   // returned to the pool when written; nil for bodies
	owner  releaser // released when written; nil for chunks
}

// room returns a buffer with room to append n octets: the last segment, or a new chunk if
// the last segment has no room for them.
func (f *frames) room(n int) []byte {
	if k := len(f.segments); k > 0 {
		last := &f.segments[k-1]
		if last.chunk != nil && cap(last.octets)-len(last.octets) >= n {
			return last.octets
		}
	}
	s := segment{chunk: chunks.Get().(*chunk)}
	s.octets = s.chunk[:0]
	if n > chunkSize { // for example one frame with a large table
		s.octets = make([]byte, 0, n)
	}
	f.segments = append(f.segments, s)
	return s.octets
}

// put takes back the buffer of room and returns the number of octets appended.
func (f *frames) put(buf []byte) (n int) {
	last := &f.segments[len(f.segments)-1]
	n = len(buf) - len(last.octets)
	last.octets = buf
	f.size += n
	return n
}

// refer adds octets without copying them. The octets after them continue in the same
// chunk.
func (f *frames) refer(octets []byte, owner releaser) {
	last := &f.segments[len(f.segments)-1]
	free := segment{octets: last.octets[len(last.octets):], chunk: last.chunk}
	last.chunk = nil
	f.segments = append(f.segments, segment{octets: octets, owner: owner}, free)
	f.size += len(octets)
}

// join moves all segments of others to the end of f.
func (f *frames) join(others frames) {
	f.segments = append(f.segments, others.segments...)
	f.size += others.size
}

// writeTo writes the frames with one call and frees their memory. It uses vector as scratch
// and returns it for the next call.
func (f *frames) writeTo(nc net.Conn, vector net.Buffers) (_ net.Buffers, err error) {
	if len(f.segments) == 1 {
		_, err = nc.Write(f.segments[0].octets)
	} else {
		vector = vector[:0]
		for i := range f.segments {
			vector = append(vector, f.segments[i].octets)
		}
		rest := vector // WriteTo consumes its receiver
		_, err = rest.WriteTo(nc)
		clear(vector)
	}
	f.release()
	return vector, err
}

// release frees the memory of the frames and leaves them empty.
func (f *frames) release() {
	for i := range f.segments {
		s := &f.segments[i]
		if s.chunk != nil {
			chunks.Put(s.chunk)
		}
		if s.owner != nil {
			s.owner.Release()
		}
		*s = segment{}
	}
	f.segments, f.size = f.segments[:0], 0
}
