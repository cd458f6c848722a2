package broker

import (
	"slices"

	"harelab/engine/queue"
	"harelab/engine/wire"
)

// txState is what waits for a commit.
type txState struct {
	publishes []txPublish
	settled   []txSettle
}

type txPublish struct {
	exchange  *Exchange
	msg       *Message // with a reference
	keys      [][]byte // CC and BCC
	ttl       int64
	mandatory bool
}

type txSettle struct {
	kind queue.Kind
	unsettled
}

func (tx *txState) publish(x *Exchange, m *Message, keys [][]byte, ttl int64, mandatory bool) {
	copies := make([][]byte, 0, len(keys)-1)
	for _, k := range keys[1:] {
		copies = append(copies, slices.Clone(k))
	}
	tx.publishes = append(tx.publishes, txPublish{x, m, copies, ttl, mandatory})
}

func (tx *txState) settle(kind queue.Kind, us []unsettled) {
	for _, u := range us {
		tx.settled = append(tx.settled, txSettle{kind, u})
	}
}

// ConfirmSelect has publishes confirmed from now on.
//
// Errors: 406 with tx.
func (ch *Channel) ConfirmSelect() error {
	if ch.mode == modeTx {
		return wire.Errorf(wire.PreconditionFailed, "cannot switch from tx to confirm mode")
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
		return wire.Errorf(wire.PreconditionFailed, "cannot switch from confirm to tx mode")
	}
	ch.mode = modeTx
	return nil
}

var errNotTransactional = wire.Errorf(wire.PreconditionFailed, "channel is not transactional")

// TxCommit carries out what waits. Mandatory publishes that no queue took are
// returned to the caller, which sends and releases them before tx.commit-ok.
//
// Errors: 406 without tx, and if the user may no longer write to an exchange or one
// is gone.
func (ch *Channel) TxCommit() (unroutable []*Message, err error) {
	if ch.mode != modeTx {
		return nil, errNotTransactional
	}
	t := ch.begin()
	tx := ch.tx
	ch.tx = txState{}
	for _, p := range tx.publishes {
		switch {
		case ch.commit(t, p):
		case p.mandatory:
			unroutable = append(unroutable, p.msg)
		default:
			p.msg.Release()
		}
	}
	for len(tx.settled) > 0 {
		kind := tx.settled[0].kind
		t.settled = t.settled[:0]
		for len(tx.settled) > 0 && tx.settled[0].kind == kind {
			t.settled = append(t.settled, tx.settled[0].unsettled)
			tx.settled = tx.settled[1:]
		}
		ch.finish(t, kind, t.settled)
	}
	if t.stored {
		err = t.broker.store.Sync()
	}
	t.end()
	return unroutable, err
}

// commit sends one message of a transaction. It reports whether a queue was found,
// which then has the reference.
func (ch *Channel) commit(t *turn, p txPublish) (routed bool) {
	if p.exchange.deleted.Load() {
		return false
	}
	t.keys = append(append(t.keys[:0], p.msg.RoutingKey()), p.keys...)
	t.route(p.exchange, p.msg.Properties())
	if len(t.queues) == 0 {
		return false
	}
	t.enqueue(p.msg, p.ttl)
	return true
}

// TxRollback forgets what waits. What was acked is unsettled again.
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
		p.msg.Release()
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, s := range ch.tx.settled {
		ch.unacked.restore(s.unsettled)
	}
	ch.tx = txState{}
}
