//go:build unix

package server

import (
	"net"
	"syscall"
)

// newTryWriter returns a tryWriter for nc, or nil if nc cannot write without waiting.
func newTryWriter(nc net.Conn) tryWriter {
	switch nc := nc.(type) {
	case tryWriter:
		return nc
	case syscall.Conn: // a socket; TLS does not expose its socket
		if raw, err := nc.SyscallConn(); err == nil {
			t := &trySocket{raw: raw}
			t.once = t.write
			return t
		}
	}
	return nil
}

// A trySocket writes to a socket without waiting: the runtime keeps sockets in
// non-blocking mode, so a write returns if the socket has no room.
type trySocket struct {
	raw  syscall.RawConn
	once func(fd uintptr) bool // the method value write, made once so that tryWrite does not allocate
	b    []byte
	n    int
}

func (t *trySocket) tryWrite(b []byte) int {
	t.b, t.n = b, 0
	t.raw.Write(t.once)
	t.b = nil
	return max(t.n, 0)
}

func (t *trySocket) write(fd uintptr) (done bool) {
	t.n, _ = syscall.Write(int(fd), t.b)
	return true
}
