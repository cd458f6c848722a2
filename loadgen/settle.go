package loadgen

import (
	"cmp"
	"fmt"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// settle sets the state of each message.
func (m *merger) settle() {
	settler := NewSettler(m.s.Queues, m.consumed, Limited(m.s))
	over := !m.res.Partial && m.s.Stop.When == scenarios.StopDrained
	for i := range m.rows {
		row, f := &m.rows[i], &m.facts[i]
		if row.Seq < 0 {
			continue
		}
		e := End{
			Routed: f.sent.Copies, Workable: f.sent.Workable, Finished: f.finished, Home: -1,
			Fate: f.fate, In: -1, Cut: f.cut, There: !over, Shown: m.inside != nil,
		}
		if e.Routed == 1 {
			e.Home = f.sent.Queue
		}
		if q, ok := m.parked[row.Seq]; ok {
			e.In = q
		}
		if m.inside != nil {
			e.Fate = m.inside.Fate(row.Seq)
		}
		settler.Settle(row, e)
	}
}

// account counts the work done on the messages in the ledger.
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
		if f.finished > max(1, f.sent.Copies) {
			l.Duplicated++
			row.Duplicated = true
		}
	}
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
	m.res.Ledger.Count(m.res.Messages)
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
	m.missing()
	if t := m.res.Target; t.Kind == "amqp" && t.Product != "harelab" && (m.s.Engine.Matcher+m.s.Engine.Dispatch+m.s.Engine.Order) != "" {
		m.find("strategies", "The scenario names strategies of harelab's own broker; "+t.Product+" does not know them and used its own.", false)
	}
	if m.res.Target.Durability == "unsynced" {
		m.find("unsynced", "The broker runs with --sync none: a power cut can lose what it has confirmed.", false)
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
	CheckLeft(m.res, m.s, m.timedOut)
	CheckWarmup(m.res)
}

// missing adds findings about messages that are gone without a known cause.
func (m *merger) missing() {
	l := &m.res.Ledger
	unexplained := l.Lost - (l.Unroutable - l.Returned)
	if !m.res.Partial && unexplained > 0 && len(m.s.Faults) == 0 {
		m.find("lost", fmt.Sprintf("The broker lost %d of %d messages, and no worker died that could explain it.", unexplained, l.Published), false)
	}
	if l.Gone > 0 {
		m.find("gone", fmt.Sprintf("%d of %d messages are gone: %s does not show whether it dropped, expired or lost them.", l.Gone, l.Published, m.res.Target.Product), false)
	}
}

func (m *merger) find(code, text string, invalid bool) {
	m.findings = append(m.findings, run.Finding{Code: code, Text: text, Invalid: invalid})
}
