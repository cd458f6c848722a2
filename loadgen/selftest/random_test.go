package selftest

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var (
	seedFlag   = flag.Uint64("selftest.seed", 0, "run only the random scenario with this seed")
	randomFlag = flag.Int("selftest.n", 3000, "random scenarios to compare with the reference")
)

// The broker in virtual time and the reference agree on random scenarios, to the
// last message. A failure prints the seed and a scenario cut down to what still
// fails.
func TestRandomScenariosMatchReference(t *testing.T) {
	if *seedFlag != 0 {
		checkRandom(t, *seedFlag)
		return
	}
	n := *randomFlag
	if testing.Short() {
		n /= 10
	}
	for seed := uint64(1); seed <= uint64(n); seed++ {
		if checkRandom(t, seed); t.Failed() {
			return
		}
	}
}

func checkRandom(t *testing.T, seed uint64) {
	t.Helper()
	s := randomScenario(rand.New(rand.NewPCG(seed, 0)))
	if outcomesDiffer(s) == "" {
		return
	}
	s = shrink(s, func(s *scenario) bool { return outcomesDiffer(s) != "" })
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Errorf("seed %d: broker and reference differ on\n%s\n%s", seed, b, outcomesDiffer(s))
}

// outcomesDiffer runs a scenario both ways and tells the first differences, the
// reference's being what is wanted.
func outcomesDiffer(s *scenario) string {
	c := testCase{Scenario: *clone(s)}
	if err := c.check(); err != nil {
		return err.Error()
	}
	want := simulateReference(&c.Scenario)
	got, err := simulate(context.Background(), &c.Scenario)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for seq := range want.rows {
		if w, g := want.rows[seq], got.rows[seq]; w != g {
			fmt.Fprintf(&b, "message %d: want %+v\n%*s got %+v\n", seq, w, len(fmt.Sprint("message ", seq)), "", g)
			if b.Len() > 2000 {
				break
			}
		}
	}
	if !slices.Equal(want.served, got.served) || !slices.Equal(want.busy, got.busy) {
		fmt.Fprintf(&b, "served %v, busy %v, want %v, %v\n", got.served, got.busy, want.served, want.busy)
	}
	if want.deliveries != got.deliveries {
		fmt.Fprintf(&b, "deliveries %s, want %s\n", got.deliveries, want.deliveries)
	}
	return b.String()
}

func clone(s *scenario) *scenario {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	c := new(scenario)
	if err := json.Unmarshal(b, c); err != nil {
		panic(err)
	}
	return c
}

// shrink removes parts of the scenario as long as it still fails.
func shrink(s *scenario, fails func(*scenario) bool) *scenario {
	valid := func(s *scenario) bool {
		c := testCase{Scenario: *clone(s)}
		return c.check() == nil
	}
	for again := true; again; {
		again = false
		for _, smaller := range smallerThan(s) {
			if valid(smaller) && fails(smaller) {
				s, again = smaller, true
				break
			}
		}
	}
	return s
}

func smallerThan(s *scenario) []*scenario {
	var all []*scenario
	try := func(change func(*scenario)) {
		c := clone(s)
		change(c)
		all = append(all, c)
	}
	for i := range s.Publish {
		try(func(c *scenario) { c.Publish = slices.Delete(c.Publish, i, i+1) })
		if n := s.Publish[i].Count; n != nil && *n > 1 {
			try(func(c *scenario) { *c.Publish[i].Count /= 2 })
			try(func(c *scenario) { *c.Publish[i].Count-- })
		}
		if g := s.Publish[i].Gen; g != nil && g.N > 1 {
			try(func(c *scenario) { c.Publish[i].Gen.N /= 2 })
			try(func(c *scenario) { c.Publish[i].Gen.N-- })
		}
		if len(s.Publish[i].Of) > 1 {
			for k := range s.Publish[i].Of {
				try(func(c *scenario) { c.Publish[i].Of = slices.Delete(c.Publish[i].Of, k, k+1) })
			}
		}
	}
	for i := range s.Control {
		try(func(c *scenario) { c.Control = slices.Delete(c.Control, i, i+1) })
	}
	for i := range s.Workers {
		try(func(c *scenario) {
			name := c.Workers[i].Name
			c.Workers = slices.Delete(c.Workers, i, i+1)
			c.Control = slices.DeleteFunc(c.Control, func(x controlSpec) bool { return x.Crash == name || x.Join == name })
		})
		for k := range s.Workers[i].Subscribe {
			try(func(c *scenario) { c.Workers[i].Subscribe = slices.Delete(c.Workers[i].Subscribe, k, k+1) })
		}
	}
	return all
}

