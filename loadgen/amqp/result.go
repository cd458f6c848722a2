package amqp

import (
	"cmp"
	"slices"
	"strconv"

	"harelab/loadgen"
	"harelab/loadgen/run"
)

// A collector merges the logs of a run into its result.
type collector struct {
	r       *runner
	res     *run.Result
	tenants loadgen.Names
	rows    []run.Message // by number; Seq -1 where nothing was sent
	facts   []fact        // likewise
}

// A fact is what a row does not hold.
type fact struct {
	copies, finished int32
	mandatory        bool
	returned, acked  bool
}

// result makes the run's result. Terminal holds the messages that ended in
// queues nobody consumes.
func (r *runner) result(terminal map[int64]int32) *run.Result {
	c := &collector{r: r, res: loadgen.NewResult(r.s, r.target)}
	res := c.res
	res.Repeat, res.Partial, res.Series, res.Late = r.o.Repeat, r.partial, r.series, r.late.us.Load()
	c.published()
	c.confirms()
	c.attempts()
	c.observe()
	c.settle(terminal)
	c.ledger()
	res.Tenants = c.tenants.List()
	res.Messages = slices.DeleteFunc(c.rows, func(m run.Message) bool { return m.Seq < 0 })
	slices.SortStableFunc(res.Spans, func(a, b run.Span) int { return cmp.Compare(a.Start, b.Start) })
	res.Length = c.length()
	c.lateness()
	c.tardiness()
	if r.target.Kind == "amqp" && r.target.Product != "harelab" && (r.s.Engine.Matcher+r.s.Engine.Dispatch+r.s.Engine.Order) != "" {
		r.findings.add("strategies", "The scenario names strategies of harelab's own broker; "+r.target.Product+" used its own.", false)
	}
	res.Findings = append(res.Findings, r.findings.list...)
	loadgen.CheckWarmup(res)
	return res
}

// published makes a row for each message that was sent.
func (c *collector) published() {
	most := int64(-1)
	for _, p := range c.r.publishers {
		for i := range p.log {
			most = max(most, p.log[i].seq)
		}
	}
	c.rows = make([]run.Message, most+1)
	c.facts = make([]fact, most+1)
	for i := range c.rows {
		c.rows[i].Seq = -1
	}
	for _, p := range c.r.publishers {
		for i := range p.log {
			m := &p.log[i]
			c.rows[m.seq] = run.Message{
				Seq: m.seq, Class: m.class, Queue: -1, Tenant: c.tenants.Index(m.tenant), Worker: -1, Slot: -1,
				State: run.Unserved, Intended: m.intended, Sent: m.at, Service: m.service,
				Confirmed: run.None, Enqueued: run.None, Dispatched: run.None, Received: run.None,
				Started: run.None, Done: run.None, Acked: run.None,
			}
			c.facts[m.seq] = fact{copies: m.copies, mandatory: m.mandatory}
			c.res.Ledger.Published++
		}
	}
}

// confirms adds what the broker told the publishers.
func (c *collector) confirms() {
	l := &c.res.Ledger
	l.Confirmed = -1
	for _, p := range c.r.publishers {
		if p.spec.Confirm {
			l.Confirmed = max(l.Confirmed, 0)
		}
		for _, ln := range p.lines {
			for _, cf := range ln.log {
				if cf.ack {
					l.Confirmed++
					c.rows[cf.seq].Confirmed = cf.at
				} else {
					l.Rejected++
					c.rows[cf.seq].State = run.Rejected
				}
			}
			for _, seq := range ln.returned {
				if c.known(seq) {
					l.Returned++
					c.rows[seq].State = run.Returned
					c.facts[seq].returned = true
				}
			}
		}
	}
}

// known reports whether a number read from a body is one of this run.
func (c *collector) known(seq int64) bool {
	return seq >= 0 && seq < int64(len(c.rows)) && c.rows[seq].Seq == seq
}

// attempts adds what the workers noted. The row of a message is its last
// finished attempt, or else its last one.
func (c *collector) attempts() {
	for _, w := range c.r.workers {
		for i := range w.log {
			a := &w.log[i]
			if !c.known(a.seq) {
				c.r.findings.add("foreign-message", "A message of someone else was received.", true)
				continue
			}
			c.attempt(w, a)
		}
		for _, seq := range w.acked {
			if c.known(seq) && !c.facts[seq].acked {
				c.facts[seq].acked = true
				c.res.Ledger.Acked++
			}
		}
	}
}

func (c *collector) attempt(w *worker, a *attempt) {
	row := &c.rows[a.seq]
	row.Attempts++
	row.Redelivered = row.Redelivered || a.redelivered
	if a.started != run.None {
		c.res.Spans = append(c.res.Spans, run.Span{
			Worker: w.index, Slot: a.slot, Class: row.Class, Seq: a.seq,
			Start: a.started, End: a.ended, Cut: a.end == cut,
		})
	}
	if a.end == finished {
		c.facts[a.seq].finished++
	}
	newer := a.received > row.Received
	switch {
	case a.end == finished:
		newer = row.State != run.Done || a.ended > row.Done
		row.State = run.Done
	case row.State == run.Done:
		return
	case a.end == failed, a.end == cut && !a.forgotten:
		// The delivery went back to the broker: only its queue stays known.
		if row.Queue < 0 {
			row.Queue = a.queue
		}
		return
	}
	if !newer {
		return
	}
	row.Queue, row.Worker, row.Slot = a.queue, w.index, a.slot
	row.Received, row.Started, row.Done = a.received, a.started, run.None
	if a.end == finished {
		row.Done = a.ended
	}
}

