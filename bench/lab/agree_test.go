package lab

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"harelab/engine/broker"
	"harelab/engine/dispatch"
	"harelab/engine/queue"
	"harelab/engine/server"
	"harelab/loadgen"
	"harelab/loadgen/amqp"
	"harelab/loadgen/run"
	"harelab/loadgen/sim"
	"harelab/reports/stat"
	"harelab/scenarios"
)

var searchSeeds = flag.Bool("seeds", false, "look for seeds under which the events of apart.yaml are apart")

// near reports whether a time measured on the embedded broker agrees with a
// simulated one: within 2 % and 20 ms.
//
// Under the race detector the engine also checks itself, and a hand-over from ack to
// next start takes 0.5 ms or more. Forty in a row come to 20 ms without a single late
// wake-up, so there the bound is 60 ms: enough to see a query that is stuck behind a net,
// which takes 1 s.
func near(simulated, measured float64) bool {
	bound := stat.AgreeAbs(stat.Target{Kind: string(Embedded)})
	if underRaceDetector() {
		bound *= 3
	}
	return math.Abs(measured-simulated) <= stat.AgreeRel*simulated+bound
}

func underRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// complaints are the problems of one measurement.
type complaints []string

func (c *complaints) addf(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

// patience is the time during which a measurement that reports a late machine is
// repeated.
const patience = 3 * time.Minute

// checkAgainstSim runs a scenario in virtual time and on the real clock, and fails the
// test if compare has complaints. A run that reports that the machine woke it late proves
// nothing and is repeated; other runs have to agree at once.
func checkAgainstSim(t *testing.T, s *scenarios.Scenario, measure func() *run.Result, compare func(c *complaints, simulated, measured *run.Result)) {
	t.Helper()
	simulated := simulate(t, s)
	tries := 0
	for begin := time.Now(); time.Since(begin) < patience; tries++ {
		measured := measure()
		var c complaints
		for _, f := range measured.Findings {
			c.addf("finding: %s", f.Text)
		}
		if was, is := ranWith(simulated), ranWith(measured); was != is || was == "  " {
			t.Fatalf("virtual time ran %q, the broker %q", was, is)
		}
		if compare(&c, simulated, measured); len(c) == 0 {
			return
		}
		text := strings.Join(c[:min(len(c), 8)], "\n")
		if late := float64(measured.Late) / 1e6; late < stat.LateLeast {
			t.Fatalf("a run that was at most %.1f ms late disagrees with virtual time:\n%s", late*1e3, text)
		}
		t.Logf("measured again, as the machine was %.1f ms late: %s", float64(measured.Late)/1e3, c[0])
	}
	t.Errorf("the machine was late in each of %d measurements, and none agreed with virtual time", tries)
}

// ranWith returns the strategies that a result names.
func ranWith(r *run.Result) string { return r.Matcher + " " + r.Dispatch + " " + r.Order }

func scenario(t *testing.T, file string, o scenarios.Options) *scenarios.Scenario {
	t.Helper()
	f, err := load("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := resolve(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func simulate(t *testing.T, s *scenarios.Scenario) *run.Result { return runOn(t, s, Sim) }

func runOn(t *testing.T, s *scenarios.Scenario, kind Kind) *run.Result {
	t.Helper()
	r, err := Arm{Scenario: s, Target: Target{Kind: kind}}.run(t.Context(), func(loadgen.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSimulationAndRealityAgree checks the figures of a run with the real client, protocol
// and observer against those of virtual time.
func TestSimulationAndRealityAgree(t *testing.T) {
	for _, variant := range []string{"", "fair"} {
		t.Run("variant="+variant, func(t *testing.T) {
			t.Parallel()
			s := scenario(t, "story.yaml", scenarios.Options{Variant: variant})
			checkAgainstSim(t, s, func() *run.Result { return runOn(t, s, Embedded) }, sameFigures)
		})
	}
}

func sameFigures(c *complaints, simulated, measured *run.Result) {
	wants, gots := stat.Summarize(simulated), stat.Summarize(measured)
	check := func(what string, want, got float64) {
		if !near(want, got) {
			c.addf("%s: measured %.4f s, simulated %.4f s", what, got, want)
		}
	}
	for _, want := range wants.Classes {
		got := gots.Class(want.Name)
		if got == nil || got.N != want.N || got.Queued == nil {
			c.addf("%s: measured %+v, want %d of them with their time in the broker", want.Name, got, want.N)
			continue
		}
		check(want.Name+" wait mean", want.Wait.Mean, got.Wait.Mean)
		check(want.Name+" wait p50", want.Wait.P50, got.Wait.P50)
		check(want.Name+" wait max", want.Wait.Max, got.Wait.Max)
		check(want.Name+" held max", want.Held.Max, got.Held.Max)
		check(want.Name+" finish", want.Finish, got.Finish)
		check(want.Name+" queued max", want.Queued.Max, got.Queued.Max)
	}
	if wants.Ledger != gots.Ledger {
		c.addf("ledger: measured %+v, simulated %+v", gots.Ledger, wants.Ledger)
	}
}

// A choosing is a strategy with a seed. With that seed, its events in apart.yaml are over
// 50 ms apart, and its choices differ from those of rr and fifo.
type choosing struct {
	dispatch, order, prefetch string
	seed                      uint64
}

var choosings = []choosing{
	{"rr", "fifo", "1", 8137},
	{"rr", "fifo", "3", 5156},
	{"rr-eager", "fifo", "2", 200},
	{"fair", "fifo", "3", 8137},
	{"jsq", "fifo", "3", 179},
	{"lwl", "fifo", "3", 2868},
	{"jiq", "fifo", "3", 2497},
	{"po2", "fifo", "3", 2497},
	{"random", "fifo", "3", 842},
	{"adaptive", "fifo", "3", 2130},
	{"rr", "priority", "1", 643},
	{"rr", "aging", "1", 643},
	{"rr", "sjf", "1", 5976},
	{"rr", "drr", "1", 2130},
}

func (c choosing) String() string {
	return fmt.Sprintf("%s/%s/prefetch=%s", c.dispatch, c.order, c.prefetch)
}

func (c choosing) scenario(t *testing.T) *scenarios.Scenario {
	return scenario(t, "apart.yaml", scenarios.Options{Seed: &c.seed,
		Set: map[string]string{"dispatch": c.dispatch, "order": c.order, "prefetch": c.prefetch}})
}

// clear returns an error if the seed does not have these properties.
func (c choosing) clear(t *testing.T) error {
	simulated := simulate(t, c.scenario(t))
	if err := apart(simulated); err != nil {
		return err
	}
	plain := choosing{"rr", "fifo", c.prefetch, c.seed}
	if c != plain && slices.Equal(choices(simulated), choices(simulate(t, plain.scenario(t)))) {
		return fmt.Errorf("%s chooses as rr and fifo do", c)
	}
	return nil
}

// TestEveryStrategyIsCompared checks that each selector and each order is among the
// choosings.
func TestEveryStrategyIsCompared(t *testing.T) {
	for _, s := range dispatch.Selectors() {
		if !slices.ContainsFunc(choosings, func(c choosing) bool { return c.dispatch == s.Name }) {
			t.Errorf("selector %s: no choosing", s.Name)
		}
	}
	for _, o := range dispatch.Orders() {
		if !slices.ContainsFunc(choosings, func(c choosing) bool { return c.order == o.Name }) {
			t.Errorf("order %s: no choosing", o.Name)
		}
	}
	for _, c := range choosings {
		for *searchSeeds && c.clear(t) != nil {
			c.seed++
		}
		if err := c.clear(t); err != nil {
			t.Errorf("%s, seed %d: %v; run: go test ./bench/lab -run %s -seeds -v", c, c.seed, err, t.Name())
		}
		t.Logf("%s: seed %d", c, c.seed)
	}
}

// TestSimulationAndRealityChooseAlike checks that the real run gives the same messages to
// the same workers in the same order and at the same times as virtual time, and that a
// replay of its recorded events without a clock makes the recorded decisions.
func TestSimulationAndRealityChooseAlike(t *testing.T) {
	for _, choosing := range choosings {
		t.Run(choosing.String(), func(t *testing.T) {
			t.Parallel()
			s := choosing.scenario(t)
			checkAgainstSim(t, s, func() *run.Result {
				measured, recording := record(t, s)
				if err := queue.Replay(strings.NewReader(recording)); err != nil {
					t.Errorf("replayed in virtual time: %v", err)
				}
				if n := strings.Count(recording, "> deliver"); n != len(measured.Messages) {
					t.Errorf("%d deliveries recorded, want %d", n, len(measured.Messages))
				}
				return measured
			}, sameChoices)
		})
	}
}

// record runs s on a broker in this process that records the only queue.
func record(t *testing.T, s *scenarios.Scenario) (*run.Result, string) {
	t.Helper()
	var recording bytes.Buffer // guarded by the queue's lock
	inside := newObserver(s)
	b, err := broker.New(broker.Options{Matcher: s.Engine.Matcher, Dispatch: s.Engine.Dispatch, Order: s.Engine.Order,
		Seed: s.Seed, Tracer: inside, Transcript: func(_, _ string) io.Writer { return &recording }})
	if err != nil {
		t.Fatal(err)
	}
	front := server.New(server.Options{Broker: b})
	r, err := amqp.Run(t.Context(), s, amqp.Options{Observer: inside, Dial: func(context.Context) (net.Conn, error) {
		client, far := server.Pipe()
		return client, front.Go(far)
	}})
	front.Close()
	b.Close()
	if err == nil {
		err = sim.Ran(r, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, recording.String()
}

func sameChoices(c *complaints, simulated, measured *run.Result) {
	if want, got := choices(simulated), choices(measured); !slices.Equal(got, want) {
		c.addf("chosen     %v\nwant       %v", got, want)
		return
	}
	for i := range simulated.Messages {
		want, got := &simulated.Messages[i], &measured.Messages[i]
		wants, gots := instants(want), instants(got)
		for j, name := range []string{"enqueued", "dispatched", "received", "started", "done", "acked"} {
			if gots[j] == run.None || !near(float64(wants[j])/1e6, float64(gots[j])/1e6) {
				c.addf("message %d %s at %d us, simulated at %d us", i, name, gots[j], wants[j])
			}
		}
	}
}

// A choice is a message with the worker that received it.
type choice struct {
	message          int64
	worker, attempts int32
}

// choices lists the choices of a run in order of time.
func choices(r *run.Result) []choice {
	ms := slices.Clone(r.Messages)
	slices.SortStableFunc(ms, func(a, b run.Message) int { return cmp.Compare(a.Dispatched, b.Dispatched) })
	out := make([]choice, len(ms))
	for i, m := range ms {
		out[i] = choice{m.Seq, m.Worker, m.Attempts}
	}
	return out
}

func instants(m *run.Message) []int64 {
	return []int64{m.Enqueued, m.Dispatched, m.Received, m.Started, m.Done, m.Acked}
}

// apart returns an error unless arrivals and ends of work are over 50 ms apart.
func apart(r *run.Result) error {
	var at []int64
	for _, m := range r.Messages {
		at = append(at, m.Intended, m.Done)
	}
	slices.Sort(at)
	for i := 1; i < len(at); i++ {
		if gap := time.Duration(at[i]-at[i-1]) * time.Microsecond; gap <= 50*time.Millisecond {
			return fmt.Errorf("events at %d and %d us are %v apart, want over 50 ms", at[i-1], at[i], gap)
		}
	}
	return nil
}
