package server

import (
	"net"

	"harelab/engine/wire"
)

// write writes what is in the outbox until it is finished.
func (c *conn) write() {
	defer close(c.gone)
	var spare frames
	var segments net.Buffers
	for {
		f, ok := c.out.take(spare)
		if !ok {
			c.closeWrite()
			return
		}
		var err error
		if segments, err = f.writeTo(c.nc, segments); err != nil {
			c.out.abandon()
			c.nc.Close()
			return
		}
		c.beat.sawWrite()
		if stalled := c.out.sent(f.size); len(stalled) > 0 {
			c.resume(stalled)
		}
		f.empty()
		spare = f
	}
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
	defer c.contain()
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
	c.out.tellLate()
	c.out.wake()
}

// sendHeartbeat is called when nothing was written for a while. If something waits to
// be, the peer does not read, and one more frame would not help.
func (c *conn) sendHeartbeat() {
	buf, ok := c.out.begin()
	if !ok {
		return
	}
	if c.out.unsent == 0 {
		buf = wire.AppendHeartbeat(buf)
	}
	c.out.end(buf)
	c.out.wake()
}

// lost is called when no heartbeat came.
func (c *conn) lost() {
	c.log.Info("missed heartbeats from client", "user", c.user, "timeout", c.beat.interval)
	c.nc.Close()
}
