package server

import (
	"net"

	"harelab/engine/internal/failstop"
)

// write writes the frames of the outbox until the outbox is finished and empty.
func (c *conn) write() {
	defer close(c.gone)
	defer failstop.Report(c.log)
	var vector net.Buffers
	for {
		f, ok := c.out.take()
		if !ok {
			if c.out.hasLost() { // the last method may be among what was lost
				c.closeWrite()
			}
			return
		}
		n := f.size
		var err error
		if vector, err = f.writeTo(c.nc, vector); err != nil {
			c.out.abandon()
			c.socket.Close()
			return
		}
		c.out.reuse(f)
		c.beat.sawWrite()
		if stalled := c.out.sent(n); len(stalled) > 0 {
			c.resume(stalled)
		}
	}
}

// A tryWriter is a connection that can be written to without waiting.
type tryWriter interface {
	// tryWrite writes as many octets as the connection has room for. It does not report
	// errors; the next Write returns them.
	tryWrite(b []byte) (n int)
}

// wake makes sure that the frames of the outbox are written. If the writer is parked and
// there is little to write, wake writes it itself, which saves waking the writer.
func (c *conn) wake() {
	if !c.out.claim() {
		return // the writer is writing
	}
	for c.try != nil {
		f, ok, done := c.out.takeSmall()
		if done {
			return
		}
		if !ok {
			break
		}
		n := c.try.tryWrite(f.segments[0].octets)
		c.beat.sawWrite()
		c.out.sent(n) // so few octets do not stall a consumer
		if n < f.size {
			f.segments[0].octets = f.segments[0].octets[n:]
			f.size -= n
			c.out.putBack(f)
			break
		}
		f.release()
		c.out.reuse(f)
	}
	c.out.kick <- struct{}{}
}

// closeWrite ends the direction to the peer, if the transport can end one direction.
func (c *conn) closeWrite() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

// resume resumes the consumers of channels.
func (c *conn) resume(stalled []*channel) {
	c.work.Lock()
	defer c.work.Unlock()
	if c.ended {
		return
	}
	for _, ch := range stalled {
		if !ch.closing && c.channel(ch.id) == ch {
			ch.broker.Resume()
		}
	}
	c.broker.Batch().Flush()
}

// Wake implements [broker.Waker]: it confirms late settlements and makes sure that the
// frames of the outbox are written.
func (c *conn) Wake() {
	c.out.sendLate()
	c.wake()
}

// sendHeartbeat is called when nothing was written for half an interval. If frames wait to
// be written, the peer does not read, and another frame would not help.
func (c *conn) sendHeartbeat() {
	defer failstop.Report(c.log)
	c.out.heartbeat()
	c.wake()
}

// lost is called when nothing came for two intervals.
func (c *conn) lost() {
	c.log.Info("missed heartbeats from client", "user", c.user, "timeout", c.beat.interval)
	c.socket.Close()
}
