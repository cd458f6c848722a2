package sim

import (
	"context"
	"testing"

	"harelab/loadgen"
	"harelab/scenarios"
)

// TestFullRunEnds wants a run to end, as partial, when it has too many messages, copies
// or attempts.
func TestFullRunEnds(t *testing.T) {
	again := func(_ int64, _ int32, _, work int64) (int64, loadgen.Verdict) {
		return work, loadgen.Verdict{End: loadgen.Requeue}
	}
	for _, c := range []struct {
		name  string
		model Model
	}{
		{"messages", Model{Queues: []scenarios.Queue{queueOf("q")}, Source: &listSource{list: burst(0, 200, "q", 10)}}},
		{"attempts", Model{Queues: []scenarios.Queue{queueOf("q")}, Source: &listSource{list: burst(0, 2, "q", 10)}, Spans: true,
			Workers: []Worker{{Slots: 1, JoinsAt: -1, Subscriptions: []Subscription{{Queue: "q"}}, Attempt: again}}}},
	} {
		c.model.Most = 100
		out, err := c.model.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !out.Full || !out.Partial || len(out.Messages) > 100 || len(out.Spans) > 4*100+1 {
			t.Errorf("%s: full %v, partial %v, %d messages, %d spans", c.name, out.Full, out.Partial, len(out.Messages), len(out.Spans))
		}
	}
}
