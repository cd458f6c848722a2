package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// TestOverloadsAreTrue: in runs of random open loads, the work left for the queues of an
// overload grows from its start to its end, whatever the dispatch, and not all of it is
// done before the time that the plan gives. Without an overload the work is done soon after
// the load ends.
func TestOverloadsAreTrue(t *testing.T) {
	runs := 300
	if testing.Short() {
		runs = 60
	}
	seen, calm := 0, 0
	for seed := range uint64(runs) {
		text := randomLoad(rand.New(rand.NewPCG(seed, 1)))
		f, err := scenarios.Parse("random.yaml", []byte(text))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		s, err := f.Resolve(scenarios.Options{Seed: &seed})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), s, Options{})
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		over := false
		for _, p := range r.Capacity {
			for _, o := range p.Overloads {
				over = true
				seen++
				queues := o.Queues
				if len(queues) == 0 {
					queues = p.Queues
				}
				before, after := workLeft(r, queues, o.From), workLeft(r, queues, o.To)
				if after <= before {
					t.Errorf("seed %d: overload %+v: %.3f s of work left at its start, %.3f s at its end\n%s", seed, o, before, after, text)
				}
				if left := workLeft(r, queues, o.Drained-1000); left <= 0 {
					t.Errorf("seed %d: overload %+v: nothing is left before its backlog can be gone\n%s", seed, o, text)
				}
			}
		}
		if over || busiest(r) > 0.85 {
			continue
		}
		calm++
		end, last := int64(0), int64(0)
		for i := range r.Messages {
			end, last = max(end, r.Messages[i].Intended), max(last, r.Messages[i].Done)
		}
		if last-end > 60e6 { // the mean service is 0.5 s
			t.Errorf("seed %d: no overload, but the work ends %d s after the load\n%s", seed, (last-end)/1e6, text)
		}
	}
	if seen < runs/3 || calm < runs/10 {
		t.Errorf("%d overloads and %d runs without one in %d runs: too few to tell", seen, calm, runs)
	}
}

// busiest is the greatest share of their time that the slots of a pool are busy.
func busiest(r *run.Result) float64 {
	most := 0.0
	for _, p := range r.Capacity {
		for _, ph := range p.Phases {
			if ph.Offered > 0 {
				most = max(most, ph.Offered/ph.Speed)
			}
		}
	}
	return most
}

// workLeft is the service time, in seconds, that is left at a run time of the messages of
// some queues that are due before.
func workLeft(r *run.Result, queues []string, at int64) float64 {
	left := int64(0)
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Intended >= at || m.Queue < 0 || !slices.Contains(queues, r.Queues[m.Queue]) || m.Done <= at {
			continue
		}
		work := m.Service
		if m.Started < at { // under way
			work = m.Service * (m.Done - at) / max(m.Done-m.Started, 1)
		}
		left += work
	}
	return float64(left) / 1e6
}

// randomLoad is a scenario with one to three queues whose workers overlap at random, and
// with one or two sequences of open phases. Service takes 0.5 s on average.
func randomLoad(r *rand.Rand) string {
	var b strings.Builder
	queues := 1 + r.IntN(3)
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	fmt.Fprintf(&b, "schema: harelab/v1\nname: random\ntopology:\n  queues:\n")
	for q := range queues {
		fmt.Fprintf(&b, "    - {name: q%d, arguments: {x-dispatch: %s}}\n", q, pick("rr", "fair", "jsq", "random"))
	}
	fmt.Fprintf(&b, "classes:\n")
	for q := range queues {
		fmt.Fprintf(&b, "  - {name: c%d, publish: {exchange: \"\", key: q%d}, service: %s}\n", q, q, pick("500ms", "{dist: exponential, mean: 500ms}", "{dist: uniform, from: 100ms, to: 900ms}"))
	}
	fmt.Fprintf(&b, "load:\n")
	for n := range 1 + r.IntN(2) {
		fmt.Fprintf(&b, "  - sequence: s%d\n    start: %ds\n    phases:\n", n, r.IntN(20))
		for range 1 + r.IntN(3) {
			rate := fmt.Sprintf("rate: %.2f/s, duration: %ds", 1+15*r.Float64(), 20+r.IntN(60))
			if r.IntN(4) == 0 {
				rate = fmt.Sprintf("shape: [{ramp: %.2f/s, for: %ds}, {sine: %.2f/s, amplitude: 3/s, period: 20s, for: 40s}]", 1+15*r.Float64(), 20+r.IntN(60), 4+5*r.Float64())
			}
			fmt.Fprintf(&b, "      - {class: c%d, model: open, arrival: %s, %s}\n", r.IntN(queues), pick("poisson", "constant"), rate)
		}
	}
	fmt.Fprintf(&b, "workers:\n")
	for w := range queues + r.IntN(2) {
		consume := fmt.Sprintf("{queue: q%d}", w%queues)
		if other := r.IntN(queues); other != w%queues {
			consume += fmt.Sprintf(", {queue: q%d}", other)
		}
		slots := 1 + r.IntN(6)
		fmt.Fprintf(&b, "  - {name: w%d, threads: %d, prefetch: %d, ack: %s, slow: %s, joins_at: %s, consume: [%s]}\n",
			w, slots, slots, pick("on-done", "on-start"), pick("1", "1", "1", "2"), pick("0s", "0s", "0s", "15s"), consume)
	}
	fmt.Fprintf(&b, "stop: {when: drained, timeout: 5h}\n")
	return b.String()
}
