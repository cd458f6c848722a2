package broker

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine/settings"
	"harelab/engine/wire"
)

// effective returns the settings that arguments make, with the broker's defaults.
func effective(t *testing.T, b *Broker, args ...wire.Field) *settings.Queue {
	t.Helper()
	s, err := settings.ForQueue(args, nil, b.defaults, settings.Resource{Kind: "queue", Name: "q"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// configure changes the settings of a queue and reports whether it exists.
func configure(v *VHost, name string, s *settings.Queue) (ok bool) {
	q, ok := v.queues.GetString(name)
	if ok {
		v.broker.run(func(op *operation) { ok = q.configure(op, s) })
	}
	return ok
}

// configure changes the settings of the queue q of a script.
func (s *script) configure(args ...wire.Field) {
	s.t.Helper()
	if !configure(s.vhost(), "q", effective(s.t, s.broker, args...)) {
		s.t.Fatal("queue q does not exist")
	}
}

func (s *script) wantReady(want string) {
	s.t.Helper()
	got := ""
	for _, q := range s.vhost().Queues() {
		got += fmt.Sprintf("%s=%d ", q.Name, q.Ready)
	}
	if got != want {
		s.t.Errorf("ready messages %q, want %q", got, want)
	}
}

// TestConfigure changes each setting of a queue that holds messages.
func TestConfigure(t *testing.T) {
	const fill = "> a1 declare dead\n> a1 declare q x-order=priority\n> a1 publish - q m1\n> a1 publish - q m2\n> a1 publish - q m3\n"
	toDead := wire.Table{{Key: "x-dead-letter-exchange", Value: ""}, {Key: "x-dead-letter-routing-key", Value: "dead"}}
	field := func(key string, value any) wire.Field { return wire.Field{Key: key, Value: value} }
	for _, tt := range []struct {
		name string
		do   func(s *script)
		want string
	}{
		{"a length that is exceeded drops the oldest", func(s *script) {
			s.configure(field("x-max-length", int32(1)))
		}, "dead=0 q=1 "},
		{"with a dead letter exchange they go there", func(s *script) {
			s.configure(append(toDead, field("x-max-length", int32(1)))...)
		}, "dead=2 q=1 "},
		{"without one again they are dropped", func(s *script) {
			s.configure(append(toDead, field("x-max-length", int32(2)))...)
			s.configure(field("x-max-length", int32(1)))
		}, "dead=1 q=1 "},
		{"nor go those there that were about to", func(s *script) {
			q, _ := s.vhost().queues.GetString("q")
			s.broker.run(func(op *operation) {
				q.configure(op, effective(s.t, s.broker, append(toDead, field("x-max-length", int32(1)))...))
				q.configure(op, effective(s.t, s.broker))
			})
		}, "dead=0 q=1 "},
		{"a time to live holds for what comes", func(s *script) {
			s.configure(field("x-message-ttl", int32(10)))
			s.run("> a1 get q\n> a1 get q\n> a1 publish - q m4\n> a1 get q\n> advance 10ms\n")
		}, "dead=0 q=0 "},
		{"publishes are refused above a length", func(s *script) {
			s.configure(field("x-max-length", int32(3)), field("x-overflow", "reject-publish"))
			s.run("> a1 publish - q m4\n")
		}, "dead=0 q=3 "},
		{"the time without use begins anew", func(s *script) {
			s.run("> advance 1s\n")
			s.configure(field("x-expires", int32(1000)))
			s.run("> advance 999ms\n")
		}, "dead=0 q=3 "},
		{"and ends with the queue", func(s *script) {
			s.configure(field("x-expires", int32(1000)))
			s.run("> advance 1s\n")
		}, "dead=0 "},
		{"but not if it does not count any more", func(s *script) {
			s.configure(field("x-expires", int32(1000)))
			s.configure()
			s.run("> advance 1h\n")
		}, "dead=0 q=3 "},
		{"nor with a consumer", func(s *script) {
			s.run("> b1 qos 1\n> b1 consume q tag=t\n")
			s.configure(field("x-expires", int32(1000)))
			s.run("> advance 1h\n")
		}, "dead=0 q=2 "},
		{"strategies change for what is there", func(s *script) {
			s.run("> a1 publish - q first priority=9\n")
			s.configure(field("x-order", "fifo"), field("x-dispatch", "fair"))
			if q, _ := s.vhost().Queue("q"); q.Order != "fifo" || q.Dispatch != "fair" {
				s.t.Errorf("order %s and dispatch %s, want fifo and fair", q.Order, q.Dispatch)
			}
			s.run("> a1 get q\n")
			if !strings.Contains(s.out.String(), `#1 "m1" from q`) {
				s.t.Errorf("m1 is not the first of\n%s", s.out.String())
			}
		}, "dead=0 q=3 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			s.run(fill)
			tt.do(s)
			s.check()
			s.replay()
			s.wantReady(tt.want)
		})
	}
}

// TestConfigureWhileInUse changes the settings of a queue while publishers, consumers,
// timers and dead letters use it. Under any of the settings each message is acked or
// dead-lettered once.
func TestConfigureWhileInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := New(Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		v, _ := b.VHost("/")
		setup := v.Connect(ConnOptions{}).Channel(1, new(ackingSink))
		for _, name := range []string{"q", "dead1", "dead2"} {
			if _, err := setup.DeclareQueue(QueueSpec{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		variants := dyingVariants(t, b)
		configure(v, "q", variants[0])
		u := &configureUse{vhost: v, t: t}
		var all sync.WaitGroup
		for i := range 2 {
			all.Go(func() { u.publish(rand.New(rand.NewPCG(1, uint64(i)))) })
			all.Go(func() { u.consume(rand.New(rand.NewPCG(2, uint64(i)))) })
		}
		all.Go(func() {
			rng := rand.New(rand.NewPCG(3, 0))
			for range 2000 {
				configure(v, "q", variants[rng.IntN(len(variants))])
				v.Queues()
				time.Sleep(time.Duration(rng.IntN(100)) * time.Microsecond)
			}
		})
		all.Wait()
		time.Sleep(time.Second) // messages with a time to live expire
		synctest.Wait()
		u.check()
		setup.Conn().Close()
	})
}

// dyingVariants are settings under which messages die for different reasons and go to
// different queues.
func dyingVariants(t *testing.T, b *Broker) []*settings.Queue {
	var variants []*settings.Queue
	for _, to := range []string{"dead1", "dead2"} {
		for _, args := range []wire.Table{
			{},
			{{Key: "x-max-length", Value: int32(3)}},
			{{Key: "x-max-length", Value: int32(1)}, {Key: "x-overflow", Value: "reject-publish-dlx"}},
			{{Key: "x-message-ttl", Value: int32(1)}},
			{{Key: "x-expires", Value: int32(3_600_000)}},
			{{Key: "x-dispatch", Value: "adaptive"}, {Key: "x-order", Value: "sjf"}},
			{{Key: "x-dispatch", Value: "jiq"}, {Key: "x-order", Value: "drr"}},
			{{Key: "x-dispatch", Value: "fair"}, {Key: "x-order", Value: "aging"}},
		} {
			args = append(args, wire.Field{Key: "x-dead-letter-exchange", Value: ""}, wire.Field{Key: "x-dead-letter-routing-key", Value: to})
			variants = append(variants, effective(t, b, args...))
		}
	}
	return variants
}

// configureUse holds the clients that use the queue while its settings change.
type configureUse struct {
	t     *testing.T
	vhost *VHost
}

func (u *configureUse) publish(rng *rand.Rand) {
	conn := u.vhost.Connect(ConnOptions{})
	defer conn.Close()
	ch := conn.Channel(1, new(ackingSink))
	for range 2000 {
		if r, err := ch.Publish(&Publishing{RoutingKey: []byte("q"), Body: make([]byte, 8)}); err != nil || !r.Routed {
			u.t.Errorf("Publish = %+v, %v", r, err)
			return
		}
		time.Sleep(time.Duration(rng.IntN(100)) * time.Microsecond)
	}
}

// consume settles deliveries at random times until its channel is closed.
func (u *configureUse) consume(rng *rand.Rand) {
	for range 20 {
		conn := u.vhost.Connect(ConnOptions{})
		sink := newStressSink(&tally{seen: make(map[string]*tallyEntry)}, rand.New(rand.NewPCG(rng.Uint64(), 0)))
		ch := conn.Channel(1, sink)
		err := ch.SetPrefetch(PrefetchSpec{Count: 5})
		if err == nil {
			_, err = ch.Consume(ConsumerSpec{Queue: "q"})
		}
		for range 50 {
			time.Sleep(time.Duration(rng.IntN(200)) * time.Microsecond)
			for _, d := range sink.take() {
				if err == nil && rng.IntN(3) > 0 {
					err = ch.Ack(d.tag, false)
				} else if err == nil {
					err = ch.Nack(d.tag, false, rng.IntN(2) == 0)
				}
				d.msg.Release()
			}
			ch.Resume()
		}
		conn.Close()
		for _, d := range sink.take() {
			d.msg.Release()
		}
		if err != nil {
			u.t.Error(err)
			return
		}
	}
}

// check checks that each message was acked or dead-lettered once.
func (u *configureUse) check() {
	infos := make(map[string]QueueInfo)
	for _, q := range u.vhost.Queues() {
		infos[q.Name] = q
	}
	q, dead := infos["q"], infos["dead1"].Published+infos["dead2"].Published
	if q.Published != 4000 || q.Acked+q.DeadLettered+uint64(q.Ready) != q.Published || q.Unacked != 0 {
		u.t.Errorf("of %d messages, want 4000, %d were acked, %d dead-lettered, and %d are ready, %d unacked", q.Published, q.Acked, q.DeadLettered, q.Ready, q.Unacked)
	}
	if dead != q.DeadLettered || q.Acked == 0 || infos["dead1"].Published == 0 || infos["dead2"].Published == 0 {
		u.t.Errorf("%d acked; %d dead-lettered, of which %d arrived, %d in dead1", q.Acked, q.DeadLettered, dead, infos["dead1"].Published)
	}
	for _, q := range u.vhost.sortedQueues() {
		if err := q.machine.Check(false); err != nil {
			u.t.Errorf("queue %s: %v", q.name, err)
		}
	}
	u.t.Logf("%d acked, %d to dead1, %d to dead2, %d left", q.Acked, infos["dead1"].Published, infos["dead2"].Published, q.Ready)
}
