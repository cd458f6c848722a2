package broker

// confirm settles a publish on a channel with confirms, as far as that is possible
// now: what the store has still to write is confirmed later.
func (ch *Channel) confirm(t *turn, seq uint64) Confirm {
	if t.stored {
		t.stored = false
		if !t.broker.store.Commit(&confirmWaiter{ch, seq, t.refused}) {
			return ConfirmLater
		}
	}
	if t.refused {
		return ConfirmNack
	}
	return ConfirmAck
}

// confirmWaiter confirms a publish once the store has it.
type confirmWaiter struct {
	channel *Channel
	seq     uint64
	refused bool
}

// Committed implements [store.Waiter].
func (w *confirmWaiter) Committed(err error) {
	ch := w.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.sink.Confirmed(w.seq, err == nil && !w.refused, nil)
}
