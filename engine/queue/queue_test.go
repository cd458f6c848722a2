package queue

import (
	"fmt"
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

func TestCountsAndBooks(t *testing.T) {
	q := newQueue(t, "lwl", "fifo")
	if q.NextRef() != 0 || q.NextID() != 1 || q.NextConsumer() != 0 {
		t.Errorf("a new queue gives ref %d, id %d, consumer %d next", q.NextRef(), q.NextID(), q.NextConsumer())
	}
	q.Step(Event{Kind: Join, Prefetch: 2, Exclusive: true}, nil)
	for range 3 {
		q.Step(Event{Kind: Publish, Bytes: 10, Msg: dispatch.Meta{Cost: 7}}, nil)
	}
	if q.Ready() != 1 || q.Unacked() != 2 || q.Bytes() != 10 || q.Consumers() != 1 || !q.Exclusive() {
		t.Errorf("%d ready of %d bytes, %d unacked, %d consumers, exclusive %v; want 1 of 10, 2, 1, true",
			q.Ready(), q.Bytes(), q.Unacked(), q.Consumers(), q.Exclusive())
	}
	if c, ok := q.Consumer(0); !ok || c.Unacked != 2 || c.Work != 14 {
		t.Errorf("consumer 0: %+v, %v; want 2 unacked of cost 14", c, ok)
	}
	if m, ok := q.Message(2); !ok || m.State != dispatch.Ready || m.ID != 3 {
		t.Errorf("message 2: %+v, %v; want the third, ready", m, ok)
	}
	q.Step(Event{Kind: Leave}, nil)
	if _, ok := q.Consumer(0); ok || q.Exclusive() || q.NextConsumer() == 0 {
		t.Error("consumer 0 left: it is still there, or its number is given again while it holds messages")
	}
	if _, ok := q.Message(9); ok {
		t.Error("there is a message 9")
	}
}

func TestSingleActiveIsNamed(t *testing.T) {
	q := newQueue(t, "rr", "fifo")
	q.cfg.SingleActive = true
	q.Step(Event{Kind: Join}, nil)
	q.Step(Event{Kind: Join}, nil)
	if q.Active() != 0 {
		t.Errorf("active is %d, want 0", q.Active())
	}
	q.Step(Event{Kind: Leave, Consumer: 0}, nil)
	if q.Active() != 1 {
		t.Errorf("active is %d after 0 left, want 1", q.Active())
	}
}

// TestShare puts two consumers with messages under a limit: one that has joined and one
// that has left. Their messages count against it until they are acked.
func TestShare(t *testing.T) {
	for _, selector := range dispatch.Selectors() {
		if selector.Name == "adaptive" {
			continue // its own window holds back the messages
		}
		t.Run("dispatch="+selector.Name, func(t *testing.T) { testShare(t, newQueue(t, selector.Name, "fifo")) })
	}
}

func testShare(t *testing.T, q *Queue) {
	q.Step(Event{Kind: Join, Slots: 9}, nil)
	q.Step(Event{Kind: Publish}, nil)
	q.Step(Event{Kind: Leave, Consumer: 0}, nil)
	q.Step(Event{Kind: Join, Slots: 9}, nil) // consumer 1, since 0 still holds a message
	q.Step(Event{Kind: Publish}, nil)
	q.Step(Event{Kind: Publish}, nil)
	l := dispatch.NewLimiter(3)
	for range 2 { // the second Share must change nothing
		q.Step(Event{Kind: Share, Hold: true, Limiter: l, Consumer: 1}, nil)
		q.Step(Event{Kind: Share, Hold: true, Limiter: l, Consumer: dispatch.NoConsumer, Refs: []dispatch.Ref{0, 1, 99}}, nil)
	}
	if l.Taken() != 3 {
		t.Fatalf("%d taken, want 3", l.Taken())
	}
	if out := q.Step(Event{Kind: Publish}, nil); len(out) != 0 {
		t.Fatalf("at the limit: %v, want nothing", out)
	}
	if err := q.Check(false); err != nil {
		t.Fatal(err)
	}
	out := q.Step(Event{Kind: Ack, Refs: []dispatch.Ref{0}}, nil) // by the consumer that left
	if len(out) != 1 || out[0].Kind != Deliver || out[0].Consumer != 1 || l.Taken() != 3 {
		t.Errorf("after an ack: %v with %d taken, want a delivery to 1 with 3 taken", out, l.Taken())
	}
}

// TestCompetes asks whether a channel's limit holds back a message of a queue. The
// limit is one, another queue has used it, and one message is ready.
func TestCompetes(t *testing.T) {
	l, other := dispatch.NewLimiter(1), dispatch.NewLimiter(1)
	l.TryTake()
	other.TryTake()
	for _, c := range []struct {
		name   string
		single bool
		joins  []Event
		then   []Event
		want   bool
	}{
		{"nobody", false, nil, nil, false},
		{"a consumer of the channel", false, []Event{{Limiter: l}}, nil, true},
		{"one of another channel", false, []Event{{Limiter: other}}, nil, false},
		{"one of each", false, []Event{{Limiter: other}, {Limiter: l}}, nil, true},
		{"without acknowledgements", false, []Event{{Limiter: l, NoAck: true}}, nil, true},
		{"paused", false, []Event{{Limiter: l}}, []Event{{Kind: Pause}}, false},
		{"one is paused, one is not", false, []Event{{Limiter: l}, {Limiter: l}}, []Event{{Kind: Pause}}, true},
		{"it left", false, []Event{{Limiter: l}}, []Event{{Kind: Leave}}, false},
		{"nothing is ready", false, []Event{{Limiter: l}}, []Event{{Kind: Purge}}, false},
		{"single active: it is", true, []Event{{Limiter: l}, {Limiter: other}}, nil, true},
		{"single active: it waits for its turn", true, []Event{{Limiter: other}, {Limiter: l}}, nil, false},
		{"single active: its turn came", true, []Event{{Limiter: other}, {Limiter: l}}, []Event{{Kind: Leave}}, true},
		{"single active: nobody", true, nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newQueue(t, "rr", "fifo")
			q.cfg.SingleActive = c.single
			for _, e := range c.joins {
				e.Kind = Join
				q.Step(e, nil)
			}
			q.Step(Event{Kind: Publish}, nil)
			for _, e := range c.then {
				q.Step(e, nil)
			}
			if got := q.Competes(l); got != c.want {
				t.Errorf("Competes = %v, want %v", got, c.want)
			}
		})
	}
	// A consumer at its own prefetch does not compete.
	q := newQueue(t, "rr", "fifo")
	q.Step(Event{Kind: Join, Prefetch: 1, Limiter: l}, nil)
	l.Put(1)
	q.Step(Event{Kind: Publish}, nil)
	q.Step(Event{Kind: Publish}, nil)
	if q.Competes(l) {
		t.Error("a consumer at its own prefetch competes")
	}
}

