package loadgen

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"harelab/scenarios"
)

// policyOf returns the policy of a worker of seed 1 with the given rules, which
// refuse by nack unless they say how.
func policyOf(t *testing.T, f scenarios.Fail) *FailPolicy {
	t.Helper()
	f.How = cmp.Or(f.How, "nack")
	p, err := NewFailPolicy(&scenarios.Scenario{Seed: 1}, &scenarios.Worker{Name: "w", Ack: scenarios.Ack{When: scenarios.OnDone}, Fail: &f})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFailPolicy(t *testing.T) {
	const at = 5_000_000 // of every attempt's end, in microseconds
	backoff := scenarios.Backoff{Exchange: "x", Keys: []string{"soon", "late"}, Delay: []time.Duration{20 * time.Millisecond, time.Second}}
	forward := func(to Forwarding) Verdict { return Verdict{End: Forward, To: &to} }
	soon := forward(Forwarding{Exchange: "x", RoutingKey: "soon", Expiration: 20_000})
	late := forward(Forwarding{Exchange: "x", RoutingKey: "late", Expiration: 1_000_000})
	requeue, reject := Verdict{End: Requeue, How: "nack"}, Verdict{End: Reject, How: "nack"}
	for _, c := range []struct {
		rule string
		fail scenarios.Fail
		want []Verdict // by attempt
	}{
		{"immediate requeues", scenarios.Fail{P: 1, Retry: "immediate"}, []Verdict{requeue, requeue}},
		{"fixed rejects", scenarios.Fail{P: 1, Retry: "fixed"}, []Verdict{reject, reject}},
		{"backoff takes the key and delay of the attempt, the last for all further ones",
			scenarios.Fail{P: 1, Retry: "backoff-jitter", Backoff: backoff}, []Verdict{soon, late, late}},
		{"the first attempts fail whatever p says", scenarios.Fail{First: 2, Retry: "immediate"}, []Verdict{requeue, requeue, {}}},
		{"and whenever they are", scenarios.Fail{First: 1, From: time.Hour, P: 1, Retry: "immediate"}, []Verdict{requeue, {}}},
		{"nothing fails before from", scenarios.Fail{From: 5*time.Second + time.Microsecond, P: 1, Retry: "immediate"}, []Verdict{{}}},
		{"from is in", scenarios.Fail{From: 5 * time.Second, P: 1, Retry: "immediate"}, []Verdict{requeue}},
		{"to is out", scenarios.Fail{To: 5 * time.Second, P: 1, Retry: "immediate"}, []Verdict{{}}},
		{"up to it all fail", scenarios.Fail{To: 5*time.Second + time.Microsecond, P: 1, Retry: "immediate"}, []Verdict{requeue}},
		{"the last attempt rejects", scenarios.Fail{P: 1, Retry: "immediate", MaxAttempts: 2}, []Verdict{requeue, reject, reject}},
		{"how names the method", scenarios.Fail{P: 1, Retry: "immediate", How: "reject", MaxAttempts: 2},
			[]Verdict{{End: Requeue, How: "reject"}, {End: Reject, How: "reject"}}},
		{"or gives up to a queue", scenarios.Fail{P: 1, Retry: "fixed", MaxAttempts: 2, Then: "parked"},
			[]Verdict{reject, forward(Forwarding{RoutingKey: "parked", GiveUp: true})}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			p := policyOf(t, c.fail)
			for i, want := range c.want {
				if d := gocmp.Diff(want, p.Decide(int32(i+1), at)); d != "" {
					t.Errorf("attempt %d (- want, + got):\n%s", i+1, d)
				}
			}
		})
	}
}

func TestFailPolicyDrawsShareAndJitter(t *testing.T) {
	const n = 20_000
	p := policyOf(t, scenarios.Fail{P: 0.25, Retry: "backoff-jitter", Backoff: scenarios.Backoff{
		Keys: []string{"k"}, Delay: []time.Duration{time.Second}, Jitter: 0.5,
	}})
	failed, least, most, sum := 0, int64(1<<62), int64(0), int64(0)
	for range n {
		if v := p.Decide(1, 0); v.End == Forward {
			failed++
			least, most, sum = min(least, v.To.Expiration), max(most, v.To.Expiration), sum+v.To.Expiration
		}
	}
	if share := float64(failed) / n; share < 0.24 || share > 0.26 {
		t.Errorf("%.4f of the attempts fail, want 0.25", share)
	}
	if mean := sum / int64(failed); least < 500_000 || least > 510_000 || most > 1_500_000 || most < 1_490_000 || mean < 985_000 || mean > 1_015_000 {
		t.Errorf("delays from %d to %d us, mean %d; want 500000 to 1500000, mean 1000000", least, most, mean)
	}
}

