package loadgen

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"harelab/loadgen/run"
	"harelab/scenarios"

	"github.com/google/go-cmp/cmp"
)

// merged is the scenario of the tests of Merge: three publishers, of which the first
// asks for confirms, three workers, a queue without a consumer.
const merged = `
load:
  - {sequence: one, confirm: all, phases: [{class: a, model: %s}]}
  - {sequence: two, phases: [{class: b, model: burst, count: 1}]}
  - {sequence: three, phases: [{class: b, model: burst, count: 1}]}
workers:
  - {name: w, count: 2, consume: [{queue: q}, {queue: r}], prefetch: 5, ack: on-done}
  - {name: v, consume: [{queue: q}], prefetch: 5, ack: none}
stop: {when: %s, timeout: 20s}
`

func mergedScenario(t *testing.T, model, stop string) *scenarios.Scenario {
	t.Helper()
	s, _ := plan(t, fmt.Sprintf(merged, model, stop))
	s.Queues = append(slices.Clone(s.Queues), scenarios.Queue{Name: "parked"})
	return s
}

// TestRowsOfAttempts: what deliveries leave in the row and the account of the one
// message of a run.
func TestRowsOfAttempts(t *testing.T) {
	at := func(received, started, ended int64, end AttemptEnd) Attempt {
		return Attempt{Received: received, Started: started, Ended: ended, End: end}
	}
	forgotten := func(a Attempt) Attempt { a.Forgotten = true; return a }
	const none = run.None
	for _, c := range []struct {
		name           string
		copies         int32
		attempts       []Attempt
		state          run.State
		started, done  int64
		finished, lost int64
		duplicated     int64
	}{
		{"no delivery", 1, nil, run.Left, none, none, 0, 0, 0},
		{"one that finished", 1, []Attempt{at(1, 2, 3, Finished)}, run.Done, 2, 3, 1, 0, 0},
		{"one that the run's end cut off", 1, []Attempt{at(1, 2, 3, Unended)}, run.Left, 2, none, 0, 0, 0},
		{"of two, the last received", 1, []Attempt{at(4, 5, 6, Unended), at(1, 2, 3, Unended)}, run.Left, 5, none, 0, 0, 0},
		{"of two received at once, the first", 2, []Attempt{at(1, 2, 3, Unended), at(1, 5, 6, Unended)}, run.Left, 2, none, 0, 0, 0},
		{"one that failed leaves no times", 1, []Attempt{at(1, 2, 3, Failed)}, run.Left, none, none, 0, 0, 0},
		{"failed, then finished", 1, []Attempt{at(1, 2, 3, Failed), at(4, 5, 6, Finished)}, run.Done, 5, 6, 1, 0, 0},
		{"cut with an ack to come goes back", 1, []Attempt{at(1, 2, 3, Cut)}, run.Left, none, none, 0, 0, 0},
		{"cut, then finished", 1, []Attempt{at(1, 2, 3, Cut), at(4, 5, 6, Finished)}, run.Done, 5, 6, 1, 0, 0},
		{"cut without an ack to come is lost", 1, []Attempt{forgotten(at(1, 2, 3, Cut))}, run.Lost, none, none, 0, 1, 0},
		{"finished twice is once too often", 1, []Attempt{at(1, 2, 3, Finished), at(4, 5, 6, Finished)}, run.Done, 5, 6, 1, 0, 1},
		{"unless there are two copies", 2, []Attempt{at(1, 2, 3, Finished), at(1, 5, 6, Finished)}, run.Done, 5, 6, 1, 0, 0},
		{"of equal ends the first counts", 2, []Attempt{at(1, 2, 6, Finished), at(1, 5, 6, Finished)}, run.Done, 2, 6, 1, 0, 0},
		{"what no queue should get is lost", 0, nil, run.Unroutable, none, none, 0, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mergedScenario(t, "burst, count: 1", "published")
			r := Merge(s, run.Target{}, nil, Log{
				Publishers: []PublisherLog{{Sequence: 1, Sent: []Sent{{Copies: c.copies, Workable: c.copies}}}},
				Workers:    []WorkerLog{{Attempts: c.attempts}},
			})
			m, l := &r.Messages[0], &r.Ledger
			if m.State != c.state || m.Started != c.started || m.Done != c.done || int(m.Attempts) != len(c.attempts) ||
				l.Finished != c.finished || l.Lost != c.lost || l.Duplicated != c.duplicated || l.Delivered != int64(len(c.attempts)) {
				t.Errorf("%+v\n%+v", m, l)
			}
		})
	}
}

