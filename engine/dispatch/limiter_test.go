package dispatch_test

import (
	"sync"
	"testing"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

// TestLimiterHoldsAcrossQueues steps several queues, each in its own goroutine, that
// share one channel's limit. They must never exceed it, and give back all of it.
func TestLimiterHoldsAcrossQueues(t *testing.T) {
	const queues, messages, limit = 4, 2000, 3
	fifo, err := dispatch.LookupOrder("fifo")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range dispatch.Selectors() {
		t.Run("dispatch="+s.Name, func(t *testing.T) {
			limiter := dispatch.NewLimiter(limit)
			var wg sync.WaitGroup
			for range queues {
				wg.Go(func() {
					q := queue.New(queue.Config{Selector: s, Order: fifo, Limits: queue.Unlimited})
					for range 3 {
						q.Step(queue.Event{Kind: queue.Join, Limiter: limiter}, nil)
					}
					var held []dispatch.Ref
					for n := range messages {
						out := q.Step(queue.Event{Kind: queue.Publish, Now: int64(n)}, nil)
						if n%2 == 1 {
							out = q.Step(queue.Event{Kind: queue.Ack, Now: int64(n), Refs: held}, out)
							held = held[:0]
							out = q.Step(queue.Event{Kind: queue.Run, Now: int64(n), Limiter: limiter}, out)
						}
						for _, d := range out {
							held = append(held, d.Ref)
						}
						if taken := limiter.Taken(); taken > limit || len(held) > limit {
							t.Errorf("%d are taken, %d by one queue, of %d", taken, len(held), limit)
							return
						}
					}
					q.Step(queue.Event{Kind: queue.Purge}, nil)
					q.Step(queue.Event{Kind: queue.Ack, Refs: held}, nil)
					if err := q.Check(false); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if limiter.Taken() != 0 || limiter.Full() {
				t.Errorf("%d are taken in the end", limiter.Taken())
			}
		})
	}
}

func TestLimiterLimit(t *testing.T) {
	l := dispatch.NewLimiter(0)
	for range 1000 {
		if !l.TryTake() {
			t.Fatal("a limiter without a limit is full")
		}
	}
	l.SetLimit(2)
	if l.Limit() != 2 || !l.Full() || l.TryTake() {
		t.Error("1000 of 2 are taken, and it is not full")
	}
	l.Put(999)
	if l.Full() || !l.TryTake() || l.TryTake() {
		t.Error("with 1 left, TryTake did not succeed exactly once")
	}
}
