package server

import "harelab/engine/wire"

// blockedReason is what connection.blocked tells.
const blockedReason = "the store is behind"

// waitStore holds back a connection that has published while the broker's store cannot
// keep up: its octets stay where they are, so that its peer is held back too, and is told
// if it understands. Heartbeats that the peer sends are not read and not missed.
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

// tellBlocked sends connection.blocked or connection.unblocked to a client that knows
// them.
func (c *conn) sendBlocked(m wire.Method) {
	if c.knowsBlocked {
		c.out.urgent(m)
		c.wake()
	}
}
