package broker

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"harelab/engine/message"
	"harelab/engine/store"
	"harelab/engine/store/memory"
	"harelab/engine/store/storetest"
	"harelab/engine/wire"
)

// TestStress runs clients that declare, bind, publish, consume, settle, stall and die at
// random, all at the same time. Then it checks the broker's promise: a confirmed message is
// delivered until it is acked, and never a second time without the flag redelivered.
func TestStress(t *testing.T) {
	for _, with := range []struct {
		name  string
		store func() store.Store
	}{
		{"without a store", func() store.Store { return nil }},
		{"with a store", func() store.Store { return memory.New() }},
		{"with a late store", func() store.Store { return newLateStore() }},
	} {
		t.Run(with.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			stress(t, 1, 4, 400, with.store())
		})
	}
}

// A lateStore completes rounds late, one or many at a time.
type lateStore struct {
	*storetest.Faulty
	stop, stopped chan struct{}
}

func newLateStore() *lateStore {
	l := &lateStore{storetest.NewFaulty(memory.New()), make(chan struct{}), make(chan struct{})}
	l.Hold()
	go func() {
		defer close(l.stopped)
		for n := 1; ; n = n%5 + 1 {
			select {
			case <-l.stop:
				return
			default:
				l.Release(n)
				runtime.Gosched()
			}
		}
	}()
	return l
}

func (l *lateStore) Close() error {
	close(l.stop)
	<-l.stopped
	return l.Faulty.Close()
}

// stressQueues live as long as the test. Messages rejected there go to "dead".
var stressQueues = []QueueSpec{
	{Name: "rr", Durable: true},
	{Name: "prio", Durable: true, Arguments: wire.Table{{Key: "x-max-priority", Value: int32(3)}}},
	{Name: "drr", Durable: true, Arguments: wire.Table{{Key: "x-order", Value: "drr"}, {Key: "x-dispatch", Value: "fair"}}},
	{Name: "single", Durable: true, Arguments: wire.Table{{Key: "x-single-active-consumer", Value: true}}},
	{Name: "dlx", Durable: true, Arguments: wire.Table{{Key: "x-dead-letter-exchange", Value: ""}, {Key: "x-dead-letter-routing-key", Value: "dead"}}},
	{Name: "dead", Durable: true},
}

