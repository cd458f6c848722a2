package broker

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"harelab/engine/store"
	"harelab/engine/store/memory"
	"harelab/engine/wire"
)

// pagingOptions are those of a broker that pages out all messages beyond the first few.
func pagingOptions() Options {
	return Options{PageAbove: 4000, Store: memory.New(), Spill: memory.New(), Logger: slog.New(slog.DiscardHandler)}
}

// bodyOf returns the body of message n: its number, and octets that follow from it.
func bodyOf(n uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, n)
	return append(b, bytes.Repeat([]byte{byte(n * 7)}, int(n*131%1500))...)
}

func numberOf(t testing.TB, body []byte) uint64 {
	t.Helper()
	if len(body) < 8 {
		t.Fatalf("a body of %d octets", len(body))
	}
	n := binary.BigEndian.Uint64(body)
	if !bytes.Equal(body, bodyOf(n)) {
		t.Fatalf("message %d has another message's octets", n)
	}
	return n
}

// A pagingSink keeps deliveries. It takes a few at a time if it is slow.
type pagingSink struct {
	t    testing.TB
	slow bool

	mu   sync.Mutex
	got  []pagingDelivery
	room int
}

type pagingDelivery struct {
	tag, n      uint64
	redelivered bool
	consumer    string
}

func (s *pagingSink) Deliver(d *Delivery, _ *Batch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, pagingDelivery{d.DeliveryTag, numberOf(s.t, d.Msg.Body()), d.Redelivered, d.Consumer.Tag})
	s.room--
	return !s.slow || s.room > 0
}

func (s *pagingSink) Cancelled(string, *Batch)               {}
func (s *pagingSink) Confirmed(uint64, uint64, bool, *Batch) {}

// drain returns what came and makes room.
func (s *pagingSink) drain() []pagingDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got, s.room = nil, 3
	return got
}

// settled waits until no queue reads.
func settled(b *Broker) {
	v, _ := b.VHost("/")
	for {
		busy := false
		for _, q := range v.sortedQueues() {
			q.mu.Lock()
			busy = busy || q.paged != nil && q.paged.reading
			q.mu.Unlock()
		}
		if !busy {
			return
		}
		time.Sleep(50 * time.Microsecond)
	}
}

func publishNumber(t testing.TB, ch *Channel, exchange, key string, n uint64, p wire.Properties) {
	t.Helper()
	if _, err := ch.Publish(&Publishing{Exchange: []byte(exchange), RoutingKey: []byte(key), Body: bodyOf(n),
		Properties: wire.ViewProperties(wire.AppendProperties(nil, &p))}); err != nil {
		t.Fatal(err)
	}
	ch.conn.Commit()
}