// TestDrainedRunsLoseTheRest: when every queue is drained, what was not worked on is
// lost, and a finding says so.
func TestDrainedRunsLoseTheRest(t *testing.T) {
	r := Merge(mergedScenario(t, "burst, count: 1", "drained"), run.Target{}, nil,
		Log{Publishers: []PublisherLog{{Sequence: 1, Sent: []Sent{{Copies: 1, Workable: 1}}}}})
	if r.Messages[0].State != run.Lost || len(r.Findings) != 1 || r.Findings[0].Code != "lost" {
		t.Errorf("%v, findings %v", r.Messages[0].State, r.Findings)
	}
}

// TestTenantsAreNamedInOrderOfTheirMessages, whichever publisher sent them.
func TestTenantsAreNamedInOrderOfTheirMessages(t *testing.T) {
	r := Merge(mergedScenario(t, "burst, count: 1", "published"), run.Target{}, nil, Log{Publishers: []PublisherLog{
		{Sequence: 1, Sent: []Sent{{Seq: 1, Tenant: "b"}, {Seq: 3, Tenant: "c"}}},
		{Sequence: 2, Sent: []Sent{{Seq: 0, Tenant: "a"}, {Seq: 2}}},
	}})
	if !slices.Equal(r.Tenants, []string{"a", "b", "c"}) {
		t.Errorf("tenants %v, want a, b, c", r.Tenants)
	}
	for i, want := range []int32{0, 1, -1, 2} {
		if got := r.Messages[i].Tenant; got != want {
			t.Errorf("message %d: tenant %d, want %d", i, got, want)
		}
	}
}

// TestFindingsAreInOrder: what forbids using the figures comes first, and a code
// is there once.
func TestFindingsAreInOrder(t *testing.T) {
	r := Merge(mergedScenario(t, "burst, count: 1", "published"), run.Target{}, nil,
		Log{Findings: []run.Finding{{Code: "timeout", Text: "b"}, {Code: "worker-lost", Text: "c", Invalid: true}}},
		Log{Findings: []run.Finding{{Code: "timeout", Text: "a"}}})
	if d := cmp.Diff([]run.Finding{{Code: "worker-lost", Text: "c", Invalid: true}, {Code: "timeout", Text: "a"}}, r.Findings); d != "" {
		t.Error(d)
	}
}

// history draws the log of a whole run. Times are few, so that many are equal.
func history(r *rand.Rand, s *scenarios.Scenario) Log {
	n := int64(1 + r.IntN(60))
	when := func() int64 { return r.Int64N(40) }
	l := Log{Late: when(), End: 40 + when(), Partial: r.IntN(4) == 0}
	for i := range s.Load {
		l.Publishers = append(l.Publishers, PublisherLog{Sequence: int32(i)})
	}
	for i := range s.Workers {
		l.Workers = append(l.Workers, WorkerLog{Worker: int32(i), Inversions: r.Int64N(5)})
	}
	for seq := range n {
		if r.IntN(10) == 0 {
			continue // numbers may have gaps
		}
		p := &l.Publishers[r.IntN(len(l.Publishers))]
		p.Sent = append(p.Sent, Sent{
			Seq: seq, Intended: when(), At: when(), Service: when(), Tenant: []string{"", "x", "y"}[r.IntN(3)],
			Class: r.Int32N(2), Copies: r.Int32N(4), Workable: r.Int32N(3), Queue: r.Int32N(4) - 1, Paced: r.IntN(2) == 0,
		})
		if p.Sequence == 0 && r.IntN(4) > 0 {
			p.Answered = append(p.Answered, Answer{Seq: seq, At: when(), Ack: r.IntN(4) > 0})
		}
		if r.IntN(8) == 0 {
			p.Returned = append(p.Returned, seq)
		}
		if r.IntN(5) == 0 {
			l.Parked = append(l.Parked, Parked{seq, r.Int32N(3)}, Parked{seq, r.Int32N(3)})
		}
	}
	for range r.IntN(150) {
		w := &l.Workers[r.IntN(len(l.Workers))]
		a := Attempt{
			Seq: r.Int64N(n+3) - 1, Received: when(), Started: when(), Ended: when(), Queue: r.Int32N(3), Slot: r.Int32N(2),
			End: AttemptEnd(r.IntN(4)), Redelivered: r.IntN(3) == 0, Forgotten: r.IntN(2) == 0,
		}
		if a.End != Finished && r.IntN(3) == 0 {
			a.Started, a.Ended, a.Slot = run.None, run.None, -1
		}
		w.Attempts = append(w.Attempts, a)
		if r.IntN(3) == 0 {
			w.Acked = append(w.Acked, a.Seq)
		}
	}
	for at := range int64(r.IntN(6)) {
		l.Series = append(l.Series, run.Sample{
			At: at, Offered: when(), Sent: when(), Confirmed: when() - 1, Delivered: when(), Acked: when(),
			Ready: []int64{-1, when()}[r.IntN(2)], Unacked: when(), Held: when(),
		})
	}
	for range r.IntN(4) {
		l.Findings = append(l.Findings, run.Finding{Code: []string{"timeout", "cut-off"}[r.IntN(2)], Text: fmt.Sprint(r.IntN(3)), Invalid: r.IntN(2) == 0})
	}
	return l
}

