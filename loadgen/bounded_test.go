package loadgen

import (
	"runtime"
	"testing"

	"harelab/scenarios"
)

// mostBytes bounds what reading a scenario of a kilobyte and planning its load may
// allocate in all, freed memory included.
const mostBytes = 4 << 30

// FuzzPlanIsBounded wants no text of a kilobyte to take more than mostBytes before it is
// refused, or until its plan begins.
func FuzzPlanIsBounded(f *testing.F) {
	const head = "schema: harelab/v1\nname: f\ntopology: {queues: [{name: q}], exchanges: [{name: x, type: topic}]}\n"
	const class = "classes: [{name: c, publish: {exchange: \"\", key: q}, service: 1ms}]\n"
	for _, text := range []string{
		head + class + "load: [{sequence: s, phases: [{class: c, model: open, rate: 1e9/s, duration: 10000h}]}]\n",
		head + class + "load: [{sequence: s, phases: [{class: c, model: burst, count: 1e12}]}]\n",
		head + class + "load: [{sequence: s, phases: [{class: c, model: closed, users: 100000, count: 1e6}, {class: c, model: closed, users: 100000, count: 1e6}]}]\n",
		head + class + "load: [{sequence: s, phases: [{class: c, model: closed, users: 100000, count: 1e6}]}]\n",
		head + class + "load: [{sequence: s, phases: [{class: c, model: open, arrival: {process: mmpp, burst: 1us, pause: 100h}, rate: 1/s, duration: 1h}]}]\n",
		head + class + "load: [{sequence: s, connections: 1000, confirm: {max_in_flight: 1048576}, phases: [{class: c, model: burst, count: 1}]}]\nworkers: [{name: w, count: 200000, threads: 100000, consume: [{queue: q}]}]\n",
		head + class + "load: [{sequence: s, phases: [{class: c, model: burst, count: 1}]}]\nworkers: [{name: w, count: 20000, consume: [{queue: q}]}]\nvariants: {a: {title: a}, b: {title: b}}\n",
		head + "classes: [{name: c, publish: {exchange: \"\", key: q}, service: 1ms, keys: {a: {dist: zipf, n: 900000, prefix: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}, b: {dist: uniform, n: 100000}}}]\nload: [{sequence: s, phases: [{class: c, model: burst, count: 1}]}]\n",
		"schema: harelab/v1\nname: f\ntopology: {queues: [{name: q}], exchanges: [{name: x, type: topic}], generate: {bindings: [{exchange: x, queue: q, count: 200000, words: 40..40, vocabulary: 1000000}, {exchange: x, queue: q, count: 200000, words: 40..40}]}}\n" + class + "load: [{sequence: s, phases: [{class: c, model: burst, count: 1}]}]\n",
		"schema: harelab/v1\nname: f\ntopology: {queues: [{name: \"q-{i}\", count: 20000, arguments: {a: {b: {c: [1, 2, 3, 4, 5, 6, 7, 8]}}}}]}\nclasses: [{name: c, publish: {exchange: \"\", key: q-1}, service: 1ms}]\nload: [{sequence: s, phases: [{class: c, model: burst, count: 1}]}]\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1024 {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if file, err := scenarios.Parse("f.yaml", []byte(text)); err == nil {
			s, err := file.Resolve(scenarios.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if p, err := NewPlan(s); err == nil {
				if n := p.Planned(); n > 2*scenarios.MaxMessages {
					t.Errorf("a plan of %d messages", n)
				}
				p.Users()
			}
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > mostBytes {
			t.Errorf("%d MiB were allocated, want at most %d", got>>20, mostBytes>>20)
		}
	})
}