// randomScenario draws a small scenario. Times are multiples of few values, so that
// many things happen at one instant.
func randomScenario(r *rand.Rand) *scenario {
	s := new(scenario)
	queues := 1 + r.IntN(3)
	for i := range queues {
		s.Queues = append(s.Queues, randomQueue(r, fmt.Sprintf("q%d", i)))
	}
	for i := range 1 + r.IntN(5) {
		s.Workers = append(s.Workers, randomWorker(r, fmt.Sprintf("w%d", i), queues))
	}
	for range 1 + r.IntN(4) {
		s.Publish = append(s.Publish, randomPublish(r, queues))
	}
	for range r.IntN(4) * r.IntN(2) {
		c := controlSpec{At: 500 * r.Int64N(40)}
		name := s.Workers[r.IntN(len(s.Workers))].Name
		if r.IntN(3) > 0 {
			c.Crash = name
		} else {
			c.Join = name
		}
		s.Control = append(s.Control, c)
	}
	return s
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func randomQueue(r *rand.Rand, name string) queueSpec {
	q := queueSpec{
		Name:     name,
		Dispatch: pick(r, "rr", "rr", "rr-eager", "jsq", "lwl", "po2", "random"),
		Order:    pick(r, "fifo", "fifo", "priority", "aging", "sjf", "drr"),
		AgingUS:  pick[int64](r, 1, 500, 2000, 10_000),
		Quantum:  pick[int64](r, 1, 2, 700, 3000),
		Cost:     pick(r, "one", "service"),
		Seed:     r.Uint64N(1000),
	}
	if r.IntN(2) == 0 {
		q.MaxPriority = new(int)
		*q.MaxPriority = pick(r, 0, 1, 5, 10, 255)
	}
	if r.IntN(2) == 0 {
		q.Weights = map[string]int64{"A": 1 + r.Int64N(4), "B": 1 + r.Int64N(4)}
	}
	q.SingleActive = r.IntN(10) == 0
	return q
}

func randomWorker(r *rand.Rand, name string, queues int) workerSpec {
	w := workerSpec{
		Name:            name,
		Concurrency:     pick(r, 1, 1, 2, 3, 70),
		Ack:             pick(r, "late", "late", "early", "auto"),
		ChannelPrefetch: pick(r, 0, 0, 0, 1, 2, 4),
		Slow:            pick(r, 1, 1, 1, 2, 10, 0.5, 1.7),
		DeliverUS:       pick[int64](r, 0, 0, 500, 700, 1000),
		AckUS:           pick[int64](r, 0, 0, 500, 700, 1000),
	}
	if w.ChannelPrefetch > 0 {
		w.Seed = r.Uint64N(1000)
	}
	if r.IntN(5) == 0 {
		w.JoinsAt = new(int64)
		*w.JoinsAt = 500 * r.Int64N(20)
	}
	prefetch := pick(r, -1, 0, 1, 2)
	for _, i := range r.Perm(queues)[:1+r.IntN(queues)] {
		sub := subscribeSpec{Queue: fmt.Sprintf("q%d", i), Prefetch: prefetch, Priority: pick[int32](r, 0, 0, 0, 0, 1, 10)}
		if prefetch < 0 {
			sub.Prefetch = pick(r, 0, 1, 2, 3, 8)
		}
		w.Subscribe = append(w.Subscribe, sub)
	}
	if r.IntN(30) == 0 {
		w.Subscribe = append(w.Subscribe, w.Subscribe[0])
	}
	return w
}

func randomPublish(r *rand.Rand, queues int) publishSpec {
	queue := func() string { return fmt.Sprintf("q%d", r.IntN(queues)) }
	if r.IntN(3) == 0 {
		return publishSpec{Gen: randomGen(r, queue)}
	}
	n := 1 + r.Int64N(25)
	p := publishSpec{At: 500 * r.Int64N(20), Every: pick[int64](r, 0, 0, 100, 500, 1000), Count: &n}
	for range 1 + r.IntN(4) {
		class := pick(r, "A", "B", "C", "D")
		t := template{
			Queue: queue(), Class: class, Service: pick[int64](r, 0, 100, 500, 1000, 1000, 3000, 10_000),
			Priority: pick(r, 0, 0, 1, 5, 9, 200),
		}
		if r.IntN(3) == 0 {
			t.Tenant = pick(r, "A", "B", "E")
		}
		if r.IntN(8) == 0 {
			t.Fail = 1 + r.IntN(3)
		}
		p.Of = append(p.Of, t)
	}
	return p
}

func randomGen(r *rand.Rand, queue func() string) *genSpec {
	g := &genSpec{
		N:        1 + r.Int64N(40),
		Queue:    queue(),
		Class:    pick(r, "", "A", "G"),
		Priority: pick(r, 0, 3, 255),
		Arrival:  pick(r, arrivalSpec{Kind: "exp", Mean: 300, Seed: r.Uint64N(99)}, arrivalSpec{Kind: "fixed", Every: 250}),
		Service: pick(r,
			serviceSpec{Kind: "exp", Mean: 800, Seed: r.Uint64N(99)},
			serviceSpec{Kind: "const", US: 500},
			serviceSpec{Kind: "choice", Seed: r.Uint64N(99), Total: 11, Items: []itemSpec{
				{Weight: 8, Class: "short", Service: 100},
				{Weight: 2, Service: 2000, Priority: new(int), Queue: queue()},
				{Weight: 1, Class: "long", Service: 10_000},
			}}),
	}
	if r.IntN(2) == 0 {
		g.Route = &routeSpec{Seed: r.Uint64N(99), Queues: []string{queue(), queue()}}
	}
	return g
}
