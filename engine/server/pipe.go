package server

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeRoom is the number of octets that one direction of a [Pipe] holds before a writer
// waits, about as many as a loopback socket holds.
const pipeRoom = 256 << 10

// Pipe returns the two ends of a connection in memory. Unlike [net.Pipe] it buffers what
// was written, as a socket does, so that a peer that writes before it reads does not hang.
// Both ends have CloseWrite. With a Pipe a broker and its clients can live in one process,
// and in one [testing/synctest] bubble.
func Pipe() (client, server net.Conn) {
	up, down := newHalf(), newHalf()
	return &pipeEnd{in: down, out: up, name: "client"}, &pipeEnd{in: up, out: down, name: "server"}
}

// A pipeEnd is one of the two ends. It reads from one half and writes to the other.
type pipeEnd struct {
	in, out *half
	name    string
}

func (p *pipeEnd) Read(b []byte) (int, error)  { return p.in.read(b) }
func (p *pipeEnd) Write(b []byte) (int, error) { return p.out.write(b) }
func (p *pipeEnd) tryWrite(b []byte) (n int)   { return p.out.tryWrite(b) }

// Close ends both directions. The peer can still read what was written before.
func (p *pipeEnd) Close() error {
	p.out.closeWrite()
	p.in.closeRead()
	return nil
}

// CloseWrite ends the direction to the peer.
func (p *pipeEnd) CloseWrite() error {
	p.out.closeWrite()
	return nil
}

func (p *pipeEnd) LocalAddr() net.Addr  { return pipeAddr(p.name) }
func (p *pipeEnd) RemoteAddr() net.Addr { return pipeAddr("peer of " + p.name) }

func (p *pipeEnd) SetDeadline(t time.Time) error {
	p.in.setDeadline(&p.in.readBy, t)
	p.out.setDeadline(&p.out.writeBy, t)
	return nil
}

func (p *pipeEnd) SetReadDeadline(t time.Time) error {
	p.in.setDeadline(&p.in.readBy, t)
	return nil
}

func (p *pipeEnd) SetWriteDeadline(t time.Time) error {
	p.out.setDeadline(&p.out.writeBy, t)
	return nil
}

// A pipeAddr is the address of an end: its name.
type pipeAddr string

func (pipeAddr) Network() string  { return "memory" }
func (a pipeAddr) String() string { return "memory:" + string(a) }

// A half is one direction: a bounded queue of octets.
type half struct {
	mu       sync.Mutex
	readable sync.Cond
	writable sync.Cond

	data []byte // data[off:] was written and not read
	off  int

	written bool // the writer has closed it
	unread  bool // the reader has closed it

	readBy, writeBy deadline
}

// A deadline is a point in time after which calls fail; timer is nil without one.
type deadline struct {
	timer  *time.Timer
	passed bool
}

func newHalf() *half {
	h := new(half)
	h.readable.L, h.writable.L = &h.mu, &h.mu
	return h
}

func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.unread:
			return 0, net.ErrClosed
		case h.readBy.passed:
			return 0, os.ErrDeadlineExceeded
		case h.off < len(h.data):
			n := copy(b, h.data[h.off:])
			h.off += n
			if h.off == len(h.data) {
				h.data, h.off = h.data[:0], 0
			}
			h.writable.Signal()
			return n, nil
		case h.written:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		}
		h.readable.Wait()
	}
}

func (h *half) write(b []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.written:
			return n, net.ErrClosed
		case h.unread:
			return n, io.ErrClosedPipe
		case h.writeBy.passed:
			return n, os.ErrDeadlineExceeded
		case len(b) == 0:
			return n, nil
		}
		if room := pipeRoom - (len(h.data) - h.off); room > 0 {
			piece := b[:min(room, len(b))]
			h.keep(piece)
			n, b = n+len(piece), b[len(piece):]
			h.readable.Signal()
			continue
		}
		h.writable.Wait()
	}
}

// tryWrite writes as many octets as there is room for.
func (h *half) tryWrite(b []byte) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n = min(pipeRoom-(len(h.data)-h.off), len(b))
	if h.written || h.unread || n <= 0 {
		return 0
	}
	h.keep(b[:n])
	h.readable.Signal()
	return n
}

// keep appends b. If there is no room behind the unread octets, it moves them to the
// front, over those that were read.
func (h *half) keep(b []byte) {
	if h.off > 0 && len(h.data)+len(b) > cap(h.data) {
		h.data = h.data[:copy(h.data, h.data[h.off:])]
		h.off = 0
	}
	h.data = append(h.data, b...)
}

func (h *half) closeWrite() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.written = true
	h.stop(&h.writeBy)
	h.wakeAll()
}

func (h *half) closeRead() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unread = true
	h.data, h.off = nil, 0
	h.stop(&h.readBy)
	h.wakeAll()
}

func (h *half) wakeAll() {
	h.readable.Broadcast()
	h.writable.Broadcast()
}

// stop cancels a deadline. The caller holds h.mu.
func (h *half) stop(d *deadline) {
	if d.timer != nil {
		d.timer.Stop()
	}
	*d = deadline{}
}

func (h *half) setDeadline(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stop(d)
	if t.IsZero() || h.written && h.unread {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		h.wakeAll()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.timer == timer { // not replaced while the timer fired
			d.passed = true
			h.wakeAll()
		}
	})
	d.timer = timer
}
