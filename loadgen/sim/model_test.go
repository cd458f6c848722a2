package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// A listSource publishes a list.
type listSource struct {
	list []Message
	n    int
}

func (s *listSource) Len() int { return len(s.list) }

func (s *listSource) Due(int64) (int64, bool) {
	if s.n == len(s.list) {
		return 0, false
	}
	return s.list[s.n].Sent, true
}

func (s *listSource) Next(m *Message) bool {
	*m = s.list[s.n]
	s.n++
	return true
}

// A steadySource publishes 16 messages every 160 us, so that some wait.
type steadySource struct{ n, sent int64 }

func (s *steadySource) Len() int                { return int(s.n) }
func (s *steadySource) Due(int64) (int64, bool) { return s.sent / 16 * 160, s.sent < s.n }
func (s *steadySource) Next(m *Message) bool {
	m.Intended = s.sent / 16 * 160
	m.Sent = m.Intended
	m.RoutingKey, m.Service, m.Priority, m.Cost = "q", 35, uint8(s.sent%5), 35
	m.TenantName = "t"
	s.sent++
	return true
}

// burst is n messages at a time to the default exchange.
func burst(at int64, n int, key string, service int64) []Message {
	m := Message{Intended: at, Sent: at, Confirmed: run.None, Tenant: -1, RoutingKey: key, Service: service}
	return slices.Repeat([]Message{m}, n)
}

func queueOf(name string, args ...any) scenarios.Queue {
	q := scenarios.Queue{Name: name}
	for i := 0; i < len(args); i += 2 {
		q.Arguments = append(q.Arguments, scenarios.Argument{Name: args[i].(string), Value: args[i+1]})
	}
	return q
}

func oneWorker(queue string, prefetch int) []Worker {
	return []Worker{{Name: "w", Slots: 1, JoinsAt: -1, Subscriptions: []Subscription{{Queue: queue, Prefetch: prefetch}}}}
}

func states(o *Outcome) string {
	var all []string
	for _, m := range o.Messages {
		all = append(all, m.State.String())
	}
	return strings.Join(all, " ")
}

