package broker

import (
	"log/slog"
	"sync"

	"harelab/engine/internal/failstop"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// A Round is what the store makes durable together; see [store.Round].
type Round = store.Round

// rounds knows which connections wait for the store and settles them. It is the
// store's observer. Its lock is held while Sinks are called, and taken with no lock of
// a queue or channel held.
type rounds struct {
	logger  *slog.Logger
	mu      roundsMutex
	done    Round // the last round that is durable
	err     error // why the store has failed
	waiting []*Conn
	change  sync.Cond // of done and err, for sync
	batch   Batch     // of the observer's calls, which come one at a time
}

// waits is what a connection waits for, under the lock of rounds.
type waits struct {
	confirms    []roundConfirms // in order of rounds
	answers     Round           // an answer is held for it, 0: none
	unconfirmed Round           // it has publishes that nobody will confirm, 0: none
	listed      bool            // in rounds.waiting
}

// roundConfirms are publishes of a channel, first to last, that a round confirms.
type roundConfirms struct {
	round   Round
	channel *Channel
	span
}

// publishes is a run of publish numbers of a channel, both ends included.
type span struct{ first, last uint64 }

// Completed implements [store.Observer]: all that waited for round r is settled, for all
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

// Failed implements [store.Observer]: publishes that wait are nacked. Connections that
// wait for more than confirms cannot be told otherwise, so they end.
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

// settle tells a connection what the rounds up to s.done settle, and reports whether it
// waits for nothing more.
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

// tell settles publishes, unless their channel is closed.
func (p *roundConfirms) settle(ok bool, b *Batch) {
	if !p.channel.confirmsEnded {
		p.channel.sink.Confirmed(p.first, p.last, ok, b)
	}
}

// close has a channel hear of no more confirms.
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

// sync waits until all that was changed so far is durable.
func (b *Broker) sync() error {
	if b.store == nil {
		return nil
	}
	s := &b.rounds
	r := b.commit()
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

// errStore is the exception for what cannot be made durable.
func errStore(err error) error { return refuse(wire.InternalError, "store: %v", err) }

// mayStore returns an exception if something durable is about to change and the store
// has failed: nothing is accepted that a restart would not find.
func (b *Broker) mayStore(durable bool) error {
	if !durable || b.store == nil {
		return nil
	}
	if err := b.store.Failed(); err != nil {
		return errStore(err)
	}
	return nil
}

// Holding reports whether the answers to the calls since the last Commit have to wait for
// the round that Commit is going to return: what they say is not durable yet.
func (c *Conn) Holding() bool { return c.holding }

// Commit ends a burst of calls: what they changed is to be made durable as soon as can
// be. Publishes that were told [ConfirmLater] are confirmed when it is. Commit returns
// the round that held answers wait for, of which [ConnOptions] Durable tells, or 0 if
// they need not wait.
//
// Whoever makes calls on a connection commits at the end of each burst of them, before
// it flushes the Batch.
func (c *Conn) Commit() Round {
	op := &c.op
	b := c.vhost.broker
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

// wait notes what a connection waits for, or settles it if round r was told already. It
// returns the round that answers are held for, if it is still to come.
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
