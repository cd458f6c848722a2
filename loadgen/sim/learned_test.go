package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"harelab/engine/broker"
	"harelab/engine/wire"
	"harelab/scenarios"
)

// taskMessage is a message as Celery sends it: its header names the task, and nothing
// says what it costs.
func taskMessage(at int64, task string, service int64) Message {
	m := burst(at, 1, "q", service)[0]
	m.Headers = []scenarios.Argument{{Name: "task", Value: task}}
	return m
}

// A queue of order sjf takes a message without x-cost for the mean time that its task
// took so far, from acks. One of each is worked on before the burst; of this the
// first report finds the worker idle. Then come the unknown task, the queries, the
// report that says it costs less than others did, and the other report.
func TestLearnedCostOrdersShortestFirst(t *testing.T) {
	hinted := taskMessage(20_000, "report", 10_000)
	hinted.Cost = 5000
	load := []Message{
		taskMessage(0, "report", 10_000),
		taskMessage(0, "query", 100),
		taskMessage(20_000, "report", 10_000),
		taskMessage(20_000, "report", 10_000),
		hinted,
		taskMessage(20_000, "query", 100),
		taskMessage(20_000, "export", 30_000),
		taskMessage(20_000, "query", 100),
	}
	workers := oneWorker("q", 1)
	workers[0].Deliver, workers[0].AckDelay = 50, 50
	m := Model{
		Queues:  []scenarios.Queue{queueOf("q", "x-order", "sjf")},
		Workers: workers, Source: &listSource{list: load},
	}
	o, err := m.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	order := []int64{0, 1, 2, 3, 4, 5, 6, 7}
	slices.SortFunc(order, func(a, b int64) int { return int(o.Messages[a].Started - o.Messages[b].Started) })
	if want := []int64{0, 1, 2, 6, 5, 7, 4, 3}; !slices.Equal(order, want) {
		t.Errorf("started in order %v, want %v", order, want)
	}
}

// A lwlClient is two consumers of one queue in virtual time, and the publisher. Nobody
// looks into the consumers, as it is with clients on sockets: the queue has to know
// from acks what they have to do.
type lwlClient struct {
	t        *testing.T
	agenda   *agenda
	channels [2]*broker.Channel
	got      [2][]uint64 // delivery tags not acked
	log      strings.Builder
	writer   writer
}

type lwlSink struct {
	client *lwlClient
	index  int
}

func (s lwlSink) Deliver(d *broker.Delivery, _ *broker.Batch) bool {
	s.client.got[s.index] = append(s.client.got[s.index], d.DeliveryTag)
	fmt.Fprintf(&s.client.log, "%c", 'A'+s.index)
	return true
}

func (lwlSink) Cancelled(string, *broker.Batch)               {}
func (lwlSink) Confirmed(uint64, uint64, bool, *broker.Batch) {}

func newLWLClient(t *testing.T) *lwlClient {
	t.Helper()
	c := &lwlClient{t: t, agenda: new(agenda)}
	b, err := broker.New(broker.Options{Clock: &clock{agenda: c.agenda}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	vhost, _ := b.VHost("/")
	for i := range c.channels {
		c.channels[i] = vhost.Connect(broker.ConnOptions{}).Channel(1, lwlSink{client: c, index: i})
	}
	_, err = c.channels[0].DeclareQueue(broker.QueueSpec{Name: "q", Arguments: wire.Table{{Key: "x-dispatch", Value: "lwl"}}})
	for i := 0; err == nil && i < len(c.channels); i++ {
		_, err = c.channels[i].Consume(broker.ConsumerSpec{Queue: "q"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// publish sends n messages and returns who got them.
func (c *lwlClient) publish(n int, task string, cost int64) string {
	c.t.Helper()
	m := taskMessage(0, task, 0)
	m.Cost = cost
	c.log.Reset()
	for range n {
		if _, err := c.channels[0].Publish(c.writer.publishing(&m, 0, false)); err != nil {
			c.t.Fatal(err)
		}
	}
	return c.log.String()
}

// ack acknowledges the oldest message of a consumer, at a time.
func (c *lwlClient) ack(at int64, consumer int) {
	c.t.Helper()
	c.agenda.now = at
	tag := c.got[consumer][0]
	c.got[consumer] = c.got[consumer][1:]
	if err := c.channels[consumer].Ack(tag, false); err != nil {
		c.t.Fatal(err)
	}
}

// A queue with dispatch lwl takes a message without x-cost for the mean time that its
// task took so far. Reports take 1000 us and queries 10: so one report weighs as much
// as a hundred queries.
func TestLearnedCostSteersLeastWork(t *testing.T) {
	c := newLWLClient(t)
	for _, step := range []struct {
		task string
		took int64
	}{{"report", 1000}, {"query", 10}} {
		if got := c.publish(1, step.task, 0); got != "A" {
			t.Fatalf("the first %s went to %s, want A", step.task, got)
		}
		c.ack(c.agenda.now+step.took, 0)
	}
	for _, step := range []struct {
		name string
		n    int
		task string
		cost int64
		want string
	}{
		{"a report to the idle A", 1, "report", 0, "A"},
		{"queries to B, up to as much work", 100, "query", 0, strings.Repeat("B", 100)},
		{"a tie to A, who subscribed first", 1, "query", 0, "A"},
		{"then B is behind by a query", 2, "query", 0, "BA"}, // B 1010, A 1010 and 1020
		{"an unknown task weighs nothing", 3, "export", 0, "BBB"},
		{"x-cost counts before the task", 2, "report", 20, "BA"}, // B 1030, A 1040
		{"and the task without it", 2, "report", 0, "BA"},
	} {
		if got := c.publish(step.n, step.task, step.cost); got != step.want {
			t.Errorf("%s: to %s, want %s", step.name, got, step.want)
		}
	}
	// What is acked weighs no more: B's hundred queries go, A's report stays.
	at := c.agenda.now
	for range 101 {
		at += 10
		c.ack(at, 1)
	}
	if got := c.publish(4, "query", 0); got != "BBBB" {
		t.Errorf("after B's queries were acked: to %s, want BBBB", got)
	}
}

// The mean follows a task that becomes slower, and the latest eight services weigh as
// much as all before.
func TestLearnedCostFollows(t *testing.T) {
	c := newLWLClient(t)
	at := int64(0)
	for _, took := range []int64{100, 100, 100, 100, 100, 100, 100, 100, 900} {
		c.publish(1, "report", 0)
		at += took
		c.ack(at, 0)
	}
	c.publish(1, "report", 0) // to A, and weighs 100 + (900-100)/8
	if got, want := c.publish(21, "sync", 10), strings.Repeat("B", 20)+"A"; got != want {
		t.Errorf("messages of 10 to %s, want %s: the report weighs as much as 20", got, want)
	}
}
