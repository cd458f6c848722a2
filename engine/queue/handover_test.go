package queue

import (
	"fmt"
	"strings"
	"testing"

	"harelab/engine/dispatch"
)

// TestHandOver has a single-active queue whose active consumer, 0, leaves in a held step
// while it holds messages 0 and 1 of 0 to 3. Consumer 1 becomes active then, and is served
// at the first event with which RabbitMQ's classic queue runs.
func TestHandOver(t *testing.T) {
	l := dispatch.NewLimiter(9)
	for _, c := range []struct {
		name string
		then []Event
		want string // the messages that are delivered in the last step, and to whom
	}{
		{"nothing happens", []Event{{Kind: Leave, Consumer: 2}}, ""},
		{"an ack", []Event{{Kind: Ack, Refs: []dispatch.Ref{0, 1}}}, ""},
		{"a reject", []Event{{Kind: Discard, Refs: []dispatch.Ref{0}}}, ""},
		{"a timer", []Event{{Kind: Expire}}, ""},
		{"a writer", []Event{{Kind: Resume, Consumer: 1}}, ""},
		{"new limits", []Event{{Kind: Configure, Change: &Change{Limits: Unlimited}}}, ""},
		{"credit of a channel", []Event{{Kind: Run, Limiter: l}}, ""},
		{"a get takes the first", []Event{{Kind: Get}, {Kind: Requeue, Refs: []dispatch.Ref{0, 1}}}, "0>1 1>1 3>1"},
		{"one returns", []Event{{Kind: Requeue, Refs: []dispatch.Ref{1}}}, "1>1 2>1 3>1"},
		{"the channel closes", []Event{{Kind: Requeue, Hold: true, Refs: []dispatch.Ref{0, 1}}, {Kind: Run}}, "0>1 1>1 2>1 3>1"},
		{"another channel closes", []Event{{Kind: Leave, Consumer: 2, Hold: true}, {Kind: Run}}, "2>1 3>1"},
		{"one returns on a channel with a limit", []Event{{Kind: Requeue, Hold: true, Refs: []dispatch.Ref{1}}, {Kind: Run, Limiter: l}}, "1>1 2>1 3>1"},
		{"a consumer joins", []Event{{Kind: Join}}, "2>1 3>1"},
		{"a message comes", []Event{{Kind: Publish}}, "2>1 3>1 4>1"},
		{"the next leaves too", []Event{{Kind: Leave, Consumer: 1, Hold: true}, {Kind: Run}}, "2>2 3>2"},
		{"all leave, and one comes", []Event{{Kind: Leave, Consumer: 1, Hold: true}, {Kind: Leave, Consumer: 2, Hold: true}, {Kind: Join}}, "2>2 3>2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newQueue(t, "rr", "fifo")
			q.cfg.SingleActive = true
			q.Step(Event{Kind: Join, Prefetch: 2}, nil)
			q.Step(Event{Kind: Join}, nil)
			q.Step(Event{Kind: Join}, nil)
			for range 4 {
				q.Step(Event{Kind: Publish}, nil)
			}
			if out := q.Step(Event{Kind: Leave, Consumer: 0, Hold: true}, nil); len(out) != 1 || out[0].Kind != Activate || out[0].Consumer != 1 {
				t.Fatalf("0 left: %v, want that 1 is active", out)
			}
			var out []Decision
			for _, e := range c.then {
				out = q.Step(e, nil)
				if err := q.CheckStep(&e, out); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, d := range out {
				if d.Kind == Deliver {
					got = append(got, fmt.Sprintf("%d>%d", d.ID-1, d.Consumer))
				}
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("delivered %q, want %q", got, c.want)
			}
		})
	}
}

// TestHeir: of the consumers that wait, the one with the greatest priority becomes active,
// and of equal ones the first that subscribed.
func TestHeir(t *testing.T) {
	q := newQueue(t, "rr", "fifo")
	q.cfg.SingleActive = true
	for _, priority := range []int32{0, 0, 5, 5, 9} {
		q.Step(Event{Kind: Join, Priority: priority}, nil)
	}
	for i, want := range []dispatch.ConsumerID{0, 4, 2, 3, 1, dispatch.NoConsumer} {
		if q.Active() != want {
			t.Fatalf("active is %d after %d left, want %d", q.Active(), i, want)
		}
		q.Step(Event{Kind: Leave, Consumer: q.Active()}, nil)
	}
}