func stress(t *testing.T, seed uint64, clients, rounds int, s store.Store) {
	b, err := New(Options{Store: s, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	setup := v.Connect(ConnOptions{}).Channel(1, newStressSink(nil, nil))
	for i := range stressQueues {
		q := &stressQueues[i]
		if _, err := setup.DeclareQueue(*q); err != nil {
			t.Fatal(err)
		}
		for _, bind := range []BindingSpec{
			{Destination: q.Name, Source: "amq.topic", RoutingKey: "to." + q.Name + ".#"},
			{Destination: q.Name, Source: "amq.topic", RoutingKey: "#." + q.Name},
		} {
			if err := setup.Bind(bind); err != nil {
				t.Fatal(err)
			}
		}
	}
	book := &tally{seen: make(map[string]*tallyEntry)}
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			c := &stressClient{t: t, vhost: v, tally: book, id: i, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
			c.connect()
			for range rounds {
				c.act()
			}
			c.conn.Close()
			c.drop(c.sink.take())
		})
	}
	all.Wait()
	drain(t, v, book)
	book.check(t, seed)
	for _, q := range v.sortedQueues() {
		if err := q.machine.Check(false); err != nil {
			t.Errorf("queue %s: %v", q.name, err)
		}
	}
	setup.Conn().Close()
	if n := len(v.Connections()); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// A tally counts confirms, deliveries and acks by queue and message.
type tally struct {
	mu     sync.Mutex
	seen   map[string]*tallyEntry
	faults []string
}

func (l *tally) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

type tallyEntry struct {
	confirmed bool
	unflagged int // deliveries that did not say redelivered
	settled   int // acked, or rejected, which moves the message to "dead"
}

func (l *tally) entry(queue string, body []byte) *tallyEntry {
	key := fmt.Sprintf("%s/%d", queue, binary.BigEndian.Uint64(body))
	e := l.seen[key]
	if e == nil {
		e = new(tallyEntry)
		l.seen[key] = e
	}
	return e
}

func (l *tally) note(queue string, body []byte, f func(*tallyEntry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l.entry(queue, body))
}

func (l *tally) check(t *testing.T, seed uint64) {
	for _, f := range l.faults {
		t.Errorf("seed %d: %s", seed, f)
	}
	confirmed := 0
	for key, e := range l.seen {
		if e.confirmed {
			confirmed++
		}
		if e.confirmed && e.settled != 1 || e.settled > 1 || e.unflagged > 1 {
			t.Errorf("seed %d, message %s: confirmed %t, settled %d times, delivered without the flag %d times, want once each", seed, key, e.confirmed, e.settled, e.unflagged)
		}
	}
	if confirmed == 0 {
		t.Errorf("seed %d: nothing was confirmed", seed)
	}
}

// A stressSink keeps deliveries until its client handles them, and is sometimes full.
type stressSink struct {
	tally *tally
	rng   *rand.Rand

	mu      sync.Mutex
	waiting []stressDelivery
	lastTag uint64
	sent    map[uint64]stressPublish // publishes that wait for confirms, by number
}

type stressPublish struct {
	queue string
	body  []byte
}

type stressDelivery struct {
	tag   uint64
	queue string
	noAck bool
	msg   *message.Message
}

func newStressSink(l *tally, rng *rand.Rand) *stressSink {
	return &stressSink{tally: l, rng: rng, sent: make(map[uint64]stressPublish)}
}

func (s *stressSink) Deliver(d *Delivery, _ *Batch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !d.Redelivered {
		s.tally.note(d.Queue, d.Msg.Body(), func(e *tallyEntry) { e.unflagged++ })
	}
	d.Msg.Retain()
	s.waiting = append(s.waiting, stressDelivery{d.DeliveryTag, d.Queue, d.Consumer.NoAck, d.Msg})
	if d.DeliveryTag <= s.lastTag {
		s.tally.fail("tag %d came after %d", d.DeliveryTag, s.lastTag)
	}
	s.lastTag = d.DeliveryTag
	return s.rng.IntN(20) > 0
}

func (s *stressSink) Cancelled(string, *Batch) {}

func (s *stressSink) Confirmed(first, last uint64, ok bool, _ *Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for seq := first; seq <= last; seq++ {
		p, known := s.sent[seq]
		if !known || !ok {
			s.tally.fail("publish %d was confirmed: %t; waiting for it: %t", seq, ok, known)
			continue
		}
		delete(s.sent, seq)
		s.tally.note(p.queue, p.body, func(e *tallyEntry) { e.confirmed = true })
	}
}

// expect notes a publish that waits for its confirm.
func (s *stressSink) expect(seq uint64, queue string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[seq] = stressPublish{queue, body}
}

func (s *stressSink) take() []stressDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.waiting
	s.waiting = nil
	return waiting
}

type stressClient struct {
	t     *testing.T
	vhost *VHost
	tally *tally
	id    int
	rng   *rand.Rand
	conn  *Conn
	ch    *Channel
	sink  *stressSink
	sent  uint64
	tags  int
}

func (c *stressClient) connect() {
	c.conn = c.vhost.Connect(ConnOptions{Name: fmt.Sprint("client ", c.id)})
	c.open()
}

func (c *stressClient) open() {
	c.sink = newStressSink(c.tally, rand.New(rand.NewPCG(c.rng.Uint64(), 0)))
	c.ch = c.conn.Channel(1, c.sink)
	c.must(c.ch.ConfirmSelect())
	c.must(c.ch.SetPrefetch(PrefetchSpec{Count: uint32(c.rng.IntN(5)), Global: c.rng.IntN(3) == 0}))
}

func (c *stressClient) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Errorf("client %d: %v", c.id, err)
	}
}

func (c *stressClient) queue() string { return stressQueues[c.rng.IntN(len(stressQueues))].Name }

// act makes one random call and settles the deliveries so far.
func (c *stressClient) act() {
	switch r := c.rng.IntN(100); {
	case r < 50:
		c.publish()
	case r < 60:
		c.tags++
		_, err := c.ch.Consume(ConsumerSpec{Queue: c.queue(), Tag: fmt.Sprint("tag", c.tags)})
		c.must(err)
	case r < 64:
		c.must(c.ch.Cancel(fmt.Sprint("tag", 1+c.rng.IntN(c.tags+1))))
	case r < 74:
		c.get()
	case r < 80:
		c.churn()
	case r < 90:
		c.ch.Resume()
	case r < 92:
		c.must(c.ch.Recover(true))
		c.drop(c.sink.take())
	case r < 95:
		c.ch.Close()
		c.drop(c.sink.take())
		c.open()
	case r < 97:
		c.conn.Close()
		c.drop(c.sink.take())
		c.connect()
	}
	c.settle(c.sink.take())
	c.conn.Commit()
	c.conn.Batch().Flush()
}

