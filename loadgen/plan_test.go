package loadgen

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"harelab/scenarios"

	"github.com/google/go-cmp/cmp"
)

// header begins every scenario of these tests: two classes, two queues.
const header = `
schema: harelab/v1
name: t
seed: 7
topology:
  exchanges: [{name: x, type: topic}]
  queues: [{name: q}, {name: r}]
  bindings: [{exchange: x, queue: q, key: "#"}]
classes:
  - {name: a, publish: {exchange: x, key: "a.{tenant}", headers: {who: "{tenant}", n: 3}}, keys: {tenant: {dist: zipf, s: 0.9, n: 20, prefix: t}}, size: 1KiB, service: {dist: exponential, mean: 5ms}}
  - {name: b, publish: {exchange: "", key: q}, cost: service, service: {dist: uniform, from: 1ms, to: 3ms}}
`

func plan(t *testing.T, rest string) (*scenarios.Scenario, *Plan) {
	t.Helper()
	f, err := scenarios.Parse("t.yaml", []byte(header+rest))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

func all(st *Stream) []Planned {
	var list []Planned
	for m := (Planned{}); st.Next(&m); {
		list = append(list, m)
	}
	return list
}

const twoSequences = `
load:
  - {sequence: one, phases: [{class: a, model: open, arrival: poisson, rate: 100/s, duration: 10s}, {class: b, model: burst, count: 3}]}
  - {sequence: two, start: 1s, phases: [{mix: {pattern: [a, b]}, model: open, rate: 50/s, duration: 4s}]}
`

func TestPlanIsTheSameEveryTime(t *testing.T) {
	_, p := plan(t, twoSequences)
	first, second := all(p.All()), all(p.All())
	if len(first) < 1000 {
		t.Fatalf("%d messages, want about 1203", len(first))
	}
	if d := cmp.Diff(first, second); d != "" {
		t.Error(d)
	}
	if p.Planned() != len(first) {
		t.Errorf("Planned() = %d, want %d", p.Planned(), len(first))
	}
}

func TestSequencesAreNumberedAsInTheMergedPlan(t *testing.T) {
	_, p := plan(t, twoSequences)
	merged := all(p.All())
	n := 0
	for i := range 2 {
		for _, m := range all(p.Sequence(i)) {
			if d := cmp.Diff(merged[m.Seq], m); d != "" {
				t.Fatalf("sequence %d: %s", i, d)
			}
			n++
		}
	}
	if n != len(merged) {
		t.Errorf("%d messages in the sequences, %d merged", n, len(merged))
	}
	for i, m := range merged {
		if m.Seq != int64(i) || i > 0 && m.At < merged[i-1].At {
			t.Fatalf("message %d: seq %d at %d us, after %d us", i, m.Seq, m.At, merged[max(i-1, 0)].At)
		}
	}
}

func TestAddingASequenceShiftsNoDraws(t *testing.T) {
	_, p := plan(t, twoSequences)
	_, more := plan(t, twoSequences+"  - {sequence: three, phases: [{class: a, model: open, arrival: poisson, rate: 9/s, duration: 5s}]}\n")
	want, got := all(p.Sequence(0)), all(more.Sequence(0))
	for i := range want {
		want[i].Seq, got[i].Seq = 0, 0
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPhaseTimes(t *testing.T) {
	for _, c := range []struct {
		name, phases string
		want         []int64 // microseconds
	}{
		{"burst at once", `[{class: b, model: burst, count: 3}]`, []int64{0, 0, 0}},
		{"constant begins at zero and is even", `[{class: b, model: open, rate: 400/s, duration: 10ms}]`, []int64{0, 2500, 5000, 7500}},
		{"count ends an open phase", `[{class: b, model: open, rate: 400/s, duration: 1s, count: 2}]`, []int64{0, 2500}},
		{"phases follow each other", `[{class: b, model: open, rate: 100/s, duration: 20ms}, {class: b, model: burst, count: 1}]`, []int64{0, 10000, 20000}},
		{"ramp", `[{class: b, model: open, shape: [{ramp: 200/s, for: 100ms}]}]`, []int64{0, 31623, 44721, 54772, 63246, 70711, 77460, 83666, 89443, 94868}},
		{"hold then hold", `[{class: b, model: open, shape: [{hold: 100/s, for: 20ms}, {hold: 1000/s, for: 2ms}]}]`, []int64{0, 10000, 20000, 21000}},
		{"trace", `[{model: trace, rows: [[3ms, a, "", "", 2KiB, 1ms], [1ms, b, x, k, "", ""]]}, {class: b, model: burst, count: 1}]`, []int64{1000, 3000, 3000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, p := plan(t, "load: [{sequence: s, phases: "+c.phases+"}]\n")
			var got []int64
			for _, m := range all(p.All()) {
				got = append(got, m.At)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestMeanRate wants each process to keep the shape's mean rate, within some
// standard errors.
func TestMeanRate(t *testing.T) {
	for _, arrival := range []string{"constant", "poisson", "{process: gamma, shape: 4}", "{process: gamma, shape: 0.5}", "{process: mmpp, burst: 200ms, pause: 300ms}"} {
		for _, shape := range []string{"{hold: 500/s, for: 200s}", "{ramp: 1000/s, for: 200s}", "{sine: 500/s, amplitude: 400/s, period: 8s, for: 200s}"} {
			_, p := plan(t, "load: [{sequence: s, phases: [{class: b, model: open, arrival: "+arrival+", shape: ["+shape+"]}]}]\n")
			n := float64(p.Planned())
			limit := 2000.0
			if strings.Contains(arrival, "mmpp") {
				limit = 25_000 // about 400 bursts of random length
			}
			if math.Abs(n-100_000) > limit {
				t.Errorf("%s over %s: %v messages, want about 100000", arrival, shape, n)
			}
			if arrival == "constant" && math.Abs(n-100_000) > 1 {
				t.Errorf("constant over %s: %v messages, want 100000", shape, n)
			}
		}
	}
}

// TestBurstsAreBursty wants the silence between bursts to be seen.
func TestBurstsAreBursty(t *testing.T) {
	_, p := plan(t, "load: [{sequence: s, phases: [{class: b, model: open, arrival: {process: mmpp, burst: 1s, pause: 3s}, rate: 200/s, duration: 400s}]}]\n")
	busy := map[int64]int{}
	for _, m := range all(p.All()) {
		busy[m.At/100_000]++
	}
	share := float64(len(busy)) / 4000
	if share < 0.2 || share > 0.4 {
		t.Errorf("messages in %.0f %% of the tenths of a second, want about 28 %%", 100*share)
	}
}

func TestWhatMessagesCarry(t *testing.T) {
	s, p := plan(t, twoSequences)
	tenants := map[string]int{}
	for _, m := range all(p.All()) {
		switch s.Classes[m.Class].Name {
		case "a":
			tenants[m.Tenant]++
			if m.Exchange != "x" || m.RoutingKey != "a."+m.Tenant || m.Size != 1024 || m.Cost != 0 {
				t.Fatalf("%+v", m)
			}
			if want := []scenarios.Argument{{Name: "who", Value: m.Tenant}, {Name: "n", Value: int64(3)}}; !cmp.Equal(m.Headers, want) {
				t.Fatalf("headers %v, want %v", m.Headers, want)
			}
		case "b":
			if m.RoutingKey != "q" || m.Size != scenarios.MinSize || m.Cost != m.Service || m.Service < 1000 || m.Service > 3000 {
				t.Fatalf("%+v", m)
			}
		}
	}
	if tenants["t0"] < 2*tenants["t9"] || len(tenants) != 20 {
		t.Errorf("tenants %v: want 20, by Zipf", tenants)
	}
}

func TestFixedKeyStillDraws(t *testing.T) {
	const load = "load: [{sequence: s, phases: [{class: a, %s model: burst, count: 50}]}]\n"
	_, free := plan(t, fmt.Sprintf(load, ""))
	_, fixed := plan(t, fmt.Sprintf(load, "fix: {tenant: noisy},"))
	want, got := all(free.All()), all(fixed.All())
	for i := range want {
		if got[i].Tenant != "noisy" || got[i].RoutingKey != "a.noisy" {
			t.Fatalf("%+v", got[i])
		}
		if got[i].Service != want[i].Service {
			t.Fatalf("message %d: service %d, want %d as without fix", i, got[i].Service, want[i].Service)
		}
	}
}

// TestPurposesAreIndependent wants what one distribution draws not to depend on
// another, and sequences not to repeat each other.
func TestPurposesAreIndependent(t *testing.T) {
	other := strings.NewReplacer("size: 1KiB", "size: {dist: gamma, shape: 0.5, mean: 1KiB}", "cost: service,", "size: {dist: uniform, from: 1000B, to: 3000B},")
	f, err := scenarios.Parse("t.yaml", []byte(other.Replace(header)+twoSequences))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	varying, err := NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	_, fixed := plan(t, twoSequences)
	want, got := all(fixed.All()), all(varying.All())
	first := map[int32]int64{}
	for i := range want {
		if got[i].Service != want[i].Service || got[i].At != want[i].At {
			t.Fatalf("message %d: service %d at %d, want %d at %d as with sizes that do not vary", i, got[i].Service, got[i].At, want[i].Service, want[i].At)
		}
		if _, ok := first[want[i].Sequence]; !ok && want[i].Class == 0 {
			first[want[i].Sequence] = want[i].Service
		}
	}
	if first[0] == first[1] {
		t.Error("two sequences draw the same service times")
	}
	same := 0
	for i := range got {
		if got[i].Class == 1 && int64(got[i].Size) == got[i].Service {
			same++ // both are uniform from 1000 to 3000
		}
	}
	if same > 5 {
		t.Errorf("%d sizes are equal to service times", same)
	}
}

func TestUsersOfAClosedLoop(t *testing.T) {
	_, p := plan(t, "load: [{sequence: s, start: 1s, phases: [{class: b, model: open, rate: 10/s, duration: 1s}, {class: a, model: closed, users: 3, think: {dist: exponential, mean: 10ms}, duration: 5s, count: 7}]}]\n")
	if p.Static() || p.Planned() != -1 {
		t.Errorf("Static() = %v, Planned() = %d", p.Static(), p.Planned())
	}
	users := p.Users()
	if len(users) != 3 {
		t.Fatalf("%d users, want 3", len(users))
	}
	if open := all(p.All()); len(open) != 10 || open[0].Seq != -1 {
		t.Errorf("%d open messages, the first with seq %d: want 10, -1", len(open), open[0].Seq)
	}
	sent := 0
	var m Planned
	for i := 0; i < 100; i++ {
		u := users[i%3]
		if u.Start < 2_000_000 || u.End != 7_000_000 {
			t.Fatalf("user from %d to %d us", u.Start, u.End)
		}
		if u.Next(u.Start, &m) {
			sent++
			if m.At != u.Start || m.User != u.Index {
				t.Fatalf("%+v", m)
			}
		}
	}
	if sent != 7 {
		t.Errorf("%d messages, want the count of 7", sent)
	}
	if users = p.Users(); users[0].Next(7_000_000, &m) {
		t.Error("a message at the phase's end")
	}
}

func BenchmarkPlan(b *testing.B) {
	f, err := scenarios.Load("noisy-neighbour")
	if err != nil {
		b.Fatal(err)
	}
	s, err := f.Resolve(scenarios.Options{})
	if err != nil {
		b.Fatal(err)
	}
	p, err := NewPlan(s)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	st := p.All()
	var m Planned
	for b.Loop() {
		if !st.Next(&m) {
			st = p.All()
		}
	}
}
