package server

import (
	"net"
	"sync"
)

// chunkSize is the memory that frames are collected in, in octets: large enough that a
// write of many chunks is worth its system call, small enough that what is filled by
// one core is still in its cache when it is written.
const chunkSize = 32 << 10

// A chunk is a piece of the memory of outboxes. An idle connection has none.
type chunk [chunkSize]byte

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// A releaser is a message whose body is referred to.
type releaser interface{ Release() }

// Frames are octets to be written, in segments: chunks in which frames were put one
// after the other, and large bodies let in between, which are written from where
// they lie. Nothing that was put in is moved again.
type frames struct {
	segments []segment
	size     int // octets in all
}

// A segment is a run of octets.
type segment struct {
	octets []byte
	chunk  *chunk   // given back when written; nil for bodies
	owner  releaser // released when written; nil for chunks
}

// room returns the end of the last segment as a buffer to append n octets to, in a new
// chunk if the last has no room for them.
func (f *frames) room(n int) []byte {
	if k := len(f.segments); k > 0 {
		last := &f.segments[k-1]
		if last.chunk != nil && cap(last.octets)-len(last.octets) >= n {
			return last.octets
		}
	}
	s := segment{chunk: chunks.Get().(*chunk)}
	s.octets = s.chunk[:0]
	if n > chunkSize { // one frame with a large table, say
		s.octets = make([]byte, 0, n)
	}
	f.segments = append(f.segments, s)
	return s.octets
}

// put takes back the buffer of room and returns how many octets were appended.
func (f *frames) put(buf []byte) (n int) {
	last := &f.segments[len(f.segments)-1]
	n = len(buf) - len(last.octets)
	last.octets = buf
	f.size += n
	return n
}

// refer adds octets from where they lie. What follows goes on in the same chunk.
func (f *frames) refer(octets []byte, owner releaser) {
	last := &f.segments[len(f.segments)-1]
	free := segment{octets: last.octets[len(last.octets):], chunk: last.chunk}
	last.chunk = nil
	f.segments = append(f.segments, segment{octets: octets, owner: owner}, free)
	f.size += len(octets)
}

// join adds all of others, which are used no more.
func (f *frames) join(others frames) {
	f.segments = append(f.segments, others.segments...)
	f.size += others.size
}

// writeTo writes the frames in one go and lets go of their memory. vector is scratch,
// and is returned for the next call.
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

// release lets go of the memory and makes the frames ready to be filled again.
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
