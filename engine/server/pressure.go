package server

import "harelab/engine/wire"

// waitPressure waits while the broker is short of a resource or its store is behind, if the
// connection has published: others free resources. The connection's octets stay in the
// socket, so that TCP holds the peer back. A peer that understands connection.blocked gets
// it, once, with the reason that came first. The peer's heartbeats are not read meanwhile,
// and not missed.
func (c *conn) waitPressure() {
	if !c.publisher {
		return
	}
	blocked := false
	for reason, over := c.srv.opts.Broker.Pressure(); over != nil; reason, over = c.srv.opts.Broker.Pressure() {
		if !blocked {
			blocked = true
			c.block(true)
			c.sendBlocked(&wire.ConnectionBlocked{Reason: reason})
		}
		select {
		case <-over:
			continue
		case <-c.gone:
		case <-c.srv.stopping:
		}
		break
	}
	if blocked {
		c.block(false)
		c.sendBlocked(&wire.ConnectionUnblocked{})
	}
}

// block notes that the connection is not read, or is read again.
func (c *conn) block(on bool) {
	c.beat.pause(on)
	c.broker.SetBlocked(on)
}

// sendBlocked sends connection.blocked or connection.unblocked to a client that
// understands them.
func (c *conn) sendBlocked(m wire.Method) {
	if c.knowsBlocked {
		c.out.urgent(m)
		c.wake()
	}
}
