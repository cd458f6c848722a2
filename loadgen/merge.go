package loadgen

import (
	"cmp"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// Merge returns the result of a run of s from the logs of its shares. It depends on
// its arguments alone and is exact: one log with all publishers and workers gives
// the same result as several logs among which they are split, in any order. Merge
// leaves zero what only the caller knows (Repeat, Started, Elapsed).
//
// inside shows times inside the broker; it is nil if they are not visible. The logs
// must be of s: Merge does not check their indexes.
func Merge(s *scenarios.Scenario, target run.Target, inside Observer, logs ...Log) *run.Result {
	m := newMerger(s, target, logs)
	m.inside = inside
	m.published()
	m.answered()
	m.worked()
	m.observe()
	m.settle()
	m.account()
	m.finish()
	m.judge()
	return m.res
}

// A merger makes a result. Its publishers and workers are in order of index over
// all shares, so that the result does not depend on the order of the logs.
type merger struct {
	s          *scenarios.Scenario
	res        *run.Result
	publishers []*PublisherLog
	workers    []*WorkerLog
	parked     map[int64]int32 // number of a message in a queue without consumers -> the queue
	consumed   []bool          // by queue: a worker consumes it
	inside     Observer        // nil: not visible
	timedOut   bool
	tenants    Names
	rows       []run.Message // by number; Seq -1: no message was sent
	facts      []fact        // by number
	findings   []run.Finding
	end        int64 // microseconds of run time
}

// A fact holds what the merger knows of a message beside its row.
type fact struct {
	sent     *Sent
	finished int32 // number of attempts that finished
	acked    bool
	tenant   string

	cut  bool // the attempt in the row was cut, and the broker had forgotten the delivery
	fate Fate // as the workers know it: the last rejection without requeue
}

func newMerger(s *scenarios.Scenario, target run.Target, logs []Log) *merger {
	m := &merger{s: s, res: NewResult(s, target), parked: map[int64]int32{}, consumed: Consumed(s)}
	for i := range logs {
		l := &logs[i]
		for j := range l.Publishers {
			m.publishers = append(m.publishers, &l.Publishers[j])
		}
		for j := range l.Workers {
			m.workers = append(m.workers, &l.Workers[j])
		}
		for _, p := range l.Parked {
			if q, ok := m.parked[p.Seq]; !ok || p.Queue > q {
				m.parked[p.Seq] = p.Queue
			}
		}
		m.findings = append(m.findings, l.Findings...)
		m.res.Late = max(m.res.Late, l.Late)
		m.res.Partial = m.res.Partial || l.Partial
		m.timedOut = m.timedOut || l.TimedOut
		m.end = max(m.end, l.End)
	}
	slices.SortStableFunc(m.publishers, func(a, b *PublisherLog) int { return cmp.Compare(a.Sequence, b.Sequence) })
	slices.SortStableFunc(m.workers, func(a, b *WorkerLog) int { return cmp.Compare(a.Worker, b.Worker) })
	m.res.Series = mergeSeries(logs)
	interval := m.res.Interval
	for i := range logs {
		interval = max(interval, logs[i].Interval)
	}
	CheckInterval(m.res, interval)
	return m
}

// Consumed reports for each queue of a scenario whether a worker consumes it.
func Consumed(s *scenarios.Scenario) []bool {
	consumed := make([]bool, len(s.Queues))
	for i := range s.Queues {
		for j := range s.Workers {
			consumes := func(c scenarios.Consume) bool { return c.Queue == s.Queues[i].Name }
			consumed[i] = consumed[i] || slices.ContainsFunc(s.Workers[j].Consume, consumes)
		}
	}
	return consumed
}

// DeadLetters reports whether a queue's arguments give it a dead-letter exchange.
func DeadLetters(q *scenarios.Queue) bool {
	return slices.ContainsFunc(q.Arguments, func(a scenarios.Argument) bool { return a.Name == "x-dead-letter-exchange" })
}

// mergeSeries adds up the shares' samples at the instants that all shares sampled.
func mergeSeries(logs []Log) []run.Sample {
	if len(logs) == 1 {
		return logs[0].Series
	}
	sums, shares := map[int64]run.Sample{}, map[int64]int{}
	for i := range logs {
		for _, s := range logs[i].Series {
			if shares[s.At]++; shares[s.At] > 1 {
				s = addSamples(sums[s.At], s)
			}
			sums[s.At] = s
		}
	}
	var series []run.Sample
	for at, s := range sums {
		if shares[at] == len(logs) {
			series = append(series, s)
		}
	}
	slices.SortFunc(series, func(a, b run.Sample) int { return cmp.Compare(a.At, b.At) })
	return series
}

func addSamples(a, b run.Sample) run.Sample {
	add := func(a, b int64) int64 {
		switch {
		case a < 0: // not visible
			return b
		case b < 0:
			return a
		}
		return a + b
	}
	return run.Sample{
		At: a.At, Offered: add(a.Offered, b.Offered), Sent: add(a.Sent, b.Sent), Confirmed: add(a.Confirmed, b.Confirmed),
		Delivered: add(a.Delivered, b.Delivered), Acked: add(a.Acked, b.Acked), Ready: add(a.Ready, b.Ready),
		Unacked: add(a.Unacked, b.Unacked), Held: add(a.Held, b.Held),
	}
}

// published makes a row for each message that was sent.
func (m *merger) published() {
	most := int64(-1)
	for _, p := range m.publishers {
		for i := range p.Sent {
			most = max(most, p.Sent[i].Seq)
		}
	}
	m.rows = make([]run.Message, most+1)
	m.facts = make([]fact, most+1)
	for i := range m.rows {
		m.rows[i].Seq = -1
	}
	for _, p := range m.publishers {
		for i := range p.Sent {
			s := &p.Sent[i]
			m.rows[s.Seq] = run.Message{
				Seq: s.Seq, Class: s.Class, Queue: s.Queue, Worker: -1, Slot: -1,
				State: run.Left, Paced: s.Paced, Intended: s.Intended, Sent: s.At, Service: s.Service,
				Confirmed: run.None, Enqueued: run.None, Dispatched: run.None, Received: run.None,
				Started: run.None, Done: run.None, Acked: run.None,
			}
			m.facts[s.Seq] = fact{sent: s, tenant: s.Tenant}
			m.res.Ledger.Published++
		}
	}
}

// answered adds what the broker answered the publishers.
func (m *merger) answered() {
	l := &m.res.Ledger
	l.Confirmed = -1
	for _, p := range m.publishers {
		if m.s.Load[p.Sequence].Confirm {
			l.Confirmed = max(l.Confirmed, 0)
		}
		for _, a := range p.Answered {
			if a.Ack {
				l.Confirmed++
				m.rows[a.Seq].Confirmed = a.At
			} else {
				m.rows[a.Seq].State = run.Refused
			}
		}
	}
	for _, p := range m.publishers {
		for _, seq := range p.Returned {
			if m.known(seq) {
				m.rows[seq].State = run.Returned
			}
		}
	}
}

// known reports whether a number that was read from a body is that of a message of
// this run.
func (m *merger) known(seq int64) bool {
	return seq >= 0 && seq < int64(len(m.rows)) && m.rows[seq].Seq == seq
}

// worked adds what the workers measured.
func (m *merger) worked() {
	l, foreign := &m.res.Ledger, false
	for _, w := range m.workers {
		l.Delivered += int64(len(w.Attempts))
		l.Inversions += w.Inversions
		m.res.Workers[w.Worker].Unacked += w.Unacked
		for i := range w.Attempts {
			a := &w.Attempts[i]
			if a.Redelivered {
				l.Redelivered++
			}
			if m.known(a.Seq) {
				m.attempt(w.Worker, a)
			} else {
				foreign = true
			}
		}
		for _, seq := range w.Acked {
			if m.known(seq) && !m.facts[seq].acked {
				m.facts[seq].acked = true
				l.Acked++
			}
		}
	}
	if foreign {
		m.find("foreign-message", "A worker received a message that this run did not publish.", true)
	}
}

// attempt adds one delivery. The row of a message shows its last finished attempt,
// or else its last attempt that did not go back to the broker.
func (m *merger) attempt(worker int32, a *Attempt) {
	row, f := &m.rows[a.Seq], &m.facts[a.Seq]
	row.Attempts++
	if a.Redelivered {
		row.Redelivered = true
		row.Redeliveries++
	}
	if a.Started != run.None {
		m.res.Spans = append(m.res.Spans, run.Span{
			Worker: worker, Slot: a.Slot, Class: row.Class, Late: a.Late, Seq: a.Seq,
			Start: a.Started, End: a.Ended, Cut: a.End == Cut,
		})
	}
	newer := a.Received > row.Received
	switch {
	case a.End == Finished:
		f.finished++
		newer = row.State != run.Done || a.Ended > row.Done
		row.State = run.Done
	case row.State == run.Done:
		return
	case a.End == Failed, a.End == Rejected, a.End == Cut && !a.Forgotten:
		if a.End == Rejected {
			f.fate = Fate{Cause: run.ByWorker, From: a.Queue, To: -1, Gone: int32(btoi(!DeadLetters(&m.s.Queues[a.Queue])))}
		}
		if row.Queue < 0 {
			row.Queue = a.Queue
		}
		return
	}
	if !newer {
		return
	}
	row.Queue, row.Worker, row.Slot = a.Queue, worker, a.Slot
	row.Received, row.Started, row.Done = a.Received, a.Started, run.None
	f.cut = a.End == Cut && a.Forgotten
	if a.End == Finished {
		row.Done = a.Ended
	}
}

// observe adds the times inside the broker.
func (m *merger) observe() {
	if m.inside == nil {
		return
	}
	for i := range m.rows {
		if row := &m.rows[i]; row.Seq >= 0 && row.Queue >= 0 {
			row.Enqueued, row.Dispatched, row.Acked = m.inside.Times(row.Seq, m.res.Queues[row.Queue])
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
