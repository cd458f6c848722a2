package sim

import (
	"context"
	"encoding/json"
	"runtime"
	"slices"
	"testing"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

func resolve(t testing.TB, name, variant string) *scenarios.Scenario {
	t.Helper()
	f, err := scenarios.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(scenarios.Options{Variant: variant})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustRun(t testing.TB, s *scenarios.Scenario) *run.Result {
	t.Helper()
	r, err := Run(context.Background(), s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// waits returns the sorted waits and held times of a class.
func waits(t testing.TB, r *run.Result, class string) (wait, held []int64) {
	t.Helper()
	c := int32(slices.Index(r.Classes, class))
	for i := range r.Messages {
		if m := &r.Messages[i]; m.Class == c {
			if m.State != run.Done {
				t.Fatalf("message %d is %v, want done", m.Seq, m.State)
			}
			wait = append(wait, m.Started-m.Intended)
			held = append(held, m.Started-m.Received)
		}
	}
	slices.Sort(wait)
	slices.Sort(held)
	return wait, held
}

// The talk's scenarios have known answers, exact to the microsecond.
func TestCelery(t *testing.T) {
	const ms = int64(1000)
	for _, c := range []struct {
		name, variant  string
		mean, p50, max int64
		maxHeld        int64
		makespan       int64
		stuck          int // queries that were held 9 s or more
	}{
		{"celery-initial", "", 10450 * ms, 10400 * ms, 10900 * ms, 10300 * ms, 11000 * ms, 0},
		{"celery-optimized", "", 8284 * ms, 9900 * ms, 13300 * ms, 10500 * ms, 20000 * ms, 11},
		{"celery-optimized", "same-load", 3827500, 1900 * ms, 10500 * ms, 10500 * ms, 20000 * ms, 11},
		{"celery-optimized", "same-load-fair", 1950 * ms, 1900 * ms, 3900 * ms, 0, 20000 * ms, 0},
	} {
		t.Run(c.name+"/"+c.variant, func(t *testing.T) {
			r := mustRun(t, resolve(t, c.name, c.variant))
			wait, held := waits(t, r, "run_user_query")
			sum, stuck, makespan := int64(0), 0, int64(0)
			for i := range wait {
				sum += wait[i]
			}
			for i := range r.Messages {
				m := &r.Messages[i]
				makespan = max(makespan, m.Done)
				if r.Classes[m.Class] == "run_user_query" && m.Started-m.Received >= 9_000_000 && m.Intended == m.Received {
					stuck++
				}
			}
			if got := sum / int64(len(wait)); got != c.mean || sum%int64(len(wait)) != 0 {
				t.Errorf("mean wait %d us, want %d", got, c.mean)
			}
			if got := wait[(len(wait)+1)/2-1]; got != c.p50 {
				t.Errorf("median wait %d us, want %d", got, c.p50)
			}
			if got := wait[len(wait)-1]; got != c.max {
				t.Errorf("greatest wait %d us, want %d", got, c.max)
			}
			if got := held[len(held)-1]; got != c.maxHeld {
				t.Errorf("greatest held time %d us, want %d", got, c.maxHeld)
			}
			if makespan != c.makespan {
				t.Errorf("makespan %d us, want %d", makespan, c.makespan)
			}
			if c.variant != "" && stuck != c.stuck {
				t.Errorf("%d queries stuck behind nets, want %d", stuck, c.stuck)
			}
			if l := r.Ledger; l.Published != int64(len(r.Messages)) || l.Finished != l.Published || l.Acked != l.Published ||
				l.Delivered != l.Published || l.Lost+l.Duplicated+l.Redelivered+l.Left+l.Unroutable+l.Returned+l.Inversions != 0 {
				t.Errorf("ledger %+v", l)
			}
		})
	}
}

// A result is the same on every run and any number of processors.
func TestRunsAreIdentical(t *testing.T) {
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			s := resolve(t, name, "")
			if err := s.Refuse("virtual time", loadgen.Features...); err != nil {
				t.Skip(err)
			}
			encode := func() []byte {
				b, err := json.Marshal(mustRun(t, s))
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			first := encode()
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			if second := encode(); !slices.Equal(first, second) {
				t.Error("two runs differ")
			}
		})
	}
}

// What a run says of itself holds together, whatever the scenario.
func TestShippedScenariosAreSound(t *testing.T) {
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			s := resolve(t, name, "")
			if err := s.Refuse("virtual time", loadgen.Features...); err != nil {
				t.Skip(err)
			}
			checkSound(t, mustRun(t, s))
		})
	}
}

func checkSound(t *testing.T, r *run.Result) {
	t.Helper()
	var finished, lost, unserved int64
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Seq != int64(i) {
			t.Fatalf("message %d has seq %d", i, m.Seq)
		}
		switch m.State {
		case run.Done:
			finished++
			order := []int64{m.Intended, m.Sent, m.Enqueued, m.Dispatched, m.Received, m.Started, m.Done}
			if !slices.IsSorted(order) {
				t.Fatalf("message %d: intended, sent, enqueued, dispatched, received, started, done = %v", i, order)
			}
		case run.Lost, run.Unroutable:
			lost++
		case run.Left:
			unserved++
		}
	}
	l := r.Ledger
	if l.Published != int64(len(r.Messages)) || l.Finished != finished || l.Lost != lost || l.Left != unserved {
		t.Errorf("ledger %+v; rows: %d, %d done, %d lost, %d unserved", l, len(r.Messages), finished, lost, unserved)
	}
	for i, s := range r.Spans {
		if s.End < s.Start || i > 0 && s.Start < r.Spans[i-1].Start {
			t.Fatalf("span %d: %+v after %+v", i, s, r.Spans[max(i-1, 0)])
		}
	}
	for i, s := range r.Series {
		if i > 0 && (s.At < r.Series[i-1].At || s.Delivered < r.Series[i-1].Delivered || s.Acked < r.Series[i-1].Acked) {
			t.Fatalf("sample %d: %+v after %+v", i, s, r.Series[i-1])
		}
	}
	if len(r.Series) > 0 && !r.Partial {
		last := r.Series[len(r.Series)-1]
		if last.Sent != l.Published || last.Delivered != l.Delivered {
			t.Errorf("last sample %+v, ledger %+v", last, l)
		}
	}
}
