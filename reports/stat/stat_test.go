package stat

import (
	"math"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/internal/specimen"
	"harelab/scenarios/metric"
)

const none = run.None

// row is a finished message of class 0 on worker 0, slot 0.
func row(seq, intended, received, started, done int64) run.Message {
	return run.Message{
		Seq: seq, Tenant: -1, Attempts: 1, Intended: intended, Sent: intended, Confirmed: none, Enqueued: intended,
		Dispatched: received, Received: received, Started: started, Done: done, Acked: done, Service: done - started,
	}
}

// result makes a run of the rows with a span for each.
func result(rows ...run.Message) *run.Result {
	r := &run.Result{
		Target:  run.Target{Kind: "sim"},
		Classes: []string{"a", "b"}, Queues: []string{"q", "p"},
		Workers:  []run.Worker{{Name: "w0", Slots: 1, Queues: []string{"q"}}, {Name: "w1", Slots: 1, Queues: []string{"q"}}},
		Messages: rows,
	}
	for _, m := range rows {
		if m.Started == none {
			continue
		}
		r.Spans = append(r.Spans, run.Span{Worker: m.Worker, Slot: m.Slot, Class: m.Class, Seq: m.Seq, Start: m.Started, End: m.Done})
		r.Length = max(r.Length, m.Done)
	}
	return r
}

func TestPercentilesAreNearestRank(t *testing.T) {
	var us []int64
	for i := range int64(40) {
		us = append(us, (40-i)*1_000_000)
	}
	s := micros(us)
	for name, want := range map[string]float64{
		"min": 1, "p50": 20, "p95": 38, "p97.5": 39, "p99": 40, "max": 40, "mean": 20.5, "n": 40, "sd": math.Sqrt(40 * 41 / 12.),
	} {
		if got, ok := s.stat(name); !ok || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s of 1..40 = %v, %v, want %v", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "p0", "p101", "p-1", "px", "median", "count"} {
		if _, ok := s.stat(name); ok {
			t.Errorf("statistic %q is known", name)
		}
	}
}

func TestStarvation(t *testing.T) {
	unserved := row(1, 4, none, none, none)
	unserved.State = run.Left
	tests := []struct {
		name          string
		rows          []run.Message
		longest, from int64
	}{
		{"nothing waits", []run.Message{row(0, 5, 5, 5, 9)}, 0, 0},
		{"from arrival to start", []run.Message{row(0, 5, 5, 8, 9)}, 3, 5},
		{"a start of the class ends the span", []run.Message{row(0, 0, 0, 4, 9), row(1, 0, 0, 6, 9)}, 4, 0},
		{"the span begins at the last start", []run.Message{row(0, 0, 0, 1, 9), row(1, 0, 0, 7, 9)}, 6, 1},
		{"an empty queue is no starvation", []run.Message{row(0, 0, 0, 1, 2), row(1, 90, 90, 92, 99)}, 2, 90},
		{"the end of the run ends it", []run.Message{row(0, 0, 0, 1, 50), unserved}, 46, 4},
	}
	for _, tt := range tests {
		ds := newDataset(result(tt.rows...))
		longest, from := ds.view(nil).starvation()
		if longest != tt.longest || from != tt.from {
			t.Errorf("%s: starvation = %d from %d, want %d from %d", tt.name, longest, from, tt.longest, tt.from)
		}
	}
}

func TestStarvationSeesEveryAttempt(t *testing.T) {
	r := result(row(0, 0, 30, 30, 40))
	r.Messages[0].Attempts = 2
	r.Spans = []run.Span{{Seq: 0, Start: 1, End: 9, Cut: true}, {Seq: 0, Start: 30, End: 40}}
	if longest, from := newDataset(r).view(nil).starvation(); longest != 21 || from != 9 {
		t.Errorf("starvation = %d from %d, want 21 from 9, where the worker died", longest, from)
	}
}

