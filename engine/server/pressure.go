package server

import "harelab/engine/wire"

// blockedReason is the reason in connection.blocked.
const blockedReason = "the store is behind"

// waitStore waits while the broker's store is behind, if the connection has published. Its
// octets stay in the socket, so that TCP holds the peer back. A peer that understands
// connection.blocked gets it. The peer's heartbeats are not read meanwhile, and not
// missed.
func (c *conn) waitStore() {
	if !c.publisher {
		return
	}
	blocked := false
	for p := c.srv.opts.Broker.Pressure(); p != nil; p = c.srv.opts.Broker.Pressure() {
		if !blocked {
			blocked = true
			c.beat.pause(true)
			c.sendBlocked(&wire.ConnectionBlocked{Reason: blockedReason})
		}
		select {
		case <-p:
			continue
		case <-c.gone:
		case <-c.srv.stopping:
		}
		break
	}
	if blocked {
		c.beat.pause(false)
		c.sendBlocked(&wire.ConnectionUnblocked{})
	}
}

// sendBlocked sends connection.blocked or connection.unblocked to a client that
// understands them.
func (c *conn) sendBlocked(m wire.Method) {
	if c.knowsBlocked {
		c.out.urgent(m)
		c.wake()
	}
}