func (c *stressClient) publish() {
	c.sent++
	body := binary.BigEndian.AppendUint64(nil, uint64(c.id)<<32|c.sent)
	q := c.queue()
	p := &Publishing{RoutingKey: []byte(q), Body: body, Properties: wire.ViewProperties(wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2, Priority: uint8(c.rng.IntN(5))}))}
	if c.rng.IntN(2) == 0 {
		p.Exchange, p.RoutingKey = []byte("amq.topic"), []byte("to."+q)
	}
	r, err := c.ch.Publish(p)
	c.must(err)
	switch {
	case r.Routed && r.Confirm == ConfirmAck:
		c.tally.note(q, body, func(e *tallyEntry) { e.confirmed = true })
	case r.Routed && r.Confirm == ConfirmLater && c.vhost.broker.store != nil:
		c.sink.expect(r.Seq, q, body)
	default:
		c.t.Errorf("client %d: Publish = %+v, want routed and acked, or later", c.id, r)
	}
}

func (c *stressClient) get() {
	r, ok, err := c.ch.Get(c.queue(), false)
	c.must(err)
	if !ok {
		return
	}
	if !r.Redelivered {
		c.tally.note(r.Queue, r.Msg.Body(), func(e *tallyEntry) { e.unflagged++ })
	}
	c.settle([]stressDelivery{{r.DeliveryTag, r.Queue, false, r.Msg}})
}

// churn makes and deletes a queue whose bindings other clients' publishes pass meanwhile.
func (c *stressClient) churn() {
	name := fmt.Sprint("churn", c.id)
	_, err := c.ch.DeclareQueue(QueueSpec{Name: name, AutoDelete: true, Exclusive: c.rng.IntN(2) == 0})
	if err != nil {
		c.ch.Close() // it is there, exclusive or not
		c.drop(c.sink.take())
		c.open()
		return
	}
	for range 3 {
		c.must(c.ch.Bind(BindingSpec{Destination: name, Source: "amq.topic", RoutingKey: fmt.Sprintf("churn.%d.#", c.rng.IntN(4))}))
	}
	_, err = c.ch.Publish(&Publishing{Exchange: []byte("amq.topic"), RoutingKey: []byte("churn.1.x"), Body: make([]byte, 8)})
	c.must(err)
	_, err = c.ch.DeleteQueue(name, DeleteIf{})
	c.must(err)
}

// settle acks most deliveries, and requeues or rejects some.
func (c *stressClient) settle(ds []stressDelivery) {
	for _, d := range ds {
		switch r := c.rng.IntN(10); {
		case r < 7:
			c.tally.note(d.queue, d.msg.Body(), func(e *tallyEntry) { e.settled++ })
			c.must(c.ch.Ack(d.tag, false))
		case r < 9:
			c.must(c.ch.Nack(d.tag, false, true))
		default:
			c.tally.note(d.queue, d.msg.Body(), func(e *tallyEntry) { e.settled++ })
			if d.queue == "dlx" {
				c.tally.note("dead", d.msg.Body(), func(e *tallyEntry) { e.confirmed = true })
			}
			c.must(c.ch.Nack(d.tag, false, false))
		}
	}
	c.drop(ds)
}

func (c *stressClient) drop(ds []stressDelivery) {
	for _, d := range ds {
		d.msg.Release()
	}
}

// drain acks all remaining deliveries.
func drain(t *testing.T, v *VHost, book *tally) {
	ch := v.Connect(ConnOptions{Name: "drain"}).Channel(1, newStressSink(book, rand.New(rand.NewPCG(0, 0))))
	defer ch.Conn().Close()
	for _, name := range []string{"rr", "prio", "drr", "single", "dlx", "dead"} {
		for {
			r, ok, err := ch.Get(name, true)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			book.note(name, r.Msg.Body(), func(e *tallyEntry) {
				e.settled++
				if !r.Redelivered {
					e.unflagged++
				}
			})
			r.Msg.Release()
		}
	}
}
