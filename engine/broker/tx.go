package broker

import (
	"slices"

	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

// txState holds the publishes and settlements that wait for TxCommit.
type txState struct {
	publishes []txPublish
	settled   []txSettle
}

// A txPublish is a message that was routed when it was published.
type txPublish struct {
	msg       *message.Message // the transaction holds a reference
	queues    []*Queue
	keeping   []keeping
	ttl       int64 // milliseconds; -1: none
	mandatory bool
}

type txSettle struct {
	kind queue.Kind
	unsettled
}

func (tx *txState) settle(kind queue.Kind, deliveries []unsettled) {
	for _, u := range deliveries {
		tx.settled = append(tx.settled, txSettle{kind, u})
	}
}

// ConfirmSelect turns on confirms for the publishes that follow.
//
// Errors: 406 with tx.
func (ch *Channel) ConfirmSelect() error {
	if ch.mode == modeTx {
		return refuse(wire.PreconditionFailed, "cannot switch from tx to confirm mode")
	}
	ch.mode = modeConfirm
	return nil
}

// TxSelect makes the channel transactional: publishes, acks, nacks and rejects wait
// for TxCommit.
//
// Errors: 406 with confirms.
func (ch *Channel) TxSelect() error {
	if ch.mode == modeConfirm {
		return refuse(wire.PreconditionFailed, "cannot switch from confirm to tx mode")
	}
	ch.mode = modeTx
	return nil
}

var errNotTransactional = refuse(wire.PreconditionFailed, "channel is not transactional")

// CommitOptions are callbacks of a commit. Both may be nil.
type CommitOptions struct {
	// Returned is called for each mandatory publish that no queue takes. The
	// message is valid during the call.
	Returned func(*message.Message)

	// Published is called when all messages are enqueued and before deliveries are
	// settled. A server puts its answer here, before the deliveries that settling
	// causes, but sends the answer only after TxCommit has returned, and after the round
	// of [Conn.Commit] if [Conn.Holding] says so.
	Published func()
}

// TxCommit carries out the transaction: first the publishes, then the settlements.
//
// Errors: 406 without tx. 406 if a queue refused a message, 541 if a message has to be
// stored and the store has failed; the rest of the transaction is carried out then.
func (ch *Channel) TxCommit(o CommitOptions) error {
	if ch.mode != modeTx {
		return errNotTransactional
	}
	op := ch.begin()
	tx := ch.tx
	ch.tx = txState{}
	err := op.commitPublishes(tx.publishes, o.Returned)
	if o.Published != nil {
		o.Published()
	}
	for len(tx.settled) > 0 {
		kind := tx.settled[0].kind
		op.settled = op.settled[:0]
		for len(tx.settled) > 0 && tx.settled[0].kind == kind {
			op.settled = append(op.settled, tx.settled[0].unsettled)
			tx.settled = tx.settled[1:]
		}
		ch.finish(op, kind, op.settled)
	}
	op.end()
	ch.conn.promise(op.changed) // with a connection it returns no error
	return err
}

// commitPublishes enqueues the messages of a transaction, after it has returned those
// without a queue.
func (op *operation) commitPublishes(publishes []txPublish, returned func(*message.Message)) error {
	for i := range publishes {
		p := &publishes[i]
		if len(p.keeping) > 0 {
			op.keepCommitted(p)
		}
		p.queues = slices.DeleteFunc(p.queues, (*Queue).isDeleted)
		if len(p.queues) > 0 {
			continue
		}
		if p.mandatory && returned != nil {
			returned(p.msg)
		}
		op.release(p.msg)
	}
	for _, p := range publishes {
		if len(p.queues) == 0 {
			continue
		}
		op.queues = append(op.queues[:0], p.queues...)
		if err := op.mayEnqueue(p.msg); err != nil {
			op.failed = err
			op.release(p.msg)
			continue
		}
		properties := wire.ViewProperties(p.msg.Properties())
		op.headers = properties.Headers()
		op.enqueue(p.msg, p.ttl)
	}
	if op.failed != nil {
		return op.failed
	}
	if op.refused {
		return refuse(wire.PreconditionFailed, "partial tx completion")
	}
	return nil
}

// keepCommitted gives a message to the exchanges that keep it.
func (op *operation) keepCommitted(p *txPublish) {
	op.keeping = append(op.keeping[:0], p.keeping...)
	properties := wire.ViewProperties(p.msg.Properties())
	op.keep(p.msg.Exchange(), p.msg.RoutingKey(), &properties, p.msg.Body(), p.msg.AppendHidden(nil))
}

// TxRollback drops the transaction. Its settlements are undone: the deliveries are
// unsettled again.
//
// Errors: 406 without tx.
func (ch *Channel) TxRollback() error {
	if ch.mode != modeTx {
		return errNotTransactional
	}
	ch.rollback()
	return nil
}

func (ch *Channel) rollback() {
	for _, p := range ch.tx.publishes {
		ch.conn.op.release(p.msg)
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, s := range ch.tx.settled {
		ch.unacked.restore(s.unsettled)
	}
	ch.tx = txState{}
}