func TestIdleWhileWaiting(t *testing.T) {
	held := row(1, 0, 0, 10, 12) // in w0's buffer while w1 is free
	elsewhere := held
	elsewhere.Queue = 1 // w1 does not read queue 1
	busy := row(2, 0, 0, 0, 7)
	busy.Worker = 1
	tests := []struct {
		name string
		rows []run.Message
		want float64
	}{
		{"a slot is free while a message is held elsewhere", []run.Message{row(0, 0, 0, 0, 10), held}, 10},
		{"a free slot that may not serve it does not count", []run.Message{row(0, 0, 0, 0, 10), elsewhere}, 0},
		{"only the time in which a slot is free counts", []run.Message{row(0, 0, 0, 0, 10), held, busy}, 3},
		{"nothing waits", []run.Message{row(0, 0, 0, 0, 10)}, 0},
	}
	for _, tt := range tests {
		if got := newDataset(result(tt.rows...)).idleWhileWaiting(&filter{}) * perSecond; math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: idle while waiting = %v us, want %v", tt.name, got, tt.want)
		}
	}
}

func TestStuckIsBehindOtherClasses(t *testing.T) {
	long := row(0, 0, 0, 0, 100)
	quick := row(1, 0, 0, 100, 110)
	quick.Class = 1
	same := row(2, 0, 0, 110, 120)
	same.Class = 1
	late := row(3, 95, 95, 120, 130) // held 5 behind class a, for less than its own work takes
	late.Class = 1
	r := result(long, quick, same, late)
	s := Summarize(r)
	if b := s.Class("b"); b.Stuck != 2 || b.StuckMax != 100e-6 {
		t.Errorf("stuck = %d, longest %v s, want 2 and 100 us", b.Stuck, b.StuckMax)
	}
	r.Workers[0].Slots = 2 // a slot is always free: nothing is stuck
	if b := Summarize(r).Class("b"); b.Stuck != 0 {
		t.Errorf("stuck = %d with a free slot, want 0", b.Stuck)
	}
}

func TestJain(t *testing.T) {
	for _, tt := range []struct {
		x    []float64
		want float64
	}{{[]float64{1, 1, 1}, 1}, {[]float64{20, 2}, 484. / 808}, {[]float64{5, 0, 0, 0}, 0.25}} {
		if got := Jain(tt.x); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("Jain(%v) = %v, want %v", tt.x, got, tt.want)
		}
	}
	if !math.IsNaN(Jain(nil)) {
		t.Error("Jain of nothing is a number")
	}
}

func TestJainShareCountsOnlyCommonBacklog(t *testing.T) {
	const s = 1_000_000
	r := result()
	r.Tenants = []string{"x", "y"}
	add := func(tenant int32, intended, started int64) {
		m := row(int64(len(r.Messages)), intended, started, started, started+s)
		m.Tenant = tenant
		r.Messages = append(r.Messages, m)
		r.Length = max(r.Length, m.Done)
	}
	// In the first two seconds both wait and both are served; afterwards only y
	// waits and only y is served; fairness is not defined then.
	for i := range int64(3) {
		add(0, 0, i*s)
	}
	for i := range int64(7) {
		add(1, 0, i*s)
	}
	ds := newDataset(r)
	got := ds.jainShare(&filter{})
	if got != 1 {
		t.Fatalf("jain.share = %v, want 1: while both wait they are served alike", got)
	}
	r.Messages = r.Messages[:3]
	if got := newDataset(r).jainShare(&filter{}); !math.IsNaN(got) {
		t.Errorf("jain.share = %v of a tenant without another, want none", got)
	}
}

func TestUtilisation(t *testing.T) {
	r := result(row(0, 0, 0, 0, 10), row(1, 0, 0, 10, 20))
	s := Summarize(r)
	if s.Utilisation != 0.5 || s.Workers[0].Utilisation != 1 || s.Workers[1].Utilisation != 0 {
		t.Errorf("utilisation = %v of %v and %v, want 0.5 of 1 and 0", s.Utilisation, s.Workers[0].Utilisation, s.Workers[1].Utilisation)
	}
}

