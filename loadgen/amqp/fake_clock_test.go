package amqp

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine"
	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/loadgen/sim"
	"harelab/scenarios"

	"github.com/google/go-cmp/cmp"
)

// inBubble runs s on the embedded broker, through the real client, under a fake
// clock: work takes its time to the microsecond and everything else takes none.
func inBubble(t *testing.T, s *scenarios.Scenario) *run.Result {
	t.Helper()
	return inBubbleUntil(t, s, time.Hour, 0)
}

// inBubbleUntil is inBubble with an interruption after a while, on a machine that
// is late with everything.
func inBubbleUntil(t *testing.T, s *scenarios.Scenario, d, late time.Duration) (r *run.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{s: s}
		quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
		e, err := engine.New(engine.Options{Tracer: w, Matcher: s.Engine.Matcher, Dispatch: s.Engine.Dispatch, Order: s.Engine.Order, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		r, err = Run(ctx, s, Options{
			Dial: func(context.Context) (net.Conn, error) { return e.Dial() }, Observer: w, alarm: loadgen.Coarse(late),
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return r
}

// TestKnownAnswersThroughTheWholeStack holds the client, the protocol, the
// broker and this runner to the talk's figures, exactly: queries' mean and
// longest wait, how many were held behind nets, and the end.
func TestKnownAnswersThroughTheWholeStack(t *testing.T) {
	for _, c := range []struct {
		name, variant  string
		mean, max, end time.Duration
		stuck          int
	}{
		{"celery-initial", "", 10450 * time.Millisecond, 10900 * time.Millisecond, 11 * time.Second, 0},
		{"celery-optimized", "", 8284 * time.Millisecond, 13300 * time.Millisecond, 20 * time.Second, 11},
		{"celery-optimized", "same-load", 3828 * time.Millisecond, 10500 * time.Millisecond, 20 * time.Second, 11},
		{"celery-optimized", "same-load-fair", 1950 * time.Millisecond, 3900 * time.Millisecond, 20 * time.Second, 0},
	} {
		t.Run(c.name+"/"+c.variant, func(t *testing.T) {
			r := inBubble(t, resolve(t, c.name, scenarios.Options{Variant: c.variant}))
			var sum, longest time.Duration
			n, stuck := 0, 0
			for _, m := range r.Messages {
				if r.Classes[m.Class] != "run_user_query" {
					continue
				}
				wait := time.Duration(m.Started-m.Intended) * time.Microsecond
				sum, longest, n = sum+wait, max(longest, wait), n+1
				if c.stuck > 0 && m.Started-m.Received > 9_000_000 {
					stuck++
				}
			}
			if mean := sum / time.Duration(n); mean.Round(time.Millisecond) != c.mean || longest != c.max || stuck != c.stuck {
				t.Errorf("mean %v, max %v, %d stuck; want %v, %v, %d", mean, longest, stuck, c.mean, c.max, c.stuck)
			}
			if end := time.Duration(r.Length) * time.Microsecond; end != c.end || r.Ledger.Finished != int64(len(r.Messages)) || r.Partial || !r.Valid() {
				t.Errorf("length %v, want %v; ledger %+v, findings %v", end, c.end, r.Ledger, r.Findings)
			}
		})
	}
}

// TestSimulatorAndStackAgree wants the driver in virtual time and the real
// client over the real protocol to give each message to the same worker and
// start it at the same microsecond. In the talk's scenarios everything happens at
// once, and the order of messages is not determined: there the start times of each
// class must agree, whichever message has them.
func TestSimulatorAndStackAgree(t *testing.T) {
	for _, c := range []struct {
		name, variant string
		set           map[string]string
		together      bool
	}{
		{name: "celery-initial", together: true},
		{name: "celery-optimized", together: true},
		{name: "celery-optimized", variant: "same-load", together: true},
		{name: "celery-optimized", variant: "same-load-fair", together: true},
		{name: "odd-heavy-even-light"},
		{name: "odd-heavy-even-light", variant: "prefetch-1", together: true},
		{name: "worker-crash"},
		{name: "worker-crash", variant: "on-start"},
		{name: "worker-crash", variant: "no-ack"},
		{name: "prefetch-sweep", set: map[string]string{"duration": "5s", "rtt": "0s"}},
		{name: "prefetch-sweep", set: map[string]string{"duration": "5s", "rtt": "0s", "prefetch": "20"}},
		{name: "prefetch-sweep", set: map[string]string{"duration": "5s"}},
	} {
		t.Run(fmt.Sprint(c.name, "/", c.variant, c.set), func(t *testing.T) {
			s := resolve(t, c.name, scenarios.Options{Variant: c.variant, Set: c.set})
			want, err := sim.Run(t.Context(), s, sim.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := inBubble(t, s)
			if len(got.Messages) != len(want.Messages) {
				t.Fatalf("%d messages, simulated %d", len(got.Messages), len(want.Messages))
			}
			if got.Ledger != want.Ledger {
				t.Errorf("ledger %+v, simulated %+v", got.Ledger, want.Ledger)
			}
			if c.together {
				if d := cmp.Diff(starts(want), starts(got)); d != "" {
					t.Errorf("starts by class, simulated (-) and run (+):\n%s", d)
				}
				return
			}
			wrong := 0
			for i := range got.Messages {
				g, w := &got.Messages[i], &want.Messages[i]
				if g.Worker != w.Worker || g.Started != w.Started || g.Done != w.Done || g.Attempts != w.Attempts || g.State != w.State {
					if wrong++; wrong < 5 {
						t.Errorf("message %d: worker %d from %d to %d us, %d attempts, %v; simulated worker %d from %d to %d us, %d attempts, %v",
							i, g.Worker, g.Started, g.Done, g.Attempts, g.State, w.Worker, w.Started, w.Done, w.Attempts, w.State)
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d messages differ", wrong, len(got.Messages))
			}
		})
	}
}

// starts returns the start times of each class in ascending order.
func starts(r *run.Result) map[string][]int64 {
	by := map[string][]int64{}
	for _, m := range r.Messages {
		by[r.Classes[m.Class]] = append(by[r.Classes[m.Class]], m.Started)
	}
	for _, list := range by {
		slices.Sort(list)
	}
	return by
}
