package stat

import (
	"math"
	"strings"
	"testing"

	"harelab/reports/internal/specimen"
)

// TestAskAgreesWithCheck: what the figures answer is what the messages answer.
func TestAskAgreesWithCheck(t *testing.T) {
	r := specimen.CeleryOptimized("same-load", 40, 4, false)
	s := Summarize(r)
	for _, q := range []string{
		"wait.mean", "wait.p50{class=run_user_query}", "wait.p99{class=run_user_query}", "held.max{class=fit_neural_net}", "queued.p95", "slowdown.mean",
		"sojourn.p90", "service.max", "transit.mean", "schedule_lag.p99", "wait.n", "starvation{class=run_user_query}", "finish{class=fit_neural_net}", "makespan",
		"stuck{class=run_user_query}", "stuck", "utilisation", "utilisation{worker=worker-3}", "idle_while_waiting", "throughput", "jain.busy{by=worker}",
		"lost", "duplicated", "redelivered", "published", "delivered", "finished", "amplification", "order.inversions",
	} {
		e, err := ParseMetric(q)
		if err != nil {
			t.Fatal(err)
		}
		e.Op = ">="
		got, err := s.Ask(e)
		v := Check(r, s, append(r.Expect[:0:0], e))[0]
		if err != nil || v.Measured == nil || math.Abs(got-*v.Measured) > 1e-12 {
			t.Errorf("%s: Ask = %v, %v; Check = %+v", q, got, err, v)
		}
	}
	for q, want := range map[string]string{
		"wait.p99.9": "p99.9 is not among the figures", "wait.p99{tenant=x}": "needs the messages", "wait.max{class=x}": `has no class "x" (have fit_neural_net, run_user_query)`,
		"ready.max": "needs the messages",
	} {
		e, err := ParseMetric(q)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Ask(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", q, err, want)
		}
	}
}

func TestGauges(t *testing.T) {
	r := specimen.CeleryInitial()
	s := Summarize(r)
	for q, want := range map[string]float64{"ready.max": 24, "unacked.max{worker=worker-1}": 16} {
		e, err := ParseMetric(q)
		if err != nil {
			t.Fatal(err)
		}
		e.Op = ">="
		if v := Check(r, s, append(r.Expect[:0:0], e))[0]; v.Measured == nil || *v.Measured != want {
			t.Errorf("%s: %+v, want %v", q, v, want)
		}
	}
}