func TestWarmupIsLeftOut(t *testing.T) {
	r := result(row(0, 0, 0, 90, 100), row(1, 50, 150, 150, 160))
	r.Warmup = 50
	if c := Summarize(r).All; c.N != 1 || c.Wait.Max != 100e-6 {
		t.Errorf("n = %d, longest wait %v s, want the one message after the warm-up", c.N, c.Wait.Max)
	}
}

func TestInversions(t *testing.T) {
	r := result(row(0, 0, 30, 30, 31), row(1, 0, 10, 31, 32), row(2, 0, 20, 32, 33))
	if n := newDataset(r).view(nil).inversions(func(*run.Message) bool { return true }); n != 1 {
		t.Errorf("inversions = %d, want 1: message 0 came after two that were published later", n)
	}
}

func TestComparisons(t *testing.T) {
	tests := []struct {
		op      string
		want    float64
		unit    string
		got     float64
		virtual bool
		holds   bool
	}{
		{"==", 10, "s", 10, true, true},
		{"==", 10, "s", 10.000001, true, false},
		{"==", 10, "s", 10.2, false, true}, // 2 % + 50 ms
		{"==", 10, "s", 10.26, false, false},
		{"==", 0.599, "", 0.59901, true, true}, // at the digits that were written
		{"==", 0.599, "", 0.5996, true, false},
		{"==", 0, "", 1, true, false},
		{"==", 0, "", 1, false, false}, // no absolute slack on counts
		{"<=", 0.1, "s", 0.1, true, true},
		{"<=", 0.1, "s", 0.14, false, true},
		{"<", 1, "s", 1, true, false},
		{">=", 10, "s", 9.9, true, false},
		{">=", 10, "s", 9.9, false, true},
		{"!=", 3, "", 3, true, false},
	}
	for _, tt := range tests {
		e := run.Expectation{Op: tt.op, Value: tt.want, Unit: tt.unit, RelTol: 0.02, AbsTol: 0.05}
		if got, _, err := holds(tt.got, e, tt.virtual); err != nil || got != tt.holds {
			t.Errorf("%v %s %v%s, virtual %v: %v (%v), want %v", tt.got, tt.op, tt.want, tt.unit, tt.virtual, got, err, tt.holds)
		}
	}
	if _, _, err := holds(1, run.Expectation{Op: "=<"}, true); err == nil {
		t.Error("operator =< is known")
	}
}

func TestRightSideMayBeAnotherMetric(t *testing.T) {
	r := specimen.CeleryInitial()
	r.Ledger.Unroutable = 971
	r.Ledger.Lost = 971
	es := []run.Expectation{
		{Text: "lost == unroutable", Of: metric.Query{Metric: "lost"}, Op: "==", Value: 1, Times: "unroutable"},
		{Text: "delivered == published * 2", Of: metric.Query{Metric: "delivered"}, Op: "==", Value: 2, Times: "published", RelTol: 0.5},
		{Text: "lost == wayt", Of: metric.Query{Metric: "lost"}, Op: "==", Value: 1, Times: "wayt"},
	}
	vs := Check(r, Summarize(r), es)
	if vs[0].Outcome != Met || vs[0].Want != 971 {
		t.Errorf("lost == unroutable: %+v", vs[0])
	}
	if vs[1].Outcome != NotMet || vs[1].Want != 88 {
		t.Errorf("44 delivered against twice 44 published: %+v", vs[1])
	}
	if !strings.Contains(vs[2].Error, `unknown metric "wayt"`) {
		t.Errorf("an unknown metric on the right: %+v", vs[2])
	}
	r = specimen.Foreign(r)
	r.Ledger.Unroutable = -1
	if v := Check(r, Summarize(r), es[:1])[0]; v.Outcome != NotVisible {
		t.Errorf("against a count that is not visible: %+v", v)
	}
}

