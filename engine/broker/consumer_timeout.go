package broker

import (
	"slices"

	"harelab/engine/wire"
)

// timeouts lists the deliveries of a channel that have to be settled in time
// (x-consumer-timeout). Entries of settled ones go when they are found. The channel's lock
// guards it.
type timeouts struct {
	entries []timedDelivery // in order of tags
	timer   Timer           // runs until due; nil: not running
	due     int64
}

type timedDelivery struct {
	tag          uint64
	due, timeout int64 // microseconds
}

// expect notes that the latest delivery must be settled within some microseconds. The
// channel is locked.
func (ch *Channel) expect(op *operation, timeout int64) {
	if ch.conn.opts.ChannelEnded == nil {
		return
	}
	if ch.timeouts == nil {
		ch.timeouts = new(timeouts)
	}
	t := ch.timeouts
	settled := 0
	for settled < len(t.entries) && !ch.unacked.holds(t.entries[settled].tag) {
		settled++
	}
	t.entries = append(slices.Delete(t.entries, 0, settled), timedDelivery{ch.lastTag, op.time() + timeout, timeout})
	if t.timer == nil || op.time()+timeout < t.due {
		ch.armTimeouts(op)
	}
}

// armTimeouts sets the timer for the entry that is due first. The channel is locked.
func (ch *Channel) armTimeouts(op *operation) {
	t := ch.timeouts
	t.stop()
	for i, e := range t.entries {
		if i == 0 || e.due < t.due {
			t.due = e.due
		}
	}
	if len(t.entries) > 0 {
		t.timer = op.broker.after(max(t.due-op.time(), 0), ch.checkTimeouts)
	}
}

func (t *timeouts) stop() {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// checkTimeouts ends the channel if a delivery is overdue (rabbit_channel,
// evaluate_consumer_timeout/1).
func (ch *Channel) checkTimeouts(op *operation) {
	timeout := ch.overdue(op)
	if timeout > 0 {
		ch.conn.opts.ChannelEnded(ch, refuse(wire.PreconditionFailed, "delivery acknowledgement on channel %d timed out. "+
			"Timeout value used: %d ms. This timeout value can be configured, see consumers doc guide to learn more", ch.id, timeout/1000))
	}
}

// overdue returns the timeout of a delivery that is overdue, or sets the timer again and
// returns 0.
func (ch *Channel) overdue(op *operation) (timeout int64) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	t := ch.timeouts
	if t == nil {
		return 0 // the channel was closed
	}
	t.entries = slices.DeleteFunc(t.entries, func(e timedDelivery) bool { return !ch.unacked.holds(e.tag) })
	for _, e := range t.entries {
		if e.due <= op.time() {
			return e.timeout
		}
	}
	ch.armTimeouts(op)
	return 0
}

// endTimeouts forgets the timeouts of a channel that is closed. The channel is locked.
func (ch *Channel) endTimeouts() {
	if ch.timeouts != nil {
		ch.timeouts.stop()
		ch.timeouts = nil
	}
}