// The broker's features work in virtual time, for the simulator drives the broker.
func TestBrokerFeatures(t *testing.T) {
	for _, c := range []struct {
		name  string
		model Model
		load  []Message
		want  string // states in order of seq
		check func(*testing.T, *Outcome)
	}{
		{
			name:  "messages expire in the queue",
			model: Model{Queues: []scenarios.Queue{queueOf("q", "x-message-ttl", int64(2))}, Workers: oneWorker("q", 1)},
			load:  burst(0, 4, "q", 1500),
			want:  "done done expired expired",
		},
		{
			name: "expired messages are dead-lettered and worked on elsewhere",
			model: Model{
				Queues: []scenarios.Queue{
					queueOf("q", "x-message-ttl", int64(5), "x-dead-letter-exchange", "", "x-dead-letter-routing-key", "late"),
					queueOf("late"),
				},
				Workers: oneWorker("late", 1),
			},
			load: burst(1000, 1, "q", 700),
			want: "done",
			check: func(t *testing.T, o *Outcome) {
				if m := o.Messages[0]; m.Started != 6000 || m.Enqueued != 6000 || m.Queue != 1 {
					t.Errorf("started at %d, enqueued at %d in queue %d, want 6000, 6000, 1", m.Started, m.Enqueued, m.Queue)
				}
			},
		},
		{
			name: "a queue of dead letters without workers keeps them",
			model: Model{
				Queues: []scenarios.Queue{
					queueOf("q", "x-max-length", int64(1), "x-dead-letter-exchange", "", "x-dead-letter-routing-key", "dead"),
					queueOf("dead"),
				},
				Workers: oneWorker("q", 1),
			},
			load: burst(0, 4, "q", 1000),
			want: "done dead-lettered dead-lettered done",
			check: func(t *testing.T, o *Outcome) {
				if o.Messages[1].Queue != 1 {
					t.Errorf("dead letter in queue %d, want 1", o.Messages[1].Queue)
				}
			},
		},
		{
			name: "a dead letter in a queue with workers is still to be served",
			model: Model{
				Queues: []scenarios.Queue{
					queueOf("q", "x-message-ttl", int64(0), "x-dead-letter-exchange", "", "x-dead-letter-routing-key", "late"),
					queueOf("late"),
				},
				Workers: oneWorker("late", 1),
				Stop:    Stop{Timeout: 1500},
			},
			load: burst(0, 3, "q", 1000),
			want: "done left left",
		},
		{
			name: "a full queue rejects",
			model: Model{
				Queues:   []scenarios.Queue{queueOf("q", "x-max-length", int64(1), "x-overflow", "reject-publish")},
				Workers:  oneWorker("q", 1),
				Confirms: true,
			},
			load: burst(0, 3, "q", 1000),
			want: "done done refused",
		},
		{
			name: "unroutable messages are dropped, returned, or taken by the alternate exchange",
			model: Model{
				Exchanges: []scenarios.Exchange{
					{Name: "x", Type: "direct"},
					{Name: "spare", Type: "fanout"},
					{Name: "y", Type: "topic", Arguments: []scenarios.Argument{{Name: "alternate-exchange", Value: "spare"}}},
				},
				Queues:   []scenarios.Queue{queueOf("q")},
				Bindings: []scenarios.Binding{{Exchange: "spare", Queue: "q"}},
				Workers:  oneWorker("q", 1),
			},
			load: []Message{
				{Exchange: "x", RoutingKey: "a", Confirmed: run.None},
				{Exchange: "x", RoutingKey: "a", Mandatory: true, Confirmed: run.None},
				{Exchange: "y", RoutingKey: "a", Confirmed: run.None},
			},
			want: "unroutable returned done",
		},
		{
			name: "one message, three queues",
			model: Model{
				Queues:    []scenarios.Queue{queueOf("a"), queueOf("b"), queueOf("c")},
				Exchanges: []scenarios.Exchange{{Name: "x", Type: "fanout"}},
				Bindings:  []scenarios.Binding{{Exchange: "x", Queue: "a"}, {Exchange: "x", Queue: "b"}, {Exchange: "x", Queue: "c"}},
				Workers: []Worker{{Name: "w", Slots: 1, JoinsAt: -1, Subscriptions: []Subscription{
					{Queue: "a"}, {Queue: "b"}, {Queue: "c"},
				}}},
			},
			load: []Message{{Exchange: "x", Service: 10, Confirmed: run.None}},
			want: "done",
			check: func(t *testing.T, o *Outcome) {
				if l := o.Ledger; l.Delivered != 3 || l.Finished != 1 || l.Duplicated != 0 {
					t.Errorf("ledger %+v, want 3 delivered, 1 finished, none duplicated", l)
				}
				if o.Messages[0].Done != 30 || o.Length != 30 {
					t.Errorf("done at %d of %d, want 30 of 30", o.Messages[0].Done, o.Length)
				}
			},
		},
		{
			name: "sizes count against limits in octets",
			model: Model{
				Queues:  []scenarios.Queue{queueOf("q", "x-max-length-bytes", int64(250))},
				Workers: []Worker{{Name: "w", Slots: 1, JoinsAt: 10, Subscriptions: []Subscription{{Queue: "q", Prefetch: 1}}}},
				Sizes:   true,
			},
			load: func() []Message {
				l := burst(0, 3, "q", 5)
				for i := range l {
					l[i].Size = 100
				}
				return l
			}(),
			want: "dropped done done",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.model.Source = &listSource{list: c.load}
			o, err := c.model.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if got := states(o); got != c.want {
				t.Errorf("states %s, want %s", got, c.want)
			}
			if c.check != nil {
				c.check(t, o)
			}
		})
	}
}

