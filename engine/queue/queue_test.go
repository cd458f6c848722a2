package queue

import (
	"testing"

	"harelab/engine/dispatch"
)

func newQueue(t testing.TB, selector, order string) *Queue {
	t.Helper()
	s, err := dispatch.LookupSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	o, err := dispatch.LookupOrder(order)
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Selector: s, Order: o, Limits: Unlimited})
}

func TestRoundRobinGivesOneEachInTurn(t *testing.T) {
	q := newQueue(t, "rr", "fifo")
	for range 3 {
		q.Step(Event{Kind: Join}, nil)
	}
	for i := range 7 {
		out := q.Step(Event{Kind: Publish}, nil)
		if len(out) != 1 || out[0].Kind != Deliver || out[0].Consumer != dispatch.ConsumerID(i%3) {
			t.Fatalf("message %d: %+v, want a delivery to consumer %d", i, out, i%3)
		}
		if err := q.Check(false); err != nil {
			t.Fatal(err)
		}
	}
}
