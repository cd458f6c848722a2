package loadgen

import (
	"cmp"
	"slices"
	"strconv"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// settle sets the state of each message whose work was not done.
func (m *merger) settle() {
	deadLetters := false
	for i := range m.s.Queues {
		deadLetters = deadLetters || DeadLetters(&m.s.Queues[i])
	}
	for i := range m.rows {
		row, f := &m.rows[i], &m.facts[i]
		if row.Seq < 0 || row.State == run.Returned || row.State == run.Rejected {
			continue
		}
		queue, parked := m.parked[row.Seq]
		switch {
		case f.copies == 0:
			row.State = run.Unroutable
		case row.State == run.Done && f.finished >= m.workable(f):
		case parked && (deadLetters || row.Attempts > 0 || m.consumed[queue]):
			row.State, row.Queue = run.DeadLetter, queue
		case parked: // it was published to a queue without consumers
			row.Queue = queue
		case f.discarded && row.State != run.Done:
			row.State = run.DeadLetter
		case !m.res.Partial && m.s.Stop.When == scenarios.StopDrained, f.lost && row.State != run.Done:
			row.State, row.Started = run.Lost, run.None // it counts as never started; its span stays
		}
	}
}

// workable returns the number of a message's copies that workers can have received.
func (m *merger) workable(f *fact) int32 {
	if f.copies == 1 {
		return 1
	}
	n := int32(0)
	for _, c := range m.consumed {
		if c {
			n++
		}
	}
	return min(f.copies, n)
}

// account counts the states of the rows in the ledger.
func (m *merger) account() {
	l := &m.res.Ledger
	for i := range m.rows {
		row, f := &m.rows[i], &m.facts[i]
		if row.Seq < 0 {
			continue
		}
		if f.finished > 0 {
			l.Finished++
		}
		if f.finished > max(1, f.copies) {
			l.Duplicated++
			row.Duplicated = true
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
	unexplained := l.Lost - (l.Unroutable - l.Returned)
	if !m.res.Partial && unexplained > 0 && !m.mayLose() {
		m.find("lost", "The broker lost "+strconv.FormatInt(unexplained, 10)+" messages, and no worker died that could explain it.", false)
	}
}

// mayLose reports whether the scenario itself may lose messages: by faults of
// workers, or by queues that drop or expire messages.
func (m *merger) mayLose() bool {
	limited := func(q scenarios.Queue) bool { return len(q.Arguments) > 0 }
	return len(m.s.Faults) > 0 || slices.ContainsFunc(m.s.Queues, limited)
}

// finish puts rows and spans in order, and tenants in order of their first message.
func (m *merger) finish() {
	for i := range m.rows {
		if m.rows[i].Seq >= 0 {
			m.rows[i].Tenant = m.tenants.Index(m.facts[i].tenant)
		}
	}
	m.res.Tenants = m.tenants.List()
	m.res.Messages = slices.DeleteFunc(m.rows, func(row run.Message) bool { return row.Seq < 0 })
	slices.SortStableFunc(m.res.Spans, func(a, b run.Span) int { return cmp.Compare(a.Start, b.Start) })
	if !static(m.s) {
		m.renumber()
	}
	m.res.Length = m.length()
}

// renumber numbers the messages of a plan with closed loops in the order in which
// they were sent. During the run each publisher numbers its own messages.
func (m *merger) renumber() {
	slices.SortFunc(m.res.Messages, func(a, b run.Message) int {
		return cmp.Or(cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.Seq, b.Seq))
	})
	number := make(map[int64]int64, len(m.res.Messages))
	for i := range m.res.Messages {
		row := &m.res.Messages[i]
		number[row.Seq] = int64(i)
		row.Seq = int64(i)
	}
	for i := range m.res.Spans {
		m.res.Spans[i].Seq = number[m.res.Spans[i].Seq]
	}
}

// length returns the run time of the last event.
func (m *merger) length() int64 {
	if m.res.Partial {
		return m.end
	}
	last := int64(0)
	for i := range m.res.Messages {
		row := &m.res.Messages[i]
		last = max(last, row.Sent, row.Confirmed, row.Received, row.Done, row.Acked)
	}
	for i := range m.res.Spans {
		last = max(last, m.res.Spans[i].End)
	}
	return last
}

// judge adds the findings to the result, the invalidating ones first.
func (m *merger) judge() {
	if t := m.res.Target; t.Kind == "amqp" && t.Product != "harelab" && (m.s.Engine.Matcher+m.s.Engine.Dispatch+m.s.Engine.Order) != "" {
		m.find("strategies", "The scenario names strategies of harelab's own broker; "+t.Product+" does not know them and used its own.", false)
	}
	slices.SortFunc(m.findings, func(a, b run.Finding) int {
		if a.Invalid != b.Invalid {
			if a.Invalid {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text))
	})
	m.findings = slices.CompactFunc(m.findings, func(a, b run.Finding) bool { return a.Code == b.Code && a.Invalid == b.Invalid })
	m.res.Findings = append(m.res.Findings, m.findings...)
	CheckWarmup(m.res)
}

func (m *merger) find(code, text string, invalid bool) {
	m.findings = append(m.findings, run.Finding{Code: code, Text: text, Invalid: invalid})
}