// split deals the parts of a run's log to shares.
func split(r *rand.Rand, whole Log, shares int) []Log {
	logs := make([]Log, shares)
	any := func() *Log { return &logs[r.IntN(shares)] }
	for _, i := range r.Perm(len(whole.Publishers)) {
		l := any()
		l.Publishers = append(l.Publishers, whole.Publishers[i])
	}
	for _, i := range r.Perm(len(whole.Workers)) {
		l := any()
		l.Workers = append(l.Workers, whole.Workers[i])
	}
	for _, i := range r.Perm(len(whole.Parked)) {
		l := any()
		l.Parked = append(l.Parked, whole.Parked[i])
	}
	for _, i := range r.Perm(len(whole.Findings)) {
		l := any()
		l.Findings = append(l.Findings, whole.Findings[i])
	}
	for i := range logs {
		logs[i].Late, logs[i].End = r.Int64N(whole.Late+1), r.Int64N(whole.End+1)
	}
	any().Late, any().End, any().Partial = whole.Late, whole.End, whole.Partial
	for _, s := range whole.Series {
		for i := range logs {
			part := run.Sample{At: s.At}
			for _, f := range []struct{ whole, part *int64 }{
				{&s.Offered, &part.Offered}, {&s.Sent, &part.Sent}, {&s.Confirmed, &part.Confirmed}, {&s.Delivered, &part.Delivered},
				{&s.Acked, &part.Acked}, {&s.Ready, &part.Ready}, {&s.Unacked, &part.Unacked}, {&s.Held, &part.Held},
			} {
				switch {
				case *f.whole < 0 || i < shares-1 && r.IntN(3) == 0:
					*f.part = -1 // this share does not see it
				case i == shares-1:
					*f.part = *f.whole
				default:
					*f.part = r.Int64N(*f.whole + 1)
					*f.whole -= *f.part
				}
			}
			logs[i].Series = append(logs[i].Series, part)
		}
	}
	r.Shuffle(shares, func(i, j int) { logs[i], logs[j] = logs[j], logs[i] })
	return logs
}

// inside is an observer that shows something else for each message and queue.
type inside struct{}

func (inside) Started(time.Time) {}
func (inside) Ended()            {}
func (inside) Fate(seq int64) Fate {
	if seq%3 > 0 {
		return Fate{}
	}
	return Fate{Cause: run.Cause(1 + seq%7), From: int32(seq % 2), To: -1, Gone: int32(seq % 2)}
}
func (inside) Times(seq int64, queue string) (enqueued, dispatched, acked int64) {
	return seq, seq + int64(len(queue)), run.None
}

