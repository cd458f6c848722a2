package loadgen

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"harelab/loadgen/run"
	"harelab/scenarios"

	"github.com/google/go-cmp/cmp"
)

// starving is a peak of 30 s that needs 40/s x 1.576 s = 63.04 slots, of which there are 24.
const starving = `
schema: harelab/v1
name: starving
params: {concurrency: 8, slowkey: celery, slowworkers: 0, workers: 3, rate: 40/s}
topology: {queues: [{name: celery}, {name: slow}]}
classes:
  - {name: quick, publish: {exchange: "", key: celery}, service: 80ms}
  - {name: slow, publish: {exchange: "", key: =slowkey}, service: 30s}
load:
  - sequence: app
    phases:
      - {mix: {weights: {quick: 95, slow: 5}}, model: open, arrival: poisson, rate: 5/s, duration: 120s}
      - {mix: {weights: {quick: 95, slow: 5}}, model: open, arrival: poisson, rate: =rate, duration: 30s}
      - {mix: {weights: {quick: 95, slow: 5}}, model: open, arrival: poisson, rate: 5/s, duration: 120s}
workers:
  - {name: worker, count: =workers, threads: =concurrency, consume: [{queue: celery}]}
  - {name: slowworker, count: =slowworkers, threads: =concurrency, consume: [{queue: slow}]}
stop: {when: drained, timeout: 900s}
`

// two has classes a and b of 1 s and 2 s for the queues a and b.
const two = `
schema: harelab/v1
name: two
topology:
  exchanges: [{name: x, type: topic}]
  queues: [{name: a, arguments: {ARGS}}, {name: b}, {name: nobody}]
  bindings: [{exchange: x, queue: a, key: "#"}, {exchange: x, queue: b, key: "#"}]
classes:
  - {name: a, publish: {exchange: "", key: a}, service: 1s}
  - {name: b, publish: {exchange: "", key: b}, service: 2s}
  - {name: both, publish: {exchange: x, key: k}, service: 1s}
  - {name: lonely, publish: {exchange: "", key: nobody}, service: 1s}
  - {name: heavy, publish: {exchange: "", key: a}, service: {dist: pareto, least: 1s, shape: 0.9, max: 3s}}
stop: {when: drained, timeout: 1h}
`

