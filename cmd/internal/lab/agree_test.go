package lab

import (
	"math"
	"slices"
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

// both runs a scenario in virtual time and on the embedded broker. A machine
// that was too busy to keep the load generator in time says so in a finding;
// then the measurement is made again.
func both(t *testing.T, file string, o scenarios.Options) (simulated, measured *run.Result) {
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
	simulated = on(Sim)
	for range 3 {
		if measured = on(Embedded); len(measured.Findings) == 0 {
			return simulated, measured
		}
		t.Logf("measured again: %v", measured.Findings)
	}
	t.Skip("this machine is too busy to keep time")
	return nil, nil
}

// TestSimulationAndRealityAgree holds the figures of a real run, through the
// real client and protocol and as the broker's observer saw it, to those of
// virtual time.
func TestSimulationAndRealityAgree(t *testing.T) {
	for _, variant := range []string{"", "fair"} {
		t.Run("variant="+variant, func(t *testing.T) {
			t.Parallel()
			sr, mr := both(t, "story.yaml", scenarios.Options{Variant: variant})
			sim, measured := stat.Summarize(sr), stat.Summarize(mr)
			check := func(what string, want, got float64) {
				if !near(want, got) {
					t.Errorf("%s: measured %.4f s, simulated %.4f s", what, got, want)
				}
			}
			for _, want := range sim.Classes {
				got := measured.Class(want.Name)
				if got == nil || got.N != want.N {
					t.Fatalf("%s: measured %+v, simulated %d of them", want.Name, got, want.N)
				}
				check(want.Name+" wait mean", want.Wait.Mean, got.Wait.Mean)
				check(want.Name+" wait p50", want.Wait.P50, got.Wait.P50)
				check(want.Name+" wait max", want.Wait.Max, got.Wait.Max)
				check(want.Name+" held max", want.Held.Max, got.Held.Max)
				check(want.Name+" finish", want.Finish, got.Finish)
				if got.Queued == nil {
					t.Fatalf("%s: time in the broker is not visible", want.Name)
				}
				check(want.Name+" queued max", want.Queued.Max, got.Queued.Max)
			}
			if sim.Ledger != measured.Ledger {
				t.Errorf("ledger: measured %+v, simulated %+v", measured.Ledger, sim.Ledger)
			}
		})
	}
}

// TestSimulationAndRealityChooseAlike wants every message at the same worker,
// and each of its instants where virtual time has it, in a scenario whose
// events are so far apart that jitter changes no choice.
func TestSimulationAndRealityChooseAlike(t *testing.T) {
	for _, c := range []struct {
		dispatch, prefetch string
		seed               uint64
	}{
		{"rr", "1", 23429},
		{"rr", "3", 23429},
		{"fair", "3", 23429},
		{"jsq", "3", 12894},
	} {
		t.Run(c.dispatch+"/prefetch="+c.prefetch, func(t *testing.T) {
			t.Parallel()
			sim, measured := both(t, "apart.yaml", scenarios.Options{Seed: &c.seed,
				Set: map[string]string{"dispatch": c.dispatch, "prefetch": c.prefetch}})
			apart(t, sim)
			if len(sim.Messages) != 9 || len(measured.Messages) != 9 {
				t.Fatalf("%d messages measured and %d simulated, want 9", len(measured.Messages), len(sim.Messages))
			}
			for i := range sim.Messages {
				want, got := &sim.Messages[i], &measured.Messages[i]
				if got.Worker != want.Worker || got.Attempts != want.Attempts {
					t.Errorf("message %d: worker %d, %d attempts; simulated worker %d, %d", i, got.Worker, got.Attempts, want.Worker, want.Attempts)
				}
				wants, gots := instants(want), instants(got)
				for j, name := range []string{"enqueued", "dispatched", "received", "started", "done", "acked"} {
					if gots[j] == run.None || !near(float64(wants[j])/1e6, float64(gots[j])/1e6) {
						t.Errorf("message %d %s at %d us, simulated at %d us", i, name, gots[j], wants[j])
					}
				}
			}
		})
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