// TestMergeIsExact splits runs among shares at random: one log and any number of
// them, in any order and also after a journey as JSON, make the same result.
func TestMergeIsExact(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	worlds := []*scenarios.Scenario{
		mergedScenario(t, "burst, count: 1", "drained"),
		mergedScenario(t, "burst, count: 1", "published"),
		mergedScenario(t, "closed, users: 3, count: 9", "drained"),
	}
	worlds[1].Queues[0].Arguments = []scenarios.Argument{{Name: "x-dead-letter-exchange", Value: ""}}
	states := map[run.State]int{}
	for i := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, i))
		s := worlds[i%3]
		target := run.Target{Kind: "amqp", Product: []string{"harelab", "RabbitMQ"}[r.IntN(2)]}
		var in Observer
		if r.IntN(2) == 0 {
			in = inside{}
		}
		whole := history(r, s)
		want := Merge(s, target, in, whole)
		for _, m := range want.Messages {
			states[m.State]++
		}
		logs := split(r, whole, 1+r.IntN(5))
		if r.IntN(2) == 0 {
			text, err := json.Marshal(logs)
			if err != nil {
				t.Fatal(err)
			}
			logs = nil
			if err := json.Unmarshal(text, &logs); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(want, Merge(s, target, in, logs...)); d != "" {
			t.Fatalf("seed %d, history %d, %d shares, one log (-) and its shares (+):\n%s", seed, i, len(logs), d)
		}
	}
	for _, state := range []run.State{run.Done, run.Lost, run.Left, run.Returned, run.Unroutable, run.Refused, run.Rejected, run.DeadLetter} {
		if states[state] < 100 {
			t.Errorf("seed %d: %d messages %v in all histories: they prove little", seed, states[state], state)
		}
	}
}

// TestMergeSeries adds up what every share sampled, and no more.
func TestMergeSeries(t *testing.T) {
	sample := func(at, sent, ready int64) run.Sample {
		return run.Sample{At: at, Sent: sent, Ready: ready, Confirmed: -1}
	}
	r := Merge(mergedScenario(t, "burst, count: 1", "drained"), run.Target{}, nil,
		Log{Series: []run.Sample{sample(1, 10, 7), sample(2, 20, 6), sample(3, 30, 5)}},
		Log{Series: []run.Sample{sample(1, 1, -1), sample(3, 3, -1)}},
	)
	if want := []run.Sample{sample(1, 11, 7), sample(3, 33, 5)}; !slices.Equal(r.Series, want) {
		t.Errorf("series %v, want %v", r.Series, want)
	}
}

// TestClosedLoopsAreNumberedAsSent: publishers number their own messages, the
// result numbers those of all.
func TestClosedLoopsAreNumberedAsSent(t *testing.T) {
	s := mergedScenario(t, "closed, users: 3, count: 9", "drained")
	r := Merge(s, run.Target{}, nil, Log{
		Publishers: []PublisherLog{
			{Sequence: 0, Sent: []Sent{{Seq: 0, At: 5}, {Seq: 3, At: 9}}},
			{Sequence: 1, Sent: []Sent{{Seq: 1, At: 7}}},
		},
		Workers: []WorkerLog{{Attempts: []Attempt{{Seq: 3, Received: 9, Started: 9, Ended: 10}, {Seq: 1, Received: 9, Started: 11, Ended: 12}}}},
	})
	for i, sent := range []int64{5, 7, 9} {
		if m := r.Messages[i]; m.Seq != int64(i) || m.Sent != sent {
			t.Errorf("message %d: seq %d, sent %d; want %d", i, m.Seq, m.Sent, sent)
		}
	}
	if r.Spans[0].Seq != 2 || r.Spans[1].Seq != 1 {
		t.Errorf("spans %+v, want those of messages 2 and 1", r.Spans)
	}
}

// TestUnsyncedTargetIsNamed: a run against a broker that confirms before the disk has a
// message says so.
func TestUnsyncedTargetIsNamed(t *testing.T) {
	for durability, want := range map[string]bool{"": false, "memory": false, "fsynced": false, "unsynced": true} {
		target := run.Target{Kind: "amqp", Product: "harelab", Durability: durability}
		r := Merge(mergedScenario(t, "burst, count: 1", "drained"), target, nil, Log{})
		named := slices.ContainsFunc(r.Findings, func(f run.Finding) bool { return f.Code == "unsynced" && !f.Invalid })
		if named != want {
			t.Errorf("durability %q: named %t, want %t", durability, named, want)
		}
	}
}
