package lab

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/reports/stat"
	"harelab/scenarios"
)

// near reports whether a measured time agrees with a simulated one: within
// 2 % and 50 ms.
func near(simulated, measured float64) bool {
	return math.Abs(measured-simulated) <= stat.AgreeRel*simulated+stat.AgreeAbs
}

// complaints are what is wrong with one measurement.
type complaints []string

func (c *complaints) addf(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

// hold runs a scenario in virtual time and on the embedded broker and wants
// compare to have no complaints. The real clock of a busy machine may stall for
// longer than the tolerance, so a measurement gets three tries; what is wrong
// with the code is wrong in all of them.
func hold(t *testing.T, file string, o scenarios.Options, compare func(c *complaints, simulated, measured *run.Result)) {
	t.Helper()
	f, err := load("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := resolve(f, o)
	if err != nil {
		t.Fatal(err)
	}
	on := func(kind Kind) *run.Result {
		r, err := Arm{Scenario: s, Target: Target{Kind: kind}}.run(t.Context(), func(loadgen.Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	simulated := on(Sim)
	var c complaints
	for range 3 {
		c = nil
		measured := on(Embedded)
		for _, f := range measured.Findings {
			c.addf("finding: %s", f.Text)
		}
		if compare(&c, simulated, measured); len(c) == 0 {
			return
		}
		t.Logf("measured again: %s", strings.Join(c, "\n"))
	}
	t.Errorf("three measurements disagree with virtual time, the last:\n%s", strings.Join(c, "\n"))
}

// TestSimulationAndRealityAgree holds the figures of a real run, through the
// real client and protocol and as the broker's observer saw it, to those of
// virtual time.
func TestSimulationAndRealityAgree(t *testing.T) {
	for _, variant := range []string{"", "fair"} {
		t.Run("variant="+variant, func(t *testing.T) {
			hold(t, "story.yaml", scenarios.Options{Variant: variant}, sameFigures)
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

// TestSimulationAndRealityChooseAlike wants every message at the same worker,
// and each of its instants where virtual time has it, in a scenario whose
// events are so far apart that jitter changes no choice.
func TestSimulationAndRealityChooseAlike(t *testing.T) {
	for _, test := range []struct {
		dispatch, prefetch string
		seed               uint64
	}{
		{"rr", "1", 23429},
		{"rr", "3", 23429},
		{"fair", "3", 23429},
		{"jsq", "3", 12894},
	} {
		t.Run(test.dispatch+"/prefetch="+test.prefetch, func(t *testing.T) {
			t.Parallel()
			set := map[string]string{"dispatch": test.dispatch, "prefetch": test.prefetch}
			hold(t, "apart.yaml", scenarios.Options{Seed: &test.seed, Set: set}, func(c *complaints, simulated, measured *run.Result) {
				apart(t, simulated)
				sameChoices(c, simulated, measured)
			})
		})
	}
}

func sameChoices(c *complaints, simulated, measured *run.Result) {
	if len(simulated.Messages) != 9 || len(measured.Messages) != 9 {
		c.addf("%d messages measured and %d simulated, want 9", len(measured.Messages), len(simulated.Messages))
		return
	}
	for i := range simulated.Messages {
		want, got := &simulated.Messages[i], &measured.Messages[i]
		if got.Worker != want.Worker || got.Attempts != want.Attempts {
			c.addf("message %d: worker %d, %d attempts; simulated worker %d, %d", i, got.Worker, got.Attempts, want.Worker, want.Attempts)
		}
		wants, gots := instants(want), instants(got)
		for j, name := range []string{"enqueued", "dispatched", "received", "started", "done", "acked"} {
			if gots[j] == run.None || !near(float64(wants[j])/1e6, float64(gots[j])/1e6) {
				c.addf("message %d %s at %d us, simulated at %d us", i, name, gots[j], wants[j])
			}
		}
	}
}

func instants(m *run.Message) []int64 {
	return []int64{m.Enqueued, m.Dispatched, m.Received, m.Started, m.Done, m.Acked}
}

// apart wants a scenario's arrivals and ends of work over 50 ms apart.
func apart(t *testing.T, r *run.Result) {
	t.Helper()
	var at []int64
	for _, m := range r.Messages {
		at = append(at, m.Intended, m.Done)
	}
	slices.Sort(at)
	for i := 1; i < len(at); i++ {
		if gap := time.Duration(at[i]-at[i-1]) * time.Microsecond; gap <= 50*time.Millisecond {
			t.Fatalf("events at %d and %d us are %v apart, want over 50 ms", at[i-1], at[i], gap)
		}
	}
}
