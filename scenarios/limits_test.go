package scenarios

import (
	"runtime"
	"strings"
	"testing"
)

// TestScenariosBeyondALimitAreRefused wants a sentence with the number, the limit and the
// way to lower it, and next to no memory until then.
func TestScenariosBeyondALimitAreRefused(t *testing.T) {
	const burst = "{class: job, model: burst, count: =n}"
	for _, c := range []struct{ name, old, bad, want string }{
		{"rate", burst, "{class: job, model: open, rate: 1e9/s, duration: 1s}", "t.yaml:11: messages of the whole load: 1,000,000,000, and the limit is 5,000,000: lower rate, duration or count"},
		{"duration", burst, "{class: job, model: open, rate: 1/s, duration: 9000000s}", "t.yaml:11: messages of the whole load: 9,000,000, and"},
		{"shape", burst, "{class: job, model: open, shape: [{ramp: 1e9/s, for: 1s}]}", "t.yaml:11: messages of the whole load: 500,000,000, and"},
		{"burst", burst, "{class: job, model: burst, count: 1e9}", "t.yaml:11: messages of the whole load: 1,000,000,000, and"},
		{"phases together", burst, "{class: job, model: burst, count: 3e6}, {class: job, model: burst, count: 3e6}", "t.yaml:11: messages of the whole load: 6,000,000, and"},
		{"closed loop by count", burst, "{class: job, model: closed, users: 1, count: 6e6}", "t.yaml:11: messages of the whole load: 6,000,000, and"},
		{"closed loop by its users", burst, "{class: job, model: closed, users: 1000, think: 1s, await: confirm, duration: 10000h}], confirm: all, admin: [", "t.yaml:11: messages of the whole load: 36,000,000,000, and"},
		{"closed loop by its slots", burst, "{class: job, model: closed, users: 1000, duration: 10000h}", "t.yaml:11: messages of the whole load: 3,600,000,000, and"},
		{"users", burst, "{class: job, model: closed, users: 60000, count: 10}, {class: job, model: closed, users: 60000, count: 10}", "t.yaml:11: users of all phases: 120,000, and the limit is 100,000: lower users"},
		{"connections", "sequence: s,", "sequence: s2, connections: 1000, phases: []}\n  - {sequence: s,", ""},
		{"in flight", "sequence: s,", "sequence: s, confirm: {max_in_flight: 1e9},", "t.yaml:11: 1e9 is out of range: give 0 to 1048576"},
		{"slots", "name: w,", "name: w, count: 1000, threads: 100000,", "t.yaml:13: slots of all workers: 100,000,000, and the limit is 1,000,000: lower count or threads"},
		{"entries of all lists", "{name: q}, {name: r}", `{name: q}, {name: r}, {name: "a-{i}", count: 150000}, {name: "b-{i}", count: 150000}`, "t.yaml:5: queues: more than 200,000 entries in all lists of the scenario: lower count"},
		{"generated bindings", "bindings: [", "generate: {bindings: [{exchange: x, queue: q, count: 150000, words: 1..40}, {exchange: x, queue: q, count: 150000, words: 1..40}]}\n  bindings: [", "t.yaml:6: generate.bindings: more than 200,000 entries"},
		{"values of keys", "service: 10ms", "service: 10ms, keys: {a: {dist: uniform, n: 600000}, b: {dist: uniform, n: 600000}}", "t.yaml:8: key: 1,200,000 values of all keys, and the limit is 1,000,000: lower n"},
		{"size", "service: 10ms", "service: 10ms, size: 1GiB", `t.yaml:8: bytes of a message of class "job" on average: 1,073,741,824, and the limit is 134,217,728: lower size`},
		{"size without a mean", "service: 10ms", "service: 10ms, size: {dist: pareto, least: 1KiB, shape: 0.9}", `t.yaml:8: bytes of a message of class "job" on average: about +Inf, and the limit is 134,217,728: lower size`},
		{"size with a maximum", "service: 10ms", "service: 10ms, size: {dist: pareto, least: 1KiB, shape: 0.9, max: 1MiB}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(sound, c.old, c.bad, 1)
			if text == sound {
				t.Fatal("the case changes nothing")
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Parse("t.yaml", []byte(text))
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 1<<30 {
				t.Errorf("%d MiB were allocated before the refusal", got>>20)
			}
			if c.want == "" {
				if err != nil {
					t.Errorf("error %v, want none", err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}
