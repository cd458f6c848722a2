package sim

import (
	"cmp"
	"slices"

	"harelab/loadgen"
	"harelab/loadgen/run"
)

// A bitset is a set of messages by number.
type bitset []uint64

func (b bitset) set(seq int64)      { b[seq/64] |= 1 << (seq % 64) }
func (b bitset) has(seq int64) bool { return b[seq/64]&(1<<(seq%64)) != 0 }

// close sets the final state of every message and returns the outcome.
func (d *driver) close() (*Outcome, error) {
	o := d.out
	for _, w := range d.workers {
		o.Served[w.index], o.Busy[w.index] = w.served, w.busy
	}
	d.present = make(bitset, (len(o.Messages)+63)/64)
	for i := range d.tasks {
		if t := &d.tasks[i]; t.phase != unused {
			d.unfinished(t)
			if t.phase == leaving {
				o.Unacked[t.worker]++
			}
		}
	}
	if d.unresolved() {
		if err := d.drain(); err != nil {
			return nil, err
		}
	}
	d.settle()
	d.ledger.Count(o.Messages)
	slices.SortStableFunc(o.Spans, func(a, b run.Span) int { return cmp.Compare(a.Start, b.Start) })
	o.Ledger = d.ledger
	o.Length = d.last
	return o, nil
}

// unfinished notes a task that is under way at the end of the run.
func (d *driver) unfinished(t *task) {
	d.present.set(t.seq)
	row := &d.out.Messages[t.seq]
	if row.State == run.Done {
		return
	}
	row.Queue, row.Worker, row.Slot = t.queue, t.worker, t.slot
	row.Dispatched, row.Received, row.Started = t.sent, t.received, t.started
	if t.phase == working {
		d.span(t, d.last, false)
	}
}

// open reports whether a message may have a copy whose work is not done.
func (d *driver) open(seq int) bool {
	switch d.out.Messages[seq].State {
	case run.Left, run.Refused:
		return true
	case run.Done:
		return d.copies[seq].finished < d.copies[seq].workable
	}
	return false
}

// unresolved reports whether there are open messages that no worker holds.
func (d *driver) unresolved() bool {
	for i := range d.out.Messages {
		if d.open(i) && !d.present.has(int64(i)) {
			return true
		}
	}
	return false
}

// drain notes which messages are in queues. It closes the connections of all
// workers, which requeues their messages, and gets every message of every queue.
func (d *driver) drain() error {
	d.over = true
	for _, w := range d.workers {
		if w.up {
			w.conn.Close()
		}
	}
	for i, q := range d.model.Queues {
		for {
			m, ok, err := d.channel.Get(q.Name, true)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			seq := seqOf(m.Msg.Body())
			m.Msg.Release()
			d.present.set(seq)
			if !d.consumed[i] {
				d.parked[seq] = int32(i)
			}
		}
	}
	return nil
}

// settle sets the states of the messages whose work is not done.
func (d *driver) settle() {
	settler := loadgen.NewSettler(d.model.Queues, d.consumed, false)
	for i := range d.out.Messages {
		row, seq := &d.out.Messages[i], int64(i)
		fate, died := d.fates[seq]
		if !d.open(i) {
			if died {
				row.Cause, row.From = fate.Cause, fate.From
			}
			continue
		}
		c := &d.copies[i]
		e := loadgen.End{
			Routed: c.enqueued, Workable: c.workable, Finished: c.finished, Home: -1,
			Fate: fate, In: -1, There: d.present.has(seq), Shown: true,
		}
		if c.enqueued == 1 {
			e.Home = c.home
		}
		if q, ok := d.parked[seq]; ok {
			e.In = q
		}
		settler.Settle(row, e)
	}
}

// sample returns the state of the run as a sample for a time.
func (d *driver) sample(at int64) run.Sample {
	s := run.Sample{
		At: at, Offered: d.ledger.Published, Sent: d.ledger.Published, Confirmed: -1,
		Delivered: d.ledger.Delivered, Acked: d.acks, Unacked: d.unacked,
	}
	if d.model.Confirms {
		s.Confirmed = d.ledger.Confirmed
	}
	for _, q := range d.vhost.Queues() {
		s.Ready += int64(q.Ready)
	}
	for _, w := range d.workers {
		s.Held += w.held
	}
	return s
}