func TestDeliveriesCountEveryAttempt(t *testing.T) {
	r := result(row(0, 0, 30, 30, 40), row(1, 0, 5, 40, 50))
	r.Messages[0].Attempts, r.Messages[0].Worker = 2, 1
	r.Spans = []run.Span{{Seq: 0, Worker: 0, Start: 1, End: 9, Cut: true}, {Seq: 0, Worker: 1, Start: 30, End: 40}, {Seq: 1, Worker: 0, Start: 40, End: 50}}
	for worker, want := range map[string]float64{"w0": 2, "w1": 1} {
		e := run.Expectation{Of: metric.Must("delivered{worker=" + worker + "}"), Op: ">="}
		if v := Check(r, Summarize(r), []run.Expectation{e})[0]; v.Measured == nil || *v.Measured != want {
			t.Errorf("delivered to %s: %+v, want %v", worker, v, want)
		}
	}
}

func TestLabelsChooseMessages(t *testing.T) {
	r := specimen.Tenants(400)
	s := Summarize(r)
	count := func(q string) float64 {
		v := Check(r, s, []run.Expectation{{Of: metric.Must(q), Op: ">=", Value: 0}})[0]
		if v.Measured == nil {
			t.Fatalf("%s: %+v", q, v)
		}
		return *v.Measured
	}
	with, without := count("finished{tenant=noisy}"), count("finished{tenant!=noisy}")
	if with == 0 || with+without != 400 {
		t.Errorf("tenant=noisy has %v and tenant!=noisy %v messages of 400", with, without)
	}
	by := []run.Expectation{{Of: metric.Query{Metric: "jain.busy"}, Op: ">", Value: 0}}
	if v := Check(r, s, by)[0]; !strings.Contains(v.Error, "write jain.busy{by=worker}") {
		t.Errorf("a bare jain.busy: %q", v.Error)
	}
}

func TestInOneUnit(t *testing.T) {
	for _, tt := range []struct {
		lo, hi, v float64
		want      string
	}{
		{0.0183, 0.232, 0.232, "232 ms"}, {0.0183, 0.232, 0.0183, "18.3 ms"}, {0.0183, 0.232, 0, "0 s"}, {0.2, 40, 0.2, "0.2 s"},
		{0.0183, 2, 0.0183, "18.3 ms"}, {0.0183, 2, 0.232, "0.232 s"}, {50e-6, 0.0009, 0.0009, "900 µs"}, {math.Inf(1), 0, math.NaN(), "not visible"},
	} {
		if got := InOneUnit(tt.lo, tt.hi)(tt.v); got != tt.want {
			t.Errorf("%g among %g to %g is %q, want %q", tt.v, tt.lo, tt.hi, got, tt.want)
		}
	}
}

// TestUtilisationCountsFailedWork: a slot is busy with work that fails, too, and the time
// that counts ends with the last work and not with the last message that was done.
func TestUtilisationCountsFailedWork(t *testing.T) {
	r := specimen.CeleryInitial() // one worker of four slots, busy for 11 s
	for slot := range int32(2) {
		r.Spans = append(r.Spans, run.Span{Slot: slot, Class: 1, Seq: 1, Start: 11_000_000, End: 22_000_000})
	}
	s := Summarize(r)
	if got, err := s.Ask(metric.Must("utilisation")); err != nil || got != 0.75 || s.Utilisation != 0.75 {
		t.Errorf("utilisation %v, %v, of the summary %v; want 0.75", got, err, s.Utilisation)
	}
}

// TestBusyTimeOfCopies: a message that was routed to several queues has one row, and each
// worker that did its work was busy.
func TestBusyTimeOfCopies(t *testing.T) {
	r := specimen.CeleryInitial()
	r.Workers = []run.Worker{{Name: "a", Slots: 1}, {Name: "b", Slots: 1}}
	r.Messages = r.Messages[:1]
	r.Messages[0].Worker = 1
	r.Spans = []run.Span{{Worker: 0, Start: 0, End: 4_000_000}, {Worker: 1, Start: 0, End: 4_000_000}}
	if got := Summarize(r).JainBusyByWorker; got == nil || *got != 1 {
		t.Errorf("Jain's index of two workers that were equally busy: %v, want 1", got)
	}
}