// TestTasksAreBounded checks that a queue learns only the first maxTasks names.
func TestTasksAreBounded(t *testing.T) {
	q := newQueue(t, "rr", "sjf")
	q.Step(Event{Kind: Join}, nil)
	for i := range 2 * maxTasks {
		name := fmt.Sprint(i % (maxTasks + 1))
		q.Step(Event{Kind: Publish, Now: int64(10 * i), Msg: dispatch.Meta{Task: name}}, nil)
		q.Step(Event{Kind: Ack, Now: int64(10*i + 5), Refs: []dispatch.Ref{0}}, nil)
	}
	if n := len(q.tasks.rows); n != maxTasks || len(q.tasks.ids) != n {
		t.Errorf("%d means of %d names, want %d", n, len(q.tasks.ids), maxTasks)
	}
	for name, want := range map[int]int64{0: 5, maxTasks - 1: 5, maxTasks: 0} {
		if got := q.tasks.mean(q.tasks.id(fmt.Sprint(name))); got != want {
			t.Errorf("task %d takes %d us, want %d", name, got, want)
		}
	}
}

// TestCheckFindsFaults spoils a sound queue in each way that Check looks for. A consumer
// holds messages 1 and 2; messages 3 to 5 are ready.
func TestCheckFindsFaults(t *testing.T) {
	for _, fault := range []struct {
		want  string
		spoil func(*Queue)
	}{
		{"3 rows are ready, the order holds 3, the count is 4", func(q *Queue) { q.ready++ }},
		{"3 rows are ready, the order holds 2, the count is 3", func(q *Queue) { q.order.Pop(0) }},
		{"2 rows are ready, the order holds 3, the count is 3", func(q *Queue) { q.msgs.At(3).State = dispatch.Unacked }},
		{"2 rows are unacked, the count is 3", func(q *Queue) { q.unacked++ }},
		{"0 rows are taken by gets, the count is 1", func(q *Queue) { q.taken++ }},
		{"ready rows have 3 bytes and 0 expire, the counts are 4 and 0", func(q *Queue) { q.bytes++ }},
		{"ready rows have 3 bytes and 0 expire, the counts are 3 and 1", func(q *Queue) { q.expiring++ }},
		{"ready rows have 3 bytes and 1 expire, the counts are 3 and 0", func(q *Queue) { q.msgs.At(2).Expires = 9 }},
		{"3 ready + 2 unacked + 1 gone is not 5 published", func(q *Queue) { q.gone++ }},
		{"6 rows are in use for 5 messages", func(q *Queue) { q.msgs.Alloc() }},
		{"message 1 is in rows 0 and 1", func(q *Queue) { q.msgs.At(1).ID = q.msgs.At(0).ID }},
		{"consumer 0 holds 2 messages of cost 2, its books say 3 and 2", func(q *Queue) { q.cons.At(0).Unacked++ }},
		{"consumer 0 holds 2 messages of cost 2, its books say 2 and 3", func(q *Queue) { q.cons.At(0).Work++ }},
		{"consumer 0 holds 2 messages, its prefetch is 1", func(q *Queue) { q.cons.At(0).Prefetch = 1 }},
		{"message 3 is next and not ready", func(q *Queue) {
			q.msgs.At(0).State, q.msgs.At(2).State = dispatch.Ready, dispatch.Unacked
			q.msgs.At(0).Consumer, q.msgs.At(2).Consumer = dispatch.NoConsumer, 0
		}},
		{"message 4 is next, before 3, its equal and older", func(q *Queue) {
			q.msgs.At(2).ID, q.msgs.At(3).ID = q.msgs.At(3).ID, q.msgs.At(2).ID
		}},
		{"consumer 0 is eligible while 3 messages are ready", func(q *Queue) { q.cons.At(0).Prefetch = 0 }},
		{"consumer 0 is eligible while 3 messages are ready", func(q *Queue) {
			q.cfg.SingleActive, q.active, q.cons.At(0).Prefetch = true, 0, 0
		}},
	} {
		q := newQueue(t, "rr", "fifo")
		q.Step(Event{Kind: Join, Prefetch: 2}, nil)
		for range 5 {
			q.Step(Event{Kind: Publish, Bytes: 1, Msg: dispatch.Meta{Cost: 1}}, nil)
		}
		if err := q.Check(false); err != nil {
			t.Fatal(err)
		}
		fault.spoil(q)
		if err := q.Check(false); err == nil || err.Error() != "queue: "+fault.want {
			t.Errorf("Check: %v, want %s", err, fault.want)
		}
	}
}

