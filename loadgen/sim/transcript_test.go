package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
	"harelab/loadgen"
	"harelab/scenarios"
)

// recorded runs a model with many kinds of events and returns the transcript of its
// first queue.
func recorded(t *testing.T, selector, order string) string {
	t.Helper()
	var log bytes.Buffer
	m := Model{
		Queues: []scenarios.Queue{
			queueOf("q", "x-dispatch", selector, "x-order", order, "x-max-priority", int64(5), "x-dispatch-seed", int64(7),
				"x-message-ttl", int64(50), "x-max-length", int64(40)),
			queueOf("p"),
		},
		Control: []Control{{At: 3000, Do: Crash, Worker: 1}, {At: 5000, Do: Join, Worker: 1}},
		Source:  &steadySource{n: 500},
		Transcript: func(queue string) io.Writer {
			if queue == "q" {
				return &log
			}
			return nil
		},
	}
	for i := range 4 {
		m.Workers = append(m.Workers, Worker{
			Name: fmt.Sprint("w", i), Slots: 1 + i%2, JoinsAt: -1, Deliver: int64(10 * i), AckDelay: 10, Slow: 3,
			ChannelPrefetch: i, Subscriptions: []Subscription{{Queue: "q", Prefetch: 3}, {Queue: "p"}},
			Attempt: func(seq int64, attempt int32, _, work int64) (int64, loadgen.Verdict) {
				return work, loadgen.Verdict{End: loadgen.Ending(int(seq+int64(attempt)) % 5 / 2)} // success, requeue, reject
			},
		})
	}
	if _, err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return log.String()
}

// A queue without broker, clock or workers makes the same decisions when the events of
// a transcript are replayed on it, with any strategy.
func TestRecordedRunsReplay(t *testing.T) {
	for _, s := range dispatch.Selectors() {
		for _, o := range dispatch.Orders() {
			t.Run("dispatch="+s.Name+"/order="+o.Name, func(t *testing.T) {
				log := recorded(t, s.Name, o.Name)
				if n := strings.Count(log, "deliver"); n < 300 {
					t.Fatalf("%d deliveries recorded, want at least 300", n)
				}
				if err := queue.Replay(strings.NewReader(log)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Replay notices a transcript that was changed.
func TestReplayNoticesAnotherDecision(t *testing.T) {
	log := recorded(t, "rr", "fifo")
	changed := strings.Replace(log, "c=2", "c=1", 1)
	if changed == log {
		t.Fatalf("no delivery to consumer 2 in\n%.500s", log)
	}
	if err := queue.Replay(strings.NewReader(changed)); err == nil {
		t.Error("a changed decision was not noticed")
	}
}