func capacityOf(t *testing.T, text string, set ...string) []run.Pool {
	t.Helper()
	f, err := scenarios.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := scenarios.Options{Set: map[string]string{}}
	for _, s := range set {
		name, value, _ := strings.Cut(s, "=")
		o.Set[name] = value
	}
	s, err := f.Resolve(o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	return p.Capacity()
}

// described writes overloads as "120-150s a,b: 63.04 of 24, 65, gone by 224s".
func described(pools []run.Pool) []string {
	var out []string
	at := func(us int64) string {
		switch us {
		case run.None:
			return "?"
		case math.MaxInt64:
			return "never"
		}
		return (time.Duration(us) * time.Microsecond).Round(time.Second).String()
	}
	for _, p := range pools {
		for _, o := range p.Overloads {
			queues := o.Queues
			if len(queues) == 0 {
				queues = p.Queues
			}
			text := fmt.Sprintf("%s-%s %s: %.4g of %d", at(o.From), at(o.To), strings.Join(queues, ","), o.Needs, o.Slots)
			if o.Most != o.Slots {
				text += fmt.Sprintf("..%d", o.Most)
			}
			if o.Speed != float64(o.Slots) {
				text += fmt.Sprintf(" worth %.4g", o.Speed)
			}
			if o.Varies {
				text += " varies"
			}
			if o.Drawn {
				text += " drawn"
			}
			out = append(out, text+fmt.Sprintf(", %d, gone by %s", o.Enough, at(o.Drained)))
		}
	}
	return out
}

// TestOverloads: offered work against slots in scenarios that are reckoned by hand.
func TestOverloads(t *testing.T) {
	open := func(class, rate, length string) string {
		return "{class: " + class + ", model: open, arrival: constant, rate: " + rate + ", duration: " + length + "}"
	}
	load := func(phases ...string) string {
		return "load: [{sequence: s, phases: [" + strings.Join(phases, ", ") + "]}]\n"
	}
	workers := func(ws ...string) string { return "workers: [" + strings.Join(ws, ", ") + "]\n" }
	const (
		onA  = "{name: wa, threads: 4, consume: [{queue: a}]}"
		onB  = "{name: wb, threads: 4, consume: [{queue: b}]}"
		onAB = "{name: wab, threads: 4, consume: [{queue: a}, {queue: b}]}"
	)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"a peak of 40/s x 1.576 s", starving, []string{"2m0s-2m30s celery: 63.04 of 24, 65, gone by 3m44s"}},
		{"within capacity", two + load(open("a", "3/s", "60s")) + workers(onA), nil},
		{"as much as there is", two + load(open("a", "4/s", "60s")) + workers(onA), nil},
		// 6 a second for 60 s are 360 s of work; 4 slots need 90 s.
		{"the whole load", two + load(open("a", "6/s", "60s")) + workers(onA), []string{"0s-1m0s a: 6 of 4, 7, gone by 1m30s"}},
		{"two phases", two + load(open("a", "6/s", "20s"), open("a", "1/s", "60s")) + workers(onA), []string{"0s-20s a: 6 of 4, 7, gone by 34s"}},
		{"fewer than one message for each slot", two + load(open("a", "6/s", "1s"), open("a", "1/s", "60s")) + workers(onA), nil},
		// At 40 s 40 s of work wait. Up to 60 s a slot is spare, and then all four.
		{"sequences add up", two + `load:
  - {sequence: s, phases: [{class: a, model: open, rate: 3/s, duration: 60s}]}
  - {sequence: t, start: 20s, phases: [{class: a, model: open, rate: 3/s, duration: 20s}]}
` + workers(onA), []string{"20s-40s a: 6 of 4, 7, gone by 1m5s"}},
		{"queues of their own", two + load("{mix: {pattern: [a, b]}, model: open, rate: 6/s, duration: 60s}") + workers(onA, onB),
			[]string{"0s-1m0s b: 6 of 4, 7, gone by 1m30s"}},
		{"shared workers", two + load("{mix: {pattern: [a, b]}, model: open, rate: 4/s, duration: 60s}") + workers(onAB),
			[]string{"0s-1m0s a,b: 6 of 4, 7, gone by 1m30s"}},
		// a needs 2, b needs 4 + its share of 4 slots of wab: b alone has 8 slots.
		{"connected by one worker", two + load("{mix: {pattern: [a, b]}, model: open, rate: 4/s, duration: 60s}") + workers(onA, onAB), nil},
		{"connected queues", two + load("{mix: {pattern: [a, a, a, a, a, b]}, model: open, arrival: constant, rate: 12/s, duration: 60s}") + workers(onA, onAB, onB), []string{"0s-1m0s a,b: 14 of 12, 15, gone by 1m10s"}},
		{"a part of connected queues", two + load("{mix: {pattern: [a, a, a, a, a, a, a, a, a, a, b]}, model: open, arrival: constant, rate: 11/s, duration: 60s}") + workers(onA, onAB, onB), []string{"0s-1m0s a: 10 of 8, 11, gone by 1m15s"}},
		{"copies to two queues", two + load(open("both", "3/s", "60s")) + workers(onAB), []string{"0s-1m0s a,b: 6 of 4, 7, gone by 1m30s"}},
		{"a slow worker", two + load(open("a", "3/s", "60s")) + workers("{name: w, threads: 4, slow: 2, consume: [{queue: a}]}"), []string{"0s-1m0s a: 3 of 4 worth 2, 4, gone by 1m30s"}},
		// 3 a second from 0 s, and 4 slots from 30 s: 90 s of work wait, and 1 s of each second is spare.
		{"a worker that joins late", two + load(open("a", "3/s", "60s")) + workers("{name: w, threads: 4, joins_at: 30s, consume: [{queue: a}]}"), []string{"0s-30s a: 3 of 0, 4, gone by 1m15s"}},
		{"a worker that dies", two + load(open("a", "3/s", "60s")) + workers(onA) + "faults: [{at: 30s, do: kill, worker: wa}]\n", []string{"30s-1m0s a: 3 of 0, 4, gone by never"}},
		{"one of two that dies", two + load(open("a", "6/s", "60s")) + "workers: [{name: w, count: 2, threads: 4, consume: [{queue: a}]}]\nfaults: [{at: 30s, do: kill, worker: w-1, restart_after: 20s}]\n",
			[]string{"30s-50s a: 6 of 4, 7, gone by 1m3s"}},
		{"a stalled worker", two + load(open("a", "3/s", "60s")) + workers(onA) + "faults: [{at: 20s, do: stall, worker: wa, restart_after: 20s}]\n", []string{"20s-40s a: 3 of 0, 4, gone by 1m10s"}},
		{"a single active consumer", strings.Replace(two, "ARGS", "x-single-active-consumer: true", 1) + load(open("a", "6/s", "60s")) + "workers: [{name: w, count: 2, threads: 4, consume: [{queue: a}]}]\n",
			[]string{"0s-1m0s a: 6 of 4, 7, gone by 1m30s"}},
		{"a queue that drops", strings.Replace(two, "ARGS", "x-max-length: 10", 1) + load(open("a", "6/s", "60s")) + workers(onA), []string{"0s-1m0s a: 6 of 4, 7, gone by ?"}},
		{"a queue that is long enough", strings.Replace(two, "ARGS", "x-max-length: 100000", 1) + load(open("a", "6/s", "60s")) + workers(onA), []string{"0s-1m0s a: 6 of 4, 7, gone by 1m30s"}},
		{"a queue that nobody consumes", two + load(open("lonely", "6/s", "60s")) + workers(onA), nil},
		{"a ramp", two + load("{class: a, model: open, arrival: constant, shape: [{ramp: 8/s, for: 160s}]}") + workers(onA), []string{"1m20s-2m40s a: 7.75 of 4 varies, 8, gone by 3m20s"}},
		{"segments that meet", two + load("{class: a, model: open, arrival: constant, shape: [{hold: 6/s, for: 100ms}, {hold: 6/s, for: 20100ms}, {hold: 6/s, for: 700ms}, {hold: 6/s, for: 19100ms}, {hold: 0/s, for: 10s}]}") + workers(onA), []string{"0s-40s a: 6 of 4, 7, gone by 1m0s"}},
		{"a count that ends the phase", two + load("{class: a, model: open, arrival: constant, rate: 6/s, count: 120}") + workers(onA), []string{"0s-20s a: 6 of 4, 7, gone by 30s"}},
		{"a closed loop", two + load("{class: a, model: closed, users: 50, duration: 60s}") + workers(onA), nil},
		{"a burst is a backlog", two + load("{class: a, model: burst, count: 100}") + workers(onA), nil},
		{"cut off by the time-out", strings.Replace(two, "1h", "30s", 1) + load(open("a", "6/s", "60s")) + workers(onA), []string{"0s-30s a: 6 of 4, 7, gone by 1m30s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := described(capacityOf(t, strings.Replace(tt.text, "{ARGS}", "{}", 1)))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestOverloadsOfParams: more workers end an overload, and splitting the queue moves it.
func TestOverloadsOfParams(t *testing.T) {
	if got := described(capacityOf(t, starving, "workers=8")); got != nil { // 64 slots for 63.04, of which 57.1 are drawn
		t.Errorf("64 slots: %q", got)
	}
	if got, want := described(capacityOf(t, starving, "slowkey=slow", "slowworkers=2", "workers=1")), []string{"2m0s-2m30s slow: 60 of 16, 62, gone by 5m2s"}; !slices.Equal(got, want) {
		t.Errorf("split: %q, want %q", got, want)
	}
}

// TestDrawnService: a distribution without a mean, or one that is cut off, counts as drawn.
func TestDrawnService(t *testing.T) {
	text := strings.Replace(two, "{ARGS}", "{}", 1) + `
load: [{sequence: s, phases: [{class: heavy, model: open, rate: 3/s, duration: 200s}]}]
workers: [{name: w, threads: 4, consume: [{queue: a}]}]
`
	p := capacityOf(t, text)[0]
	if len(p.Phases) != 1 || math.Abs(p.Phases[0].Offered-p.Phases[0].Drawn) > 1e-9 || p.Phases[0].Offered < 3 || p.Phases[0].Offered > 9 {
		t.Errorf("%+v", p.Phases)
	}
}

// TestBursts: the least time is that of the queues whose slots need longest.
func TestBursts(t *testing.T) {
	rest := `
workers: [{name: w, count: 2, threads: 2, consume: [{queue: a}]}, {name: v, threads: 1, consume: [{queue: a}, {queue: b}]}]
load: [{sequence: s, start: 3s, phases: [{class: a, model: burst, count: 10}, {class: b, model: burst, count: 6}]}]
`
	got := capacityOf(t, strings.Replace(two, "{ARGS}", "{}", 1)+rest)[0].Burst
	if want := (&run.Burst{At: 3e6, Queues: []string{"b"}, Work: 12e6, Slots: 1, Least: 12e6}); !cmp.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := capacityOf(t, strings.Replace(strings.Replace(two, "{ARGS}", "{}", 1)+rest, "count: 10", "count: 1", 1))[0]; got.Burst.Least != 12e6 {
		t.Errorf("%+v", got.Burst)
	}
}

// TestTraceInParts: a trace is cut into parts, so that its peak is found.
func TestTraceInParts(t *testing.T) {
	var rows []string
	for i := range 800 { // 2 a second, and 10 a second from 200 s to 240 s
		at := float64(i) / 2
		if i >= 400 {
			at = 200 + float64(i-400)/10
		}
		if i >= 800 {
			at = 240 + float64(i-800)/2
		}
		rows = append(rows, fmt.Sprintf(`["%gs", a, "", "", "", ""]`, at))
	}
	text := strings.Replace(two, "{ARGS}", "{}", 1) + "load: [{sequence: s, phases: [{model: trace, rows: [" + strings.Join(rows, ", ") + "]}]}]\n" +
		"workers: [{name: w, threads: 4, consume: [{queue: a}]}]\n"
	got := described(capacityOf(t, text))
	if len(got) != 1 || !strings.Contains(got[0], "a: 10") {
		t.Errorf("%q", got)
	}
}