// TestFailPoliciesOfWorkersAreIndependent: each worker draws from a stream of its
// own, so what one worker is given does not change how another's attempts end.
func TestFailPoliciesOfWorkersAreIndependent(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := &scenarios.Scenario{Seed: seed}
	decisions := func(n int, others ...string) (list []Ending) {
		policies := map[string]*FailPolicy{}
		for _, name := range append(others, "w") {
			p, err := NewFailPolicy(s, &scenarios.Worker{Name: name, Ack: scenarios.Ack{When: scenarios.OnDone}, Fail: &scenarios.Fail{P: 0.5, Retry: "immediate", How: "nack"}})
			if err != nil {
				t.Fatal(err)
			}
			policies[name] = p
		}
		for range n {
			for _, name := range others {
				policies[name].Decide(1, 0)
			}
			list = append(list, policies["w"].Decide(1, 0).End)
		}
		return list
	}
	if d := gocmp.Diff(decisions(100), decisions(100, "a", "b")); d != "" {
		t.Errorf("alone (-) and beside others (+):\n%s", d)
	}
}

// TestUnknownFailPoliciesAreRefused: what a runner would have to guess does not
// get as far as a runner.
func TestUnknownFailPoliciesAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		ack  string
		fail scenarios.Fail
		want string
	}{
		{"ack on start", "on-start", scenarios.Fail{P: 1, Retry: "fixed"}, `t.yaml: worker "w": fail with ack "on-start": give "on-done", as after an earlier ack nothing is left to refuse`},
		{"retry", "on-done", scenarios.Fail{P: 1, Retry: "sometimes"}, `t.yaml: worker "w": unknown fail.retry "sometimes" (have immediate, fixed, backoff-jitter)`},
		{"no retry", "on-done", scenarios.Fail{P: 1}, `t.yaml: worker "w": unknown fail.retry "" (have immediate, fixed, backoff-jitter)`},
		{"backoff without keys", "on-done", scenarios.Fail{P: 1, Retry: "backoff-jitter"}, `t.yaml: worker "w": fail.backoff has 0 keys and 0 delays: give one delay per key, and at least one`},
		{"how", "on-done", scenarios.Fail{P: 1, Retry: "fixed", How: "kindly"}, `t.yaml: worker "w": unknown fail.how "kindly" (have nack, reject)`},
		{"keys without delays", "on-done", scenarios.Fail{P: 1, Retry: "backoff-jitter", Backoff: scenarios.Backoff{Keys: []string{"a"}}},
			`t.yaml: worker "w": fail.backoff has 1 keys and 0 delays: give one delay per key, and at least one`},
	} {
		p, err := NewFailPolicy(&scenarios.Scenario{File: "t.yaml"}, &scenarios.Worker{Name: "w", Ack: scenarios.Ack{When: c.ack}, Fail: &c.fail})
		if p != nil || err == nil || err.Error() != c.want {
			t.Errorf("%s: policy %v, error %v; want %s", c.name, p, err, c.want)
		}
	}
	const text = `schema: harelab/v1
name: fails
topology: {queues: [{name: q}]}
classes: [{name: c, publish: {exchange: "", key: q}, service: 1ms}]
load: [{sequence: s, phases: [{class: c, model: burst, count: 1}]}]
workers:
  - {name: w, consume: [{queue: q}], prefetch: 1, ack: on-done, fail: {p: 50%, retry: %s}}
stop: {when: drained, timeout: 20s}
`
	for retry, want := range map[string]string{
		"sometimes":      `t.yaml:7: unknown value "sometimes"`,
		"backoff-jitter": "t.yaml:7: fail: retry backoff-jitter needs backoff",
	} {
		f, err := scenarios.Parse("t.yaml", []byte(strings.Replace(text, "%s", retry, 1)))
		if err == nil {
			_, err = f.Resolve(scenarios.Options{})
		}
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("retry %s loads with %v, want %s", retry, err, want)
		}
	}
}
