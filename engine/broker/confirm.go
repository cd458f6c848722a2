package broker

// confirm returns the confirm of a publish on a channel with confirms. A publish that a
// queue refused is nacked, one that the store has still to write is confirmed after the
// next Commit, and any other is acked.
func (ch *Channel) confirm(op *operation, seq uint64) Confirm {
	switch {
	case op.refused:
		return ConfirmNack
	case !op.stored:
		return ConfirmAck
	}
	if len(ch.unsaved) == 0 {
		ch.conn.confirming = append(ch.conn.confirming, ch)
	} else if last := &ch.unsaved[len(ch.unsaved)-1]; last.last+1 == seq {
		last.last = seq
		return ConfirmLater
	}
	ch.unsaved = append(ch.unsaved, span{seq, seq})
	return ConfirmLater
}