// TestCheckAcceptsSoundQueues changes a queue in ways that look like faults: a lowered
// prefetch, an older message of another tenant, and a consumer with credit that is not
// the active one, or whose queue was held.
func TestCheckAcceptsSoundQueues(t *testing.T) {
	q := newQueue(t, "rr", "fifo")
	q.Step(Event{Kind: Join, Prefetch: 2}, nil)
	for range 5 {
		q.Step(Event{Kind: Publish}, nil)
	}
	q.Step(Event{Kind: Limit, Prefetch: 1}, nil)
	if err := q.Check(false); err != nil {
		t.Errorf("after the prefetch was lowered: %v", err)
	}
	q.Step(Event{Kind: Limit, Hold: true}, nil)
	if err := q.Check(true); err != nil {
		t.Errorf("held: %v", err)
	}
	q.cfg.SingleActive, q.active = true, dispatch.NoConsumer
	if err := q.Check(false); err != nil {
		t.Errorf("not the active one: %v", err)
	}
	q = newQueue(t, "rr", "drr")
	for _, tenant := range []string{"a", "a", "b"} {
		q.Step(Event{Kind: Publish, Msg: dispatch.Meta{Tenant: tenant}}, nil)
	}
	q.Step(Event{Kind: Get}, nil) // gets a message of a; then it is b's turn
	if err := q.Check(false); err != nil {
		t.Errorf("another tenant's turn: %v", err)
	}
}

func TestNamesOfUnknownKinds(t *testing.T) {
	for got, want := range map[string]string{
		Kind(99).String():         "kind(99)",
		DecisionKind(99).String(): "decision(99)",
		Reason(99).String():       "reason(99)",
		Reason(Expired).String():  "expired",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
