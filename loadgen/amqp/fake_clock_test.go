package amqp

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine"
	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// inBubble runs s on the embedded broker, through the real client, under a fake
// clock: work takes its time to the microsecond and everything else takes none.
func inBubble(t *testing.T, s *scenarios.Scenario) *run.Result {
	t.Helper()
	return inBubbleUntil(t, s, time.Hour)
}

// inBubbleUntil is inBubble with an interruption after a while.
func inBubbleUntil(t *testing.T, s *scenarios.Scenario, d time.Duration) (r *run.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{}
		quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
		e, err := engine.New(engine.Options{Tracer: w, Matcher: s.Engine.Matcher, Dispatch: s.Engine.Dispatch, Order: s.Engine.Order, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		r, err = Run(ctx, s, Options{
			Dial: func(context.Context) (net.Conn, error) { return e.Dial() }, Observer: w, alarm: loadgen.Coarse(),
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