// observe adds what is seen inside the broker.
func (c *collector) observe() {
	o := c.r.o.Observer
	if o == nil {
		return
	}
	for i := range c.rows {
		row := &c.rows[i]
		if row.Seq < 0 {
			continue
		}
		queue := row.Queue
		if queue < 0 && len(c.res.Queues) == 1 {
			queue = 0
		}
		if queue >= 0 {
			row.Enqueued, row.Dispatched, row.Acked = o.Times(row.Seq, c.res.Queues[queue])
		}
	}
}

// settle decides what became of each message that was not worked on.
func (c *collector) settle(terminal map[int64]int32) {
	for i := range c.rows {
		row, f := &c.rows[i], &c.facts[i]
		if row.Seq < 0 || row.State == run.Returned || row.State == run.Rejected {
			continue
		}
		queue, parked := terminal[row.Seq]
		switch {
		case f.copies == 0:
			row.State = run.Unroutable
		case row.State == run.Done && f.finished >= c.live(row, f):
		case parked && !c.direct(row, queue):
			row.State, row.Queue = run.DeadLetter, queue
		case parked:
			row.Queue = queue
		case !c.r.partial && c.r.s.Stop.When == "drained", c.lostInWorker(row):
			row.State, row.Started = run.Lost, run.None // it waits for ever; the span shows what was tried
		}
	}
}

// live returns how many copies of a message a worker could have had.
func (c *collector) live(row *run.Message, f *fact) int32 {
	if f.copies == 1 {
		return 1
	}
	return min(f.copies, int32(c.liveQueues()))
}

func (c *collector) liveQueues() int {
	n := 0
	for _, l := range c.r.live {
		if l {
			n++
		}
	}
	return n
}

// direct reports whether a message was published to a queue nobody consumes,
// rather than dead-lettered into it.
func (c *collector) direct(row *run.Message, queue int32) bool {
	return row.Attempts == 0 && !c.r.live[queue] && c.facts[row.Seq].copies > 0 && !c.deadLetterTarget()
}

// deadLetterTarget reports whether some queue dead-letters at all.
func (c *collector) deadLetterTarget() bool {
	for i := range c.r.s.Queues {
		for _, a := range c.r.s.Queues[i].Arguments {
			if a.Name == "x-dead-letter-exchange" {
				return true
			}
		}
	}
	return false
}

// lostInWorker reports whether the last worker that had a message died after
// the broker had forgotten it.
func (c *collector) lostInWorker(row *run.Message) bool {
	if row.Worker < 0 || row.State == run.Done {
		return false
	}
	w := c.r.workers[row.Worker]
	for i := len(w.log) - 1; i >= 0; i-- {
		a := &w.log[i]
		if a.seq == row.Seq && a.received == row.Received {
			return a.end == cut && a.forgotten
		}
	}
	return false
}

// ledger counts what the rows say.
func (c *collector) ledger() {
	l := &c.res.Ledger
	l.Delivered, l.Redelivered, l.Inversions = c.r.delivered.Load(), c.r.redelivered.Load(), c.r.inversions.Load()
	for i := range c.rows {
		row, f := &c.rows[i], &c.facts[i]
		if row.Seq < 0 {
			continue
		}
		if f.finished > 0 {
			l.Finished++
		}
		if f.finished > max(1, f.copies) {
			l.Duplicated++
		}
		switch row.State {
		case run.Lost:
			l.Lost++
		case run.Unroutable:
			l.Unroutable++
			l.Lost++
		case run.Returned:
			l.Unroutable++
		case run.Unserved:
			l.Unserved++
		}
	}
	if !c.res.Partial && l.Lost > l.Unroutable-l.Returned && !c.mayLose() {
		c.r.findings.add("lost", "The broker lost "+strconv.FormatInt(l.Lost-(l.Unroutable-l.Returned), 10)+" messages that no worker's death explains.", false)
	}
}

// mayLose reports whether the scenario itself loses messages: workers that die
// having acked, queues that drop or expire.
func (c *collector) mayLose() bool {
	for i := range c.r.s.Queues {
		if len(c.r.s.Queues[i].Arguments) > 0 {
			return true
		}
	}
	return len(c.r.s.Faults) > 0
}

// length returns the run time of the last event.
func (c *collector) length() int64 {
	if c.res.Partial {
		return c.r.lastEvent
	}
	last := int64(0)
	for i := range c.res.Messages {
		m := &c.res.Messages[i]
		last = max(last, m.Sent, m.Confirmed, m.Received, m.Done, m.Acked)
	}
	for i := range c.res.Spans {
		last = max(last, c.res.Spans[i].End)
	}
	return last
}
