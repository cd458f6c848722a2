package loadgen

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"harelab/scenarios"

	"github.com/google/go-cmp/cmp"
)

// randomLoad draws a load of several sequences and workers, some of which fail.
func randomLoad(r *rand.Rand) string {
	var b strings.Builder
	class := func() string {
		return []string{"class: a", "class: b", "mix: {pattern: [a, b, b]}", "mix: {weights: {a: 3, b: 1}}"}[r.IntN(4)]
	}
	b.WriteString("load:\n")
	for i := range 2 + r.IntN(5) {
		var phases []string
		for range 1 + r.IntN(3) {
			switch r.IntN(5) {
			case 0:
				phases = append(phases, fmt.Sprintf("{%s, model: burst, count: %d}", class(), 1+r.IntN(20)))
			case 1:
				phases = append(phases, fmt.Sprintf("{%s, model: closed, users: %d, think: {dist: exponential, mean: 10ms}, duration: 1s}", class(), 1+r.IntN(4)))
			default:
				arrival := []string{"poisson", "constant", "{process: gamma, shape: 0.5}", "{process: mmpp, burst: 100ms, pause: 50ms}"}[r.IntN(4)]
				phases = append(phases, fmt.Sprintf("{%s, model: open, arrival: %s, rate: %d/s, duration: 2s}", class(), arrival, 1+r.IntN(60)))
			}
		}
		fmt.Fprintf(&b, "  - {sequence: s%d, start: %dms, phases: [%s]}\n", i, r.IntN(500), strings.Join(phases, ", "))
	}
	b.WriteString("workers:\n")
	for i := range 1 + r.IntN(4) {
		fmt.Fprintf(&b, "  - {name: w%d, count: %d, consume: [{queue: q}], prefetch: 5, ack: on-done, fail: {p: %d%%, retry: immediate}}\n", i, 1+r.IntN(3), 20+r.IntN(60))
	}
	b.WriteString("stop: {when: drained, timeout: 20s}\n")
	return b.String()
}

// A drawing is all that a run draws, by who draws it.
type drawing struct {
	Sequences map[int][]Planned
	Users     map[int32][]Planned
	Thinks    map[int32][]int64
	Failures  map[string][]Ending
}

// draw has a share of a run draw: the sequences and workers for which mine is
// true. Publishers and workers take turns at random, as they do on a clock.
func draw(t *testing.T, r *rand.Rand, s *scenarios.Scenario, mySequence, myWorker func(int) bool) drawing {
	t.Helper()
	p, err := NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	d := drawing{map[int][]Planned{}, map[int32][]Planned{}, map[int32][]int64{}, map[string][]Ending{}}
	var steps []func() bool // each draws once and reports whether there is more
	for i := range s.Load {
		if mySequence(i) {
			st := p.Sequence(i)
			steps = append(steps, func() bool {
				var m Planned
				if !st.Next(&m) {
					return false
				}
				d.Sequences[i] = append(d.Sequences[i], m)
				return true
			})
		}
	}
	for _, u := range p.Users() {
		if mySequence(int(u.Sequence)) {
			at := u.Start
			steps = append(steps, func() bool {
				var m Planned
				if !u.Next(at, &m) {
					return false
				}
				think := u.Think()
				at += 1000 + think
				d.Users[u.Index] = append(d.Users[u.Index], m)
				d.Thinks[u.Index] = append(d.Thinks[u.Index], think)
				return true
			})
		}
	}
	for i := range s.Workers {
		if w := &s.Workers[i]; myWorker(i) {
			policy, err := NewFailPolicy(s, w)
			if err != nil {
				t.Fatal(err)
			}
			steps = append(steps, func() bool {
				d.Failures[w.Name] = append(d.Failures[w.Name], policy.Decide(1, 0).End)
				return len(d.Failures[w.Name]) < 100
			})
		}
	}
	for len(steps) > 0 {
		i := r.IntN(len(steps))
		if !steps[i]() {
			steps[i] = steps[len(steps)-1]
			steps = steps[:len(steps)-1]
		}
	}
	return d
}

// TestSharesDrawAsTheWhole splits publishers and workers of random plans among
// shares, each with a plan of its own as on a machine of its own: together they
// draw what one that has all of them does.
func TestSharesDrawAsTheWhole(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	everything := func(int) bool { return true }
	for i := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, i))
		load := randomLoad(r)
		s, _ := plan(t, load)
		want := draw(t, r, s, everything, everything)
		shares := 1 + r.IntN(4)
		sequences, workers := make([]int, len(s.Load)), make([]int, len(s.Workers))
		for j := range sequences {
			sequences[j] = r.IntN(shares)
		}
		for j := range workers {
			workers[j] = r.IntN(shares)
		}
		got := drawing{map[int][]Planned{}, map[int32][]Planned{}, map[int32][]int64{}, map[string][]Ending{}}
		for share := range shares {
			s, _ := plan(t, load) // as another machine reads it
			part := draw(t, r, s, func(j int) bool { return sequences[j] == share }, func(j int) bool { return workers[j] == share })
			for k, v := range part.Sequences {
				got.Sequences[k] = v
			}
			for k, v := range part.Users {
				got.Users[k], got.Thinks[k] = v, part.Thinks[k]
			}
			for k, v := range part.Failures {
				got.Failures[k] = v
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("seed %d, plan %d, %d shares: the whole (-) and its shares (+):\n%s\n%s", seed, i, shares, d, load)
		}
	}
}
