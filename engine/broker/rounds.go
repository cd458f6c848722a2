package broker

import (
	"log/slog"
	"sync"

	"harelab/engine/internal/failstop"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// A Round is a set of changes that the store makes durable together; see [store.Round].
type Round = store.Round

// rounds lists the connections that wait for the store and settles them when a round is
// durable. It is the store's observer. Its lock is held while Sinks are called, and is
// taken while no lock of a queue or channel is held.
type rounds struct {
	logger  *slog.Logger
	mu      roundsMutex
	done    Round // the last round that is durable
	err     error // why the store has failed
	waiting []*Conn
	change  sync.Cond // signals changes of done and err to Sync
	batch   Batch     // for Completed and Failed, which are called one at a time
}

// waits holds what a connection waits for. The lock of rounds guards it.
type waits struct {
	confirms    []roundConfirms // in order of rounds
	answers     Round           // the last round that held answers wait for; 0: none
	unconfirmed Round           // the last round with publishes of channels without confirms; 0: none
	listed      bool            // the connection is in rounds.waiting
}

// roundConfirms is a span of publishes that are confirmed when a round is durable.
type roundConfirms struct {
	round   Round
	channel *Channel
	span
}

// A span is a run of publish numbers of a channel, both ends included.
type span struct{ first, last uint64 }

// Completed implements [store.Observer]: it settles what waits for round r, for all
// connections at once.
func (s *rounds) Completed(r Round) {
	defer failstop.Report(s.logger)
	s.mu.Lock()
	s.done = r
	left := s.waiting[:0]
	for _, c := range s.waiting {
		if c.waits.listed = !s.settle(c, &s.batch); c.waits.listed {
			left = append(left, c)
		}
	}
	clear(s.waiting[len(left):])
	s.waiting = left
	s.change.Broadcast()
	s.mu.Unlock()
	s.batch.Flush()
}

// Failed implements [store.Observer]: it nacks the publishes that wait for a round.
// Connections that wait for anything else end, since AMQP has no other way to say that
// what they did is lost.
func (s *rounds) Failed(err error) {
	defer failstop.Report(s.logger)
	s.logger.Error("the store has failed: nothing persistent is accepted any more", "error", err)
	s.mu.Lock()
	s.err = err
	for i, c := range s.waiting {
		s.waiting[i] = nil
		c.waits.listed = false
		s.fail(c, &s.batch)
	}
	s.waiting = nil
	s.change.Broadcast()
	s.mu.Unlock()
	s.batch.Flush()
}

// settle settles what a connection waits for up to round s.done, and reports whether that
// was all.
func (s *rounds) settle(c *Conn, b *Batch) (all bool) {
	w := &c.waits
	n := 0
	for n < len(w.confirms) && w.confirms[n].round <= s.done {
		w.confirms[n].settle(true, b)
		n++
	}
	w.confirms = w.confirms[:copy(w.confirms, w.confirms[n:])]
	if w.answers != 0 {
		if c.opts.Durable != nil {
			c.opts.Durable(s.done, b)
		}
		if w.answers <= s.done {
			w.answers = 0
		}
	}
	if w.unconfirmed <= s.done {
		w.unconfirmed = 0
	}
	return len(w.confirms) == 0 && w.answers == 0 && w.unconfirmed == 0
}

// fail is settle for a store that has failed.
func (s *rounds) fail(c *Conn, b *Batch) {
	w := &c.waits
	for i := range w.confirms {
		w.confirms[i].settle(false, b)
	}
	if (w.answers != 0 || w.unconfirmed != 0) && c.opts.Ended != nil {
		c.opts.Ended(errStore(s.err))
	}
	*w = waits{}
}

// settle settles the publishes, unless their channel is closed.
func (p *roundConfirms) settle(ok bool, b *Batch) {
	if !p.channel.confirmsEnded {
		p.channel.sink.Confirmed(p.first, p.last, ok, b)
	}
}

// close ends the confirms of a channel.
func (s *rounds) close(ch *Channel) {
	s.mu.Lock()
	ch.confirmsEnded = true
	s.mu.Unlock()
}

// commit ends the open round.
func (b *Broker) commit() Round {
	b.recordsChanged.Store(false)
	return b.store.Commit()
}

// Sync ends the open round and waits until all changes so far are durable. Callers without
// a [Conn] use it before they say that something is done: at start, after an import of
// definitions, in an HTTP handler. Many callers share a round. Without a store there is
// nothing to wait for.
//
// Errors: 541 if the store has failed.
func (b *Broker) Sync() error {
	if b.store == nil {
		return nil
	}
	s := &b.rounds
	r := b.commit()
	if err := b.store.Failed(); err != nil {
		return errStore(err) // the store ignores changes, so r says nothing about the last ones
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.done < r {
		if s.err != nil {
			return errStore(s.err)
		}
		s.change.Wait()
	}
	return nil
}

// errStore returns the exception for changes that cannot be made durable.
func errStore(err error) error { return refuse(wire.InternalError, "store: %v", err) }

// mayStore returns an exception if a durable change is about to be made and the store has
// failed: the broker accepts nothing that a restart would not find.
func (b *Broker) mayStore(durable bool) error {
	if !durable {
		return nil
	}
	if err := b.Failed(); err != nil {
		return errStore(err)
	}
	return nil
}

// Holding reports whether answers to calls since the last Commit have to be held for the
// round that the next Commit returns: they say something that is not durable yet.
func (c *Conn) Holding() bool { return c.holding }

// Commit ends a burst of calls and makes the store write their changes as soon as it can.
// Publishes with [ConfirmLater] are confirmed when the changes are durable. Commit returns
// the round that held answers have to wait for, or 0 if they need not wait; Durable of
// [ConnOptions] is called when the round is durable.
//
// The caller commits at the end of each burst of calls on a connection, before it flushes
// the Batch.
func (c *Conn) Commit() Round {
	op := &c.op
	b := c.vhost.broker
	if op.held > reportAbove || op.held < -reportAbove {
		op.report()
	}
	op.commitSpill()
	if !op.changed && !c.holding && !b.recordsChanged.Load() {
		return 0
	}
	op.changed = false
	r := b.commit()
	if !c.holding && !c.unconfirmed && len(c.confirming) == 0 {
		return 0
	}
	return b.rounds.wait(c, r)
}

// wait notes what a connection waits for, or settles it if round r is durable already. It
// returns the round that held answers have to wait for, or 0.
func (s *rounds) wait(c *Conn, r Round) Round {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &c.waits
	for i, ch := range c.confirming {
		c.confirming[i] = nil
		for _, p := range ch.unsaved {
			w.confirms = append(w.confirms, roundConfirms{r, ch, p})
		}
		ch.unsaved = ch.unsaved[:0]
	}
	c.confirming = c.confirming[:0]
	held := c.holding && r > s.done
	if held {
		w.answers = r
	}
	if c.unconfirmed {
		w.unconfirmed = r
	}
	c.holding, c.unconfirmed = false, false
	switch {
	case r <= s.done:
		s.settle(c, &c.batch)
	case s.err != nil:
		s.fail(c, &c.batch)
	case !w.listed:
		w.listed = true
		s.waiting = append(s.waiting, c)
	}
	if held {
		return r
	}
	return 0
}
