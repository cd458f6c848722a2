package server

import (
	"net"

	"harelab/engine/internal/failstop"
)

// write writes what is in the outbox until it is finished.
func (c *conn) write() {
	defer close(c.gone)
	defer failstop.Report(c.log)
	var vector net.Buffers
	for {
		f, ok := c.out.take()
		if !ok {
			c.closeWrite()
			return
		}
		n := f.size
		var err error
		if vector, err = f.writeTo(c.nc, vector); err != nil {
			c.out.abandon()
			c.nc.Close()
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
	// tryWrite writes what there is room for. An error that waiting cannot mend is
	// left for the next Write to find.
	tryWrite(b []byte) (n int)
}

// wake has what is in the outbox written. If the writer is asleep and there is little to
// write, it is done here and now, which saves waking it.
func (c *conn) wake() {
	if !c.out.claim() {
		return // the writer is at it
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
		c.out.sent(n) // too little to have stalled anyone
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

// closeWrite tells the peer that nothing more will come, where the transport can.
func (c *conn) closeWrite() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

// resume tells the broker that the consumers of the channels can take more.
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

// Wake implements [broker.Waker]: what was put into the outbox is to be written.
func (c *conn) Wake() {
	c.out.sendLate()
	c.wake()
}

// sendHeartbeat is called when nothing was written for a while. If something waits to
// be, the peer does not read, and one more frame would not help.
func (c *conn) sendHeartbeat() {
	defer failstop.Report(c.log)
	c.out.heartbeat()
	c.wake()
}

// lost is called when no heartbeat came.
func (c *conn) lost() {
	c.log.Info("missed heartbeats from client", "user", c.user, "timeout", c.beat.interval)
	c.nc.Close()
}
