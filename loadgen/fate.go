package loadgen

import (
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// A Fate is what a broker did with copies of a message other than delivering them.
// Queues are indexes into Scenario.Queues.
type Fate struct {
	Cause run.Cause
	From  int32 // the queue that a copy left for the Cause
	To    int32 // the queue to which it was dead-lettered; -1: it is gone
	Gone  int32 // number of copies that are gone
}

// Fates collects the fates of a run's messages, by number. The zero value has none.
type Fates map[int64]Fate

// Died adds that a copy of a message left a queue for a cause, to the queues in to. A
// copy that is gone hides one that was dead-lettered, and a graver cause a lesser one.
func (f *Fates) Died(seq int64, cause run.Cause, from int32, to []int32) {
	if *f == nil {
		*f = Fates{}
	}
	old, had := (*f)[seq]
	d := Fate{Cause: cause, From: from, To: -1, Gone: old.Gone}
	if len(to) > 0 {
		d.To = to[0]
	} else {
		d.Gone++
	}
	if had && old.Gone > 0 && (d.To >= 0 || old.Cause > cause) {
		d.Cause, d.From, d.To = old.Cause, old.From, old.To
	}
	(*f)[seq] = d
}

// An End is what is known of a message at the end of a run.
type End struct {
	Routed   int32 // number of queues that took it, or should have
	Workable int32 // number of these that a worker consumes
	Finished int32 // number of attempts that finished its work
	Home     int32 // the queue that took it when it was published; -1: several or none

	Fate  Fate  // its Cause is NoCause if the broker only delivered the message, or does not show more
	In    int32 // the queue without consumers that it lies in; -1: none
	Cut   bool  // its last worker died with it, and the broker had forgotten the delivery
	There bool  // it is still in a queue or at a worker, as far as is known
	Shown bool  // the target shows what it did with the message
}

// Settle sets the state of a message, with its queue and the cause. Returned and
// refused messages keep their state, unless a copy went on.
func (s *Settler) Settle(row *run.Message, e End) {
	fate := e.Fate
	moved := fate.Cause != run.NoCause && fate.Gone == 0
	row.Cause, row.From = fate.Cause, fate.From
	switch {
	case row.State == run.Returned:
	case row.State == run.Refused && e.Finished == 0 && !moved:
	case e.Routed == 0:
		row.State = run.Unroutable
	case e.Finished > 0 && e.Finished >= e.Workable:
		row.State = run.Done
	case e.Cut && row.State != run.Done:
		row.State, row.Started = run.Lost, run.None // it counts as never started; its span stays
	case fate.Gone > 0:
		s.gone(row)
	case e.In >= 0 && (moved || e.Workable == 0 || e.Routed == 1):
		s.parked(row, e)
	case e.There:
		row.State = run.Left
		if row.Worker < 0 && moved && fate.To >= 0 {
			row.Queue = fate.To
		}
	case e.In >= 0 && row.Attempts > 0:
		s.parked(row, e)
	case !e.Shown && s.limited:
		row.State = run.Gone
	default:
		row.State = run.Lost
	}
}

// gone sets the state of a message of which the broker discarded a copy.
func (s *Settler) gone(row *run.Message) {
	row.State = row.Cause.State()
	row.Queue = row.From
}

// parked sets the state of a message in a queue without consumers: it is dead-lettered
// if it has come there from another queue, unless it goes on from there.
func (s *Settler) parked(row *run.Message, e End) {
	row.State, row.Queue = run.Left, e.In
	if s.delays[e.In] {
		return
	}
	switch came := e.Home >= 0 && e.Home != e.In; {
	case row.Cause != run.NoCause:
	case row.Attempts > 0:
		row.Cause, row.From = run.GivenUp, e.Home
	case !came:
		return // it was published to a queue that nobody consumes
	}
	row.State = run.DeadLetter
}

// A Settler settles the messages of one scenario.
type Settler struct {
	delays  []bool // by queue: nobody consumes it, and messages leave it by dead-lettering
	limited bool   // the topology or the messages have limits for which a broker discards messages
}

// NewSettler returns the settler of messages in a topology; consumed says for each
// queue whether a worker consumes it. limited says whether a broker may discard
// messages; see [Limited].
func NewSettler(queues []scenarios.Queue, consumed []bool, limited bool) *Settler {
	t := &Settler{delays: make([]bool, len(queues)), limited: limited}
	for i := range queues {
		t.delays[i] = !consumed[i] && DeadLetters(&queues[i])
	}
	return t
}

// discards are the arguments of queues for which a broker discards messages.
var discards = []string{"x-message-ttl", "x-max-length", "x-max-length-bytes", "x-delivery-limit", "x-expires"}

// Limited reports whether a scenario has limits for which a broker discards messages.
func Limited(s *scenarios.Scenario) bool {
	for i := range s.Queues {
		limits := func(a scenarios.Argument) bool { return slices.Contains(discards, a.Name) }
		if slices.ContainsFunc(s.Queues[i].Arguments, limits) {
			return true
		}
	}
	return slices.ContainsFunc(s.Classes, func(c scenarios.Class) bool { return c.Expiration > 0 })
}
