package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"harelab/loadgen/run"
)

// randomRun makes a small run of messages of two queues and three workers, which come
// and go. Only the order of a message's instants makes sense. Some work is cut off and
// done again.
func randomRun(rng *rand.Rand) *run.Result {
	r := &run.Result{Length: 60, Queues: []string{"a", "b"}, Classes: []string{"c"}, Workers: []run.Worker{
		{Slots: 1, Queues: []string{"a"}}, {Slots: 2, Queues: []string{"b", "a"}}, {Slots: 1, Queues: []string{"b"}},
	}}
	for w := range r.Workers {
		if from := rng.Int64N(50); rng.IntN(2) == 0 {
			to := from + 1 + rng.Int64N(20)
			if rng.IntN(3) == 0 {
				to = math.MaxInt64
			}
			r.Workers[w].Away = []run.Absence{{From: from, To: to}}
		}
	}
	for seq := range rng.Int64N(12) {
		m := run.Message{Seq: seq, Queue: int32(rng.IntN(2)), Worker: int32(rng.IntN(3)), State: run.Done,
			Intended: rng.Int64N(30), Confirmed: run.None, Dispatched: run.None, Received: run.None, Acked: run.None}
		m.Sent = m.Intended + rng.Int64N(3)
		m.Enqueued = m.Sent + rng.Int64N(3)
		if rng.IntN(4) == 0 {
			m.Enqueued = run.None // a foreign broker
		}
		m.Started = max(m.Sent, m.Enqueued) + rng.Int64N(10)
		m.Done = m.Started + rng.Int64N(15)
		switch {
		case rng.IntN(4) == 0: // worked on before
			cut := run.Span{Worker: 2 - m.Worker, Seq: seq, Start: m.Started, End: m.Done, Cut: true}
			m.Started = cut.End + rng.Int64N(5)
			m.Done = m.Started + rng.Int64N(5)
			r.Spans = append(r.Spans, cut)
		case rng.IntN(4) == 0:
			m.State, m.Started, m.Done = run.Left, run.None, run.None
		}
		if m.Started != run.None {
			r.Spans = append(r.Spans, run.Span{Worker: m.Worker, Seq: seq, Start: m.Started, End: m.Done})
		}
		r.Messages = append(r.Messages, m)
	}
	slices.SortFunc(r.Spans, func(a, b run.Span) int { return int(a.Start - b.Start) })
	return r
}

// slowIdle computes idle_while_waiting by counting every microsecond.
func slowIdle(r *run.Result) (us int64) {
	for t := int64(0); t < r.Length; t++ {
		for w := range r.Workers {
			if slowFree(r, w, t) && slices.ContainsFunc(r.Messages, func(m run.Message) bool {
				return slices.Contains(r.Workers[w].Queues, r.Queues[m.Queue]) && slowWaits(r, m, t)
			}) {
				us++
				break
			}
		}
	}
	return us
}

func slowFree(r *run.Result, w int, t int64) bool {
	for _, a := range r.Workers[w].Away {
		if t >= a.From && t < a.To {
			return false
		}
	}
	busy := 0
	for _, s := range r.Spans {
		busy += btoi(int(s.Worker) == w && t >= s.Start && t < s.End)
	}
	return busy < r.Workers[w].Slots
}

// slowWaits reports whether m was in the broker or at a worker, and not worked on, and
// was either worked on later or left over.
func slowWaits(r *run.Result, m run.Message, t int64) bool {
	there := m.Enqueued
	if there == run.None {
		there = m.Sent
	}
	if t < there || m.State == run.Done && t >= m.Started {
		return false
	}
	return !slices.ContainsFunc(r.Spans, func(s run.Span) bool { return s.Seq == m.Seq && t >= s.Start && t < s.End })
}

// TestIdleWhileWaitingAgainstCounting compares the integral with slowIdle.
func TestIdleWhileWaitingAgainstCounting(t *testing.T) {
	some := 0
	for seed := range uint64(3000) {
		r := randomRun(rand.New(rand.NewPCG(seed, 0)))
		want := slowIdle(r)
		some += btoi(want > 0)
		if got := newDataset(r).idleWhileWaiting(&filter{}); math.Abs(got*1e6-float64(want)) > 0.5 {
			t.Fatalf("seed %d: idle for %.0f us, counted %d; workers %+v, messages %+v, spans %+v", seed, got*1e6, want, r.Workers, r.Messages, r.Spans)
		}
	}
	if some < 1000 {
		t.Errorf("only %d of the runs were idle at all", some)
	}
}
