package lab

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"harelab/reports/arms"
	"harelab/scenarios"
)

// A randomPair is a random scenario and a random variant of it, run in virtual time.
type randomPair struct {
	text string // the scenario file
	runs []*arms.Run
}

// newRandomPair draws a scenario and runs it and its variant. The loads of both are the
// same. The scenarios are small, and differ in what sentences speak of: classes that
// starve, queues that are split or drop messages, tenants, workers that hold messages or
// die, loads beyond the slots, headlines, expectations and neither.
func newRandomPair(t *testing.T, rnd *rand.Rand) randomPair {
	t.Helper()
	text := randomScenario(rnd)
	f, err := scenarios.Parse("random.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var asked []Arm
	for _, variant := range []string{"", "other"} {
		s, err := f.Resolve(scenarios.Options{Variant: variant})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for i := range s.Repeat {
			seed := s.Seed + uint64(i)
			again, err := f.Resolve(scenarios.Options{Variant: variant, Seed: &seed})
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			asked = append(asked, Arm{Scenario: again, Target: Target{Kind: Sim}, Repeat: i})
		}
	}
	runs, err := Measure(t.Context(), asked, 1, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return randomPair{text, runs}
}

// pick returns one of the choices.
func pick[T any](rnd *rand.Rand, choices ...T) T { return choices[rnd.IntN(len(choices))] }

// randomScenario writes a scenario file with a variant called other.
func randomScenario(rnd *rand.Rand) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	chance := func(percent int) bool { return rnd.IntN(100) < percent }

	classes := []string{"quick", "slow", "bulk"}[:1+rnd.IntN(3)]
	tenants := chance(25)
	work := map[string][]string{
		"quick": {"{dist: fixed, value: 5ms}", "{dist: exponential, mean: 20ms}", "80ms"},
		"slow":  {"{dist: fixed, value: 2s}", "{dist: exponential, mean: 500ms}", "{dist: lognormal, median: 300ms, p99: 4s}"},
		"bulk":  {"{dist: fixed, value: 100ms}", "{dist: exponential, mean: 200ms}", "1s"},
	}
	settings := map[string]func() string{
		"prefetch":    func() string { return pick(rnd, "0", "1", "2", "4", "16") },
		"ack":         func() string { return pick(rnd, "on-done", "on-done", "on-start", "none") },
		"workers":     func() string { return pick(rnd, "1", "2", "3") },
		"threads":     func() string { return pick(rnd, "1", "2", "4") },
		"specialists": func() string { return pick(rnd, "0", "1", "2") },
		"slowkey":     func() string { return pick(rnd, "tasks", "rest") },
		"dispatch":    func() string { return pick(rnd, "rr", "fair", "jsq", "random") },
		"order":       func() string { return pick(rnd, "fifo", "drr", "sjf", "aging") },
		"full":        func() string { return pick(rnd, "1000000", "5", "30") },
		"expiry":      func() string { return pick(rnd, "1h", "1h", "200ms", "3s") },
	}
	names := []string{"prefetch", "ack", "workers", "threads", "specialists", "slowkey", "dispatch", "order", "full", "expiry"}
	first := make(map[string]string)
	for _, name := range names {
		first[name] = settings[name]()
	}
	if chance(70) { // most loads lose nothing
		first["full"], first["expiry"] = "1000000", "1h"
		settings["full"], settings["expiry"] = nil, nil
	}
	// The second queue always has somebody who serves it.
	serveRest := func(specialists string) string {
		if specialists == "0" {
			return "1"
		}
		return specialists
	}
	first["specialists"] = serveRest(first["specialists"])

	p("schema: harelab/v1\nname: random\ntitle: A random scenario\nseed: %d", rnd.IntN(1000))
	p("params:")
	for _, name := range names {
		p("  %s: %s", name, first[name])
	}
	p("engine: {dispatch: =dispatch, order: =order, fair_key: \"header:tenant\"}")
	p("topology:\n  queues:")
	p("    - {name: tasks, arguments: {x-max-length: =full, x-message-ttl: =expiry}}")
	p("    - {name: rest}")
	p("classes:")
	for _, c := range classes {
		key := "tasks"
		if c == "slow" {
			key = "=slowkey"
		}
		if tenants {
			p("  - {name: %s, publish: {exchange: \"\", key: %s, headers: {tenant: \"{tenant}\"}}, keys: {tenant: {dist: zipf, s: 1.2, n: 3, prefix: t}}, service: %s}", c, key, pick(rnd, work[c]...))
		} else {
			p("  - {name: %s, publish: {exchange: \"\", key: %s}, service: %s}", c, key, pick(rnd, work[c]...))
		}
	}
	p("load:")
	for i, c := range classes {
		switch rnd.IntN(3) {
		case 0:
			p("  - {sequence: s%d, phases: [{class: %s, model: burst, count: %d}]}", i, c, 1+rnd.IntN(40))
		default:
			p("  - {sequence: s%d, phases: [{class: %s, model: open, arrival: %s, rate: %d/s, duration: %ds}]}", i, c, pick(rnd, "poisson", "constant"), 1+rnd.IntN(12), 1+rnd.IntN(6))
		}
	}
	p("workers:")
	p("  - {name: worker, count: =workers, threads: =threads, consume: [{queue: tasks}], prefetch: {count: =prefetch}, ack: =ack}")
	p("  - {name: specialist, count: =specialists, threads: =threads, consume: [{queue: rest}], prefetch: {count: =prefetch}, ack: =ack}")
	if chance(10) {
		p("  - {name: mortal, threads: 1, consume: [{queue: tasks}], prefetch: {count: =prefetch}, ack: =ack}")
		p("faults:\n  - {at: 1s, do: kill, worker: mortal, restart_after: 1s}")
	}
	p("stop: {when: drained, timeout: 600s}")
	if chance(15) {
		p("repeat: 3")
	}
	p("variants:\n  other:\n    title: Another setting\n    set:")
	changed := false
	for _, name := range names {
		if settings[name] == nil || !chance(30) {
			continue
		}
		v := settings[name]()
		if name == "specialists" {
			v = serveRest(v)
		}
		p("      %s: %s", name, v)
		changed = true
	}
	if !changed {
		p("      prefetch: %s", settings["prefetch"]())
	}
	metrics := []string{"lost", "throughput", "makespan", "wait.p99", "wait.max", "sojourn.mean", "held.p95"}
	for _, c := range classes {
		metrics = append(metrics, "wait.p99{class="+c+"}", "wait.mean{class="+c+"}", "starvation{class="+c+"}", "sojourn.p50{class="+c+"}")
	}
	if tenants {
		metrics = append(metrics, "wait.p99{tenant!=t0}", "wait.max{tenant=t1}")
	}
	if chance(50) {
		p("expect:\n  that:")
		for range 1 + rnd.IntN(3) {
			p("    - %s", expectation(pick(rnd, metrics...), rnd))
		}
	}
	if chance(40) {
		p("report: {headline: \"%s\"}", pick(rnd, metrics...))
	}
	return b.String()
}

// expectation writes a line of expect about a metric.
func expectation(metric string, rnd *rand.Rand) string {
	switch {
	case metric == "lost":
		return "lost == 0"
	case metric == "throughput":
		return "throughput > " + pick(rnd, "1/s", "10/s")
	}
	return metric + " < " + pick(rnd, "10ms", "1s", "20s")
}
