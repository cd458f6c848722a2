package crash

import (
	"fmt"
	"strings"
	"testing"
)

// TestLedger: each history has just the fault that it is named after.
func TestLedger(t *testing.T) {
	fan := Route{Exchange: Fanout, To: []string{"fan.1", "fan.2"}}
	order := Route{Exchange: Topic, Key: "orders.new", To: []string{"topic.orders"}}
	ranked := func(priority uint8) Route { return Route{Key: "ranked", Priority: priority, To: []string{"ranked"}} }
	id := func(n int) ID { return ID{Publisher: 1, Number: n} }
	for _, test := range []struct {
		name    string
		history func(l *Ledger)
		want    string // the counts that are not zero
	}{
		{"all is well", func(l *Ledger) {
			l.Attempt(id(1), fan)
			l.Confirm(id(1), true)
			r := l.Reader(false)
			r.Deliver("fan.1", id(1), false)
			r.Deliver("fan.2", id(1), false)
			l.Settle("fan.1", id(1), Acked)
			l.Settle("fan.2", id(1), Acked)
			l.Finish()
		}, ""},
		{"lost from one queue of two", func(l *Ledger) {
			l.Attempt(id(1), fan)
			l.Confirm(id(1), true)
			l.Reader(false).Deliver("fan.1", id(1), false)
			l.Settle("fan.1", id(1), Acked)
			l.Finish()
		}, "lost 1"},
		{"delivered, not settled, and gone after the crash", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Confirm(id(1), true)
			l.Reader(false).Deliver("ranked", id(1), false)
			l.Crash()
			l.Finish()
		}, "lost 1"},
		{"not confirmed, and gone: no promise was made", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Finish()
		}, ""},
		{"not confirmed, and kept", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Crash()
			l.Reader(true).Deliver("ranked", id(1), true)
			l.Finish()
		}, "recovered 1"},
		{"acked before the crash, and back with the flag: the ack may not have come", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Confirm(id(1), true)
			l.Reader(false).Deliver("ranked", id(1), false)
			l.Settle("ranked", id(1), Acked)
			l.Crash()
			l.Reader(true).Deliver("ranked", id(1), true)
			l.Settle("ranked", id(1), Acked)
			l.Finish()
		}, ""},
		{"back after the crash without the flag", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Reader(false).Deliver("ranked", id(1), false)
			l.Crash()
			l.Reader(true).Deliver("ranked", id(1), false)
		}, "unflagged 1"},
		{"seen first with the flag, then without", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Reader(false).Deliver("ranked", id(1), true)
			l.Crash()
			l.Reader(false).Deliver("ranked", id(1), false)
		}, "unflagged 1"},
		{"told in another order than delivered, within a life", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Reader(false).Deliver("ranked", id(1), true)
			l.Reader(false).Deliver("ranked", id(1), false)
		}, ""},
		{"twice without the flag within a life", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Reader(false).Deliver("ranked", id(1), false)
			l.Reader(false).Deliver("ranked", id(1), false)
		}, "unflagged 1"},
		{"back after everything was durable", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Confirm(id(1), true)
			l.Reader(true).Deliver("ranked", id(1), false)
			l.Settle("ranked", id(1), Acked)
			l.Finish()
			l.Reader(true).Deliver("ranked", id(1), true)
		}, "resurrected 1"},
		{"rejected, and never dead-lettered", func(l *Ledger) {
			l.Attempt(id(1), order)
			l.Confirm(id(1), true)
			l.Reader(false).Deliver("topic.orders", id(1), false)
			l.Settle("topic.orders", id(1), Rejected)
			l.Finish()
		}, "lost 1"},
		{"rejected and dead-lettered, twice after a crash", func(l *Ledger) {
			l.Attempt(id(1), order)
			l.Confirm(id(1), true)
			for range 2 {
				l.Reader(false).Deliver("topic.orders", id(1), l.life > 1)
				l.Settle("topic.orders", id(1), Rejected)
				l.Reader(false).Deliver(Dead, id(1), false)
				l.Settle(Dead, id(1), Acked)
				l.Crash()
			}
			l.Finish()
		}, "twice 1"},
		{"dead-lettered without a reject", func(l *Ledger) {
			l.Attempt(id(1), order)
			l.Reader(false).Deliver(Dead, id(1), false)
		}, "unexpected 1"},
		{"in another queue", func(l *Ledger) {
			l.Attempt(id(1), order)
			l.Reader(false).Deliver("fan.1", id(1), false)
		}, "unexpected 1"},
		{"never published", func(l *Ledger) { l.Reader(false).Deliver("fan.1", id(1), false) }, "unexpected 1"},
		{"out of order", func(l *Ledger) {
			l.Attempt(id(1), order)
			l.Attempt(id(2), order)
			r := l.Reader(false)
			r.Deliver("topic.orders", id(2), false)
			r.Deliver("topic.orders", id(1), false)
		}, "disordered 1"},
		{"out of order because one was requeued", func(l *Ledger) {
			l.Attempt(id(1), order)
			l.Attempt(id(2), order)
			r := l.Reader(false)
			r.Deliver("topic.orders", id(2), false)
			r.Deliver("topic.orders", id(1), true)
		}, ""},
		{"out of order after a crash, with nobody to requeue", func(l *Ledger) {
			l.Attempt(id(1), order)
			l.Attempt(id(2), order)
			l.Crash()
			r := l.Reader(true)
			r.Deliver("topic.orders", id(2), true)
			r.Deliver("topic.orders", id(1), true)
		}, "disordered 1"},
		{"in order of priority", func(l *Ledger) {
			l.Attempt(id(1), ranked(0))
			l.Attempt(id(2), ranked(3))
			r := l.Reader(true)
			r.Deliver("ranked", id(2), false)
			r.Deliver("ranked", id(1), false)
		}, ""},
	} {
		l := NewLedger(Queues)
		test.history(l)
		if got := faults(l.Totals()); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// faults formats the counts of what is not usual.
func faults(t Totals) string {
	var all []string
	for _, c := range []struct {
		name string
		n    int
	}{
		{"recovered", t.Recovered}, {"twice", t.Twice}, {"lost", len(t.Lost)}, {"unflagged", len(t.Unflagged)},
		{"resurrected", len(t.Resurrected)}, {"unexpected", len(t.Unexpected)}, {"disordered", len(t.Disordered)},
	} {
		if c.n > 0 {
			all = append(all, fmt.Sprint(c.name, " ", c.n))
		}
	}
	return strings.Join(all, ", ")
}