// TestPagedQueueKeepsOrder fills queues far beyond the budget and drains them: every
// message comes, with its octets, in the queue's order, and no octets are in memory or in
// a store in the end.
func TestPagedQueueKeepsOrder(t *testing.T) {
	const messages = 3000
	for _, tt := range []struct {
		name  string
		spec  QueueSpec
		mode  uint8
		noAck bool
		slow  bool
	}{
		{"transient", QueueSpec{Name: "q"}, 1, false, false},
		{"transient, no ack", QueueSpec{Name: "q"}, 1, true, false},
		{"transient, slow", QueueSpec{Name: "q"}, 1, false, true},
		{"persistent", QueueSpec{Name: "q", Durable: true}, 2, false, false},
		{"persistent, no ack, slow", QueueSpec{Name: "q", Durable: true}, 2, true, true},
		{"priorities", QueueSpec{Name: "q", Durable: true, Arguments: tableOf("x-max-priority=5")}, 2, false, false},
		{"quorum", QueueSpec{Name: "q", Durable: true, Arguments: tableOf("x-queue-type=quorum")}, 2, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := pagingOptions()
			b, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			c := open(t, b, "")
			if _, err := c.DeclareQueue(tt.spec); err != nil {
				t.Fatal(err)
			}
			sink := &pagingSink{t: t, slow: tt.slow, room: 3}
			ch := c.Channel(1, sink)
			var want []uint64
			priority := make(map[uint64]uint8)
			for n := range uint64(messages) {
				priority[n] = uint8(n * n % 7)
				publishNumber(t, ch, "", "q", n, wire.Properties{DeliveryMode: tt.mode, Priority: priority[n]})
				want = append(want, n)
			}
			if len(tt.spec.Arguments) > 0 && tt.spec.Arguments[0].Key == "x-max-priority" {
				slices.SortStableFunc(want, func(a, b uint64) int { return -cmp.Compare(min(priority[a], 5), min(priority[b], 5)) })
			}
			v, _ := b.VHost("/")
			if i, _ := v.Queue("q"); i.PagedOut < messages-100 {
				t.Errorf("%d of %d messages are paged out", i.PagedOut, messages)
			}
			if got := b.Resources().Messages; got > 2*o.PageAbove+messages*rowOctets {
				t.Errorf("messages take %d octets", got)
			}
			if _, err := ch.Consume(ConsumerSpec{Queue: "q", NoAck: tt.noAck}); err != nil {
				t.Fatal(err)
			}
			var got []uint64
			for deadline := time.Now().Add(time.Minute); len(got) < messages && time.Now().Before(deadline); {
				settled(b)
				for _, d := range sink.drain() {
					got = append(got, d.n)
					if d.redelivered {
						t.Fatalf("message %d is redelivered", d.n)
					}
					if !tt.noAck {
						if err := ch.Ack(d.tag, false); err != nil {
							t.Fatal(err)
						}
					}
				}
				ch.Resume()
			}
			if !slices.Equal(got, want) {
				i := 0
				for i < min(len(got), len(want)) && got[i] == want[i] {
					i++
				}
				t.Errorf("got %d messages, want %d, the same up to message %d", len(got), len(want), i)
			}
			c.Commit()
			c.op.report()
			b.pager.close() // the reader reports what it freed after it has delivered
			if got := b.Resources().Messages; got != 0 {
				t.Errorf("messages take %d octets in the end", got)
			}
			for id := uint64(1); id <= b.pager.lastID.Load(); id++ {
				if _, err := o.Spill.Load(store.MessageID(id), nil); err == nil {
					t.Fatalf("the spill store has message %d in the end", id)
				}
			}
			c.Close()
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestPagingRandomHistories runs random histories with a tiny budget against a model: what
// was published and not settled, purged or expired is delivered, once at a time, with its
// own octets; what was delivered before is flagged; messages without priorities come in
// order of publishing, as long as none was requeued; in the end each queue holds what the
// model says, and after a restart the durable ones do so again.
func TestPagingRandomHistories(t *testing.T) {
	seeds := 30
	if testing.Short() {
		seeds = 8
	}
	first := rand.Uint64()
	for i := range seeds {
		seed := first + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { pagingHistory(t, seed) })
	}
}

func pagingHistory(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	o := pagingOptions()
	o.PageAbove = 1 + rng.Int64N(20_000)
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	queues := []QueueSpec{
		{Name: "classic", Durable: true}, {Name: "transient"},
		{Name: "priority", Durable: true, Arguments: tableOf("x-max-priority=3")},
		{Name: "dying", Durable: true, Arguments: tableOf("x-dead-letter-exchange= x-dead-letter-routing-key=morgue")},
		{Name: "morgue", Durable: true},
	}
	c := open(t, b, "")
	held := make(map[string]map[uint64]bool) // by queue, the messages that it has; true: delivered before
	for _, q := range queues {
		if _, err := c.DeclareQueue(q); err != nil {
			t.Fatal(err)
		}
		held[q.Name] = make(map[uint64]bool)
		if err := c.Bind(BindingSpec{Source: "amq.fanout", Destination: q.Name}); err != nil && q.Name != "morgue" {
			t.Fatal(err)
		}
	}
	if err := c.Unbind(BindingSpec{Source: "amq.fanout", Destination: "morgue"}); err != nil {
		t.Fatal(err)
	}
	type holding struct {
		pagingDelivery
		queue string
	}
	var ch *Channel
	var sink *pagingSink
	var unsettled []holding
	reopen := func() {
		sink = &pagingSink{t: t, slow: rng.IntN(2) == 0, room: 3}
		ch = c.Channel(1, sink)
		unsettled = nil
	}
	reopen()
	next := uint64(0)
	consuming := make(map[string]bool) // by queue: without acknowledgement
	collect := func() {
		settled(b)
		for _, d := range sink.drain() {
			q := d.consumer
			before, ok := held[q][d.n]
			if !ok {
				t.Fatalf("queue %s delivers message %d, which it should not have", q, d.n)
			}
			if before && !d.redelivered {
				t.Fatalf("queue %s delivers message %d again without a flag", q, d.n)
			}
			if slices.ContainsFunc(unsettled, func(h holding) bool { return h.n == d.n && h.queue == q }) {
				t.Fatalf("queue %s delivers message %d, which is unsettled", q, d.n)
			}
			if consuming[q] {
				delete(held[q], d.n)
			} else {
				held[q][d.n] = true
				unsettled = append(unsettled, holding{d, q})
			}
		}
	}
	for range 300 {
		switch rng.IntN(11) {
		case 0, 1, 2, 3:
			for range 1 + rng.IntN(40) {
				p := wire.Properties{DeliveryMode: uint8(1 + rng.IntN(2)), Priority: uint8(rng.IntN(5))}
				if rng.IntN(3) == 0 {
					publishNumber(t, ch, "amq.fanout", "", next, p)
					for _, q := range queues[:4] {
						held[q.Name][next] = false
					}
				} else {
					q := queues[rng.IntN(5)].Name
					publishNumber(t, ch, "", q, next, p)
					held[q][next] = false
				}
				next++
			}
		case 4, 5:
			q := queues[rng.IntN(5)].Name
			if _, ok := consuming[q]; !ok {
				collect()
				prefetch := uint32(rng.IntN(3) * 20)
				consuming[q] = rng.IntN(3) == 0
				if _, err := ch.Consume(ConsumerSpec{Queue: q, Tag: q, NoAck: consuming[q], Prefetch: &prefetch}); err != nil {
					t.Fatal(err)
				}
			}
		case 6:
			for _, q := range slices.Sorted(maps.Keys(consuming)) {
				if rng.IntN(2) == 0 {
					if err := ch.Cancel(q); err != nil {
						t.Fatal(err)
					}
					collect()
					delete(consuming, q)
				}
			}
		case 7, 8:
			collect()
			rng.Shuffle(len(unsettled), func(i, j int) { unsettled[i], unsettled[j] = unsettled[j], unsettled[i] })
			for range rng.IntN(1 + len(unsettled)) {
				h := unsettled[0]
				unsettled = unsettled[1:]
				var err error
				switch kind := rng.IntN(4); {
				case kind == 0:
					err = ch.Nack(h.tag, false, true)
				case kind == 1 && h.queue != "dying":
					err = ch.Nack(h.tag, false, false)
					delete(held[h.queue], h.n)
				case kind == 1:
					held["morgue"][h.n] = false
					err = ch.Nack(h.tag, false, false)
					delete(held["dying"], h.n)
				default:
					err = ch.Ack(h.tag, false)
					delete(held[h.queue], h.n)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			ch.Resume()
		case 9:
			collect()
			q := queues[rng.IntN(5)].Name
			for range rng.IntN(20) {
				noAck := rng.IntN(2) == 0
				r, ok, err := ch.Get(q, noAck)
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				n := numberOf(t, r.Msg.Body())
				r.Msg.Release()
				if before, ok := held[q][n]; !ok || before && !r.Redelivered {
					t.Fatalf("get from %s returns message %d (redelivered %t), held %t, delivered before %t", q, n, r.Redelivered, ok, before)
				}
				if noAck {
					delete(held[q], n)
				} else {
					held[q][n] = true
					unsettled = append(unsettled, holding{pagingDelivery{tag: r.DeliveryTag, n: n}, q})
				}
			}
		case 10:
			switch rng.IntN(3) {
			case 0: // close the channel: what is unsettled returns, what waits without acknowledgement is lost
				collect()
				for q, noAck := range consuming {
					if noAck {
						if err := ch.Cancel(q); err != nil {
							t.Fatal(err)
						}
					}
				}
				collect()
				ch.Close()
				clear(consuming)
				reopen()
			case 1:
				q := queues[rng.IntN(5)].Name
				if _, ok := consuming[q]; ok {
					break // what waits for octets is not purged, and the model does not know it
				}
				collect()
				if _, err := c.PurgeQueue(q); err != nil {
					t.Fatal(err)
				}
				for n := range held[q] {
					if !slices.ContainsFunc(unsettled, func(h holding) bool { return h.queue == q && h.n == n }) {
						delete(held[q], n)
					}
				}
			}
		}
		c.Commit()
	}
	collect()
	for q, noAck := range consuming {
		if noAck {
			ch.Cancel(q)
		}
	}
	collect()
	c.Close()
	compare := func(b *Broker, queues []QueueSpec) {
		c := open(t, b, "")
		defer c.Close()
		ch := c.Channel(1, nil)
		for _, q := range queues {
			got := make(map[uint64]bool)
			for {
				r, ok, err := ch.Get(q.Name, false)
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				n := numberOf(t, r.Msg.Body())
				r.Msg.Release()
				if got[n] = true; held[q.Name][n] && !r.Redelivered {
					t.Errorf("queue %s has message %d without its flag", q.Name, n)
				}
			}
			if want := slices.Sorted(maps.Keys(held[q.Name])); !slices.Equal(slices.Sorted(maps.Keys(got)), want) {
				t.Errorf("queue %s has %d messages, want %d", q.Name, len(got), len(want))
			}
		}
	}
	compare(b, queues)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}
