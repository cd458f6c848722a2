package broker

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"harelab/engine/dispatch/rng"
	"harelab/engine/internal/invariants"
)

// A contention is a channel with a limit of its own that consumes from several queues with
// a backlog.
type contention struct {
	tb     testing.TB
	ch     *Channel
	draws  rng.SplitMix64
	tags   []uint64 // tags of unsettled deliveries, oldest first
	from   []string // the queue of each delivery
	counts map[string]int
}

func (c *contention) Deliver(d *Delivery, _ *Batch) bool {
	c.tags = append(c.tags, d.DeliveryTag)
	c.from = append(c.from, d.Queue)
	c.counts[d.Queue]++
	return true
}
func (*contention) Cancelled(string, *Batch)               {}
func (*contention) Confirmed(uint64, uint64, bool, *Batch) {}

// contend declares n queues with a backlog each and consumes from all of them, under a
// limit for the channel.
func contend(tb testing.TB, queues, backlog int, limit uint32, seed uint64) *contention {
	tb.Helper()
	b, err := New(Options{Seed: 1})
	if err != nil {
		tb.Fatal(err)
	}
	v, _ := b.VHost("/")
	c := &contention{tb: tb, draws: rng.New(seed), counts: map[string]int{}}
	c.ch = v.Connect(ConnOptions{}).Channel(1, c)
	c.ch.DrawFrom(&c.draws)
	if err := c.ch.SetPrefetch(PrefetchSpec{Count: limit, Global: true}); err != nil {
		tb.Fatal(err)
	}
	for i := range queues {
		name := fmt.Sprint("q", i)
		if _, err := c.ch.DeclareQueue(QueueSpec{Name: name}); err != nil {
			tb.Fatal(err)
		}
		for range backlog {
			c.publish(name)
		}
	}
	for i := range queues {
		if _, err := c.ch.Consume(ConsumerSpec{Queue: fmt.Sprint("q", i)}); err != nil {
			tb.Fatal(err)
		}
	}
	return c
}

func (c *contention) publish(queue string) {
	if _, err := c.ch.Publish(&Publishing{RoutingKey: []byte(queue)}); err != nil {
		c.tb.Fatal(err)
	}
}

// ack acks the oldest delivery and publishes another message to its queue.
func (c *contention) ack() {
	tag := c.tags[0]
	c.tags = append(c.tags[:0], c.tags[1:]...)
	if err := c.ch.Ack(tag, false); err != nil {
		c.tb.Fatal(err)
	}
}

// TestCompetingQueuesShareTheLimit lets two and three backlogged queues compete for a
// channel's limit. Each gets the same share, in an order without memory: the lengths of
// runs of one queue have a geometric distribution.
func TestCompetingQueuesShareTheLimit(t *testing.T) {
	const acks = 12_000
	for _, queues := range []int{2, 3} {
		for _, limit := range []uint32{1, 4} {
			t.Run(fmt.Sprintf("queues=%d/limit=%d", queues, limit), func(t *testing.T) {
				c := contend(t, queues, acks+10, limit, 7)
				first := len(c.from)
				for range acks {
					c.ack()
				}
				got := c.from[first:]
				if len(got) != acks {
					t.Fatalf("%d deliveries for %d acks", len(got), acks)
				}
				for q, n := range c.counts {
					if share := float64(n) / float64(acks); math.Abs(share*float64(queues)-1) > 0.05 {
						t.Errorf("%s got %.3f of the credit, want 1/%d", q, share, queues)
					}
				}
				if len(c.counts) != queues {
					t.Errorf("only %v were served", c.counts)
				}
				runs := 1
				for i := 1; i < len(got); i++ {
					if got[i] != got[i-1] {
						runs++
					}
				}
				mean, want := float64(acks)/float64(runs), float64(queues)/float64(queues-1)
				if math.Abs(mean/want-1) > 0.05 {
					t.Errorf("runs have mean length %.3f, want %.3f", mean, want)
				}
			})
		}
	}
}