// Workers do what their model says.
func TestWorkers(t *testing.T) {
	for _, c := range []struct {
		name  string
		model Model
		load  []Message
		want  string // "started-done" of each message, in order of seq
	}{
		{
			name:  "acks are sent in batches, and what is left when the worker runs out of work",
			model: Model{Workers: []Worker{{Slots: 1, JoinsAt: -1, AckBatch: 3, AckDelay: 5, Subscriptions: []Subscription{{Queue: "q", Prefetch: 3}}}}},
			load:  burst(0, 5, "q", 10),
			want:  "0-10 10-20 20-30 35-45 45-55",
		},
		{
			name:  "a batch larger than the prefetch is sent when the worker runs out of work",
			model: Model{Workers: []Worker{{Slots: 1, JoinsAt: -1, AckBatch: 3, AckDelay: 5, Subscriptions: []Subscription{{Queue: "q", Prefetch: 2}}}}},
			load:  burst(0, 3, "q", 10),
			want:  "0-10 10-20 25-35",
		},
		{
			name:  "forgotten acks fill the prefetch window",
			model: Model{Workers: []Worker{{Slots: 1, JoinsAt: -1, AckForget: 2, Subscriptions: []Subscription{{Queue: "q", Prefetch: 2}}}}},
			load:  burst(0, 6, "q", 10),
			want:  "0-10 10-20 20-30 30-40 never never",
		},
		{
			name: "a stalled worker keeps what it has",
			model: Model{
				Workers: oneWorker("q", 2),
				Control: []Control{{At: 5, Do: Stall}, {At: 100, Do: Wake}},
			},
			load: burst(0, 3, "q", 10),
			want: "0-10 100-110 110-120",
		},
		{
			name: "a worker that comes back takes what it left",
			model: Model{
				Workers: oneWorker("q", 2),
				Control: []Control{{At: 15, Do: Crash}, {At: 50, Do: Join}, {At: 51, Do: Join}},
			},
			load: burst(0, 3, "q", 10),
			want: "0-10 50-60 60-70",
		},
		{
			name: "a failing message is forwarded, and acked",
			model: Model{
				Queues: []scenarios.Queue{queueOf("q"), queueOf("later", "x-message-ttl", int64(1), "x-dead-letter-exchange", "", "x-dead-letter-routing-key", "q")},
				Workers: []Worker{{Slots: 1, JoinsAt: -1, Subscriptions: []Subscription{{Queue: "q", Prefetch: 1}},
					Attempt: func(_ int64, attempt int32, _, work int64) (int64, loadgen.Verdict) {
						if attempt == 1 {
							return work, loadgen.Verdict{End: loadgen.Forward, To: &loadgen.Forwarding{RoutingKey: "later"}}
						}
						return work, loadgen.Verdict{}
					}}},
			},
			load: burst(0, 1, "q", 10),
			want: "1010-1020",
		},
		{
			name: "a rejected message goes where the queue says",
			model: Model{
				Queues: []scenarios.Queue{queueOf("q", "x-dead-letter-exchange", "", "x-dead-letter-routing-key", "r"), queueOf("r")},
				Workers: []Worker{
					{Name: "a", Slots: 1, JoinsAt: -1, Subscriptions: []Subscription{{Queue: "q"}},
						Attempt: func(_ int64, _ int32, _, work int64) (int64, loadgen.Verdict) {
							return work, loadgen.Verdict{End: loadgen.Reject}
						}},
					{Name: "b", Slots: 1, JoinsAt: -1, Subscriptions: []Subscription{{Queue: "r"}}},
				},
			},
			load: burst(0, 2, "q", 10),
			want: "10-20 20-30",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.model.Queues == nil {
				c.model.Queues = []scenarios.Queue{queueOf("q")}
			}
			c.model.Source = &listSource{list: c.load}
			o, err := c.model.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range o.Messages {
				if m.State == run.Done {
					got = append(got, fmt.Sprintf("%d-%d", m.Started, m.Done))
				} else {
					got = append(got, "never")
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
		})
	}
}

// A run ends at the conditions of Stop.
func TestStop(t *testing.T) {
	for _, c := range []struct {
		name   string
		stop   Stop
		length int64
		states string
		cut    bool
	}{
		{"when nothing is left", Stop{}, 80, "done done done", false},
		{"at the timeout", Stop{Timeout: 65}, 65, "done done left", true},
		{"when all is published", Stop{Published: true}, 50, "done left left", false},
		{"when nothing starts", Stop{Idle: 15}, 60, "done done left", false},
		{"when nothing is left but timers", Stop{Timeout: 1000}, 80, "done done done", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Model{
				Queues:  []scenarios.Queue{queueOf("q")},
				Workers: oneWorker("q", 1),
				Stop:    c.stop,
				Source:  &listSource{list: slices.Concat(burst(0, 1, "q", 10), burst(50, 2, "q", 10))},
			}
			if c.name == "when nothing is left but timers" {
				m.Queues[0] = queueOf("q", "x-message-ttl", int64(3_600_000))
			}
			if c.stop.Idle > 0 {
				m.Workers[0].AckDelay = 7
			}
			if strings.HasPrefix(c.name, "when nothing is left") {
				m.Workers[0].AckDelay = 5
			}
			o, err := m.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if got := states(o); got != c.states || o.Length != c.length || o.Partial != c.cut {
				t.Errorf("%s after %d us, partial %v; want %s after %d, %v", got, o.Length, o.Partial, c.states, c.length, c.cut)
			}
		})
	}
}

func TestCancelledRunIsPartial(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := Model{Queues: []scenarios.Queue{queueOf("q")}, Source: &listSource{list: burst(0, 2, "q", 1)}}
	o, err := m.Run(ctx)
	if err != nil || !o.Partial {
		t.Errorf("partial %v, error %v; want a partial outcome", o.Partial, err)
	}
}

func TestRefusedModels(t *testing.T) {
	for _, c := range []struct {
		name  string
		model Model
		want  string
	}{
		{"unknown strategy", Model{Dispatch: "rrr"}, `dispatch: unknown strategy "rrr"`},
		{"unknown queue", Model{Workers: oneWorker("p", 1)}, `worker "w": unknown queue "p"`},
		{"bad argument", Model{Queues: []scenarios.Queue{queueOf("q", "x-message-ttl", "soon")}}, `queue "q": `},
		{"argument of no type", Model{Queues: []scenarios.Queue{queueOf("q", "x", struct{}{})}},
			`queue "q": argument "x": struct {} has no AMQP type (have string, int64, float64, bool, table, array)`},
		{"no exchange", Model{Source: &listSource{list: []Message{{Exchange: "x"}}}}, `message 0 to exchange "x": `},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.model.Source == nil {
				c.model.Source = &listSource{}
			}
			_, err := c.model.Run(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