// TestDrawOnlyWhereQueuesCompete counts the draws: one for an ack whose credit two or more
// queues compete for, none otherwise.
func TestDrawOnlyWhereQueuesCompete(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*contention) // with one message of q0 out and two of each queue ready
		want int
	}{
		{"an ack with two queues that wait", (*contention).ack, 1},
		{"a nack", func(c *contention) {
			if err := c.ch.Nack(c.tags[0], false, true); err != nil {
				c.tb.Fatal(err)
			}
		}, 1},
		{"one of the two is empty", func(c *contention) {
			if _, err := c.ch.PurgeQueue("q1"); err != nil {
				c.tb.Fatal(err)
			}
			c.ack()
		}, 0},
		{"one of the two lost its consumer", func(c *contention) {
			if err := c.ch.Cancel(c.ch.ordered[1].Tag); err != nil {
				c.tb.Fatal(err)
			}
			c.ack()
		}, 0},
		{"the limit stays reached", func(c *contention) {
			if _, ok, err := c.ch.Get("q0", false); err != nil || !ok {
				c.tb.Fatal(ok, err)
			}
			if err := c.ch.SetPrefetch(PrefetchSpec{Count: 0, Global: true}); err != nil {
				c.tb.Fatal(err)
			}
			before := c.draws
			if err := c.ch.SetPrefetch(PrefetchSpec{Count: 2, Global: true}); err != nil {
				c.tb.Fatal(err)
			}
			c.draws = before
			c.ack()
		}, 0},
		{"publishing", func(c *contention) { c.publish("q0"); c.publish("q1") }, 0},
		{"closing", func(c *contention) { c.ch.Close() }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := contend(t, 2, 3, 1, 7)
			if !slices.Equal(x.from, []string{"q0"}) {
				t.Fatalf("%v were delivered at first", x.from)
			}
			want := rng.New(7)
			c.do(x)
			for range c.want {
				want.Uint64()
			}
			if x.draws != want {
				t.Errorf("not %d draws", c.want)
			}
		})
	}
}

// TestWalkWrapsAround acks three messages of q1 at once, when three queues have one
// message each: wherever the walk begins, all three get the credit they need.
func TestWalkWrapsAround(t *testing.T) {
	began := map[string]bool{}
	for seed := range uint64(50) {
		c := contend(t, 3, 0, 3, seed)
		for range 3 {
			c.publish("q1")
		}
		for _, q := range []string{"q0", "q1", "q2"} {
			c.publish(q)
		}
		c.from = nil
		if err := c.ch.Ack(0, true); err != nil {
			t.Fatal(err)
		}
		began[c.from[0]] = true
		i := int(c.from[0][1] - '0')
		var want []string
		for k := range 3 {
			want = append(want, fmt.Sprint("q", (i+k)%3))
		}
		if !slices.Equal(c.from, want) {
			t.Errorf("seed %d: %v, want %v", seed, c.from, want)
		}
	}
	if len(began) != 3 {
		t.Errorf("the walk began at %v alone", began)
	}
}

// TestChannelsDrawApart opens channels on brokers of the same seed and of different seeds: a
// channel's draws follow from the broker's seed and differ from channel to channel.
func TestChannelsDrawApart(t *testing.T) {
	state := func(seed uint64, conns, channels int) rng.SplitMix64 {
		b, err := New(Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		v, _ := b.VHost("/")
		var ch *Channel
		for range conns {
			conn := v.Connect(ConnOptions{})
			for i := range channels {
				ch = conn.Channel(uint16(i+1), new(ackingSink))
			}
		}
		if err := ch.SetPrefetch(PrefetchSpec{Count: 1, Global: true}); err != nil {
			t.Fatal(err)
		}
		return *ch.draws
	}
	seen := map[rng.SplitMix64]string{}
	for seed := range uint64(3) {
		for conns := range 3 {
			for channels := range 3 {
				name := fmt.Sprintf("seed %d, connection %d, channel %d", seed, conns+1, channels+1)
				s := state(seed, conns+1, channels+1)
				if s != state(seed, conns+1, channels+1) {
					t.Errorf("%s: another generator each time", name)
				}
				if other := seen[s]; other != "" {
					t.Errorf("%s draws what %s draws", name, other)
				}
				seen[s] = name
			}
		}
	}
}

// TestCompetingDoesNotAllocate acks with two queues that compete for a channel's limit.
func TestCompetingDoesNotAllocate(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checks of invariants allocate")
	}
	const acks = 1000
	c := contend(t, 2, 3*acks, 2, 7)
	c.from = make([]string, 0, 3*acks)
	for range acks {
		c.ack()
	}
	if n := testing.AllocsPerRun(acks-1, c.ack); n != 0 {
		t.Errorf("%v allocations per ack, want 0", n)
	}
}
