package broker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"harelab/engine/auth"
	"harelab/engine/message"
	"harelab/engine/store/memory"
	"harelab/engine/wire"

	"github.com/google/go-cmp/cmp"
)

// TestNewNamesStrategies: the error for a misspelt default lists the strategies.
func TestNewNamesStrategies(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{Matcher: "tire"}, `topic: unknown strategy "tire" (have `},
		{Options{Dispatch: "fare"}, `dispatch: unknown strategy "fare" (have `},
		{Options{Order: "sooner"}, `dispatch: unknown order "sooner" (have `},
	} {
		if _, err := New(test.options); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("New(%+v) = %v, want %s...", test.options, err, test.want)
		}
	}
}

// TestDefaultStrategies: queues and exchanges that choose no strategy get the defaults.
func TestDefaultStrategies(t *testing.T) {
	for _, test := range []struct {
		options         Options
		args            wire.Table
		dispatch, order string
	}{
		{Options{}, nil, "rr", "fifo"},
		{Options{}, wire.Table{{Key: "x-max-priority", Value: int32(9)}}, "rr", "priority"},
		{Options{}, wire.Table{{Key: "x-max-priority", Value: int32(9)}, {Key: "x-order", Value: "fifo"}}, "rr", "fifo"},
		{Options{Dispatch: "fair", Order: "sjf"}, nil, "fair", "sjf"},
		{Options{Dispatch: "fair"}, wire.Table{{Key: "x-dispatch", Value: "jsq"}}, "jsq", "fifo"},
	} {
		b, err := New(test.options)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := b.VHost("/")
		ch := v.Connect(ConnOptions{}).Channel(1, new(ackingSink))
		if _, err := ch.DeclareQueue(QueueSpec{Name: "q", Arguments: test.args}); err != nil {
			t.Fatal(err)
		}
		if q, _ := v.Queue("q"); q.Dispatch != test.dispatch || q.Order != test.order {
			t.Errorf("%+v, %v: %s and %s, want %s and %s", test.options, test.args, q.Dispatch, q.Order, test.dispatch, test.order)
		}
	}
}

func TestVHosts(t *testing.T) {
	s := memory.New()
	users := auth.New()
	b, err := New(Options{Auth: users, Store: s})
	if err != nil {
		t.Fatal(err)
	}
	v, err := b.AddVHost("lab")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := b.AddVHost("lab"); again != v || len(b.VHosts()) != 2 {
		t.Error("a second AddVHost made a second virtual host")
	}
	for _, test := range []struct{ vhost, user, want string }{
		{"nope", "guest", "vhost nope not found"},
		{"lab", "guest", "access to vhost 'lab' refused for user 'guest'"},
		{"/", "guest", ""},
		{"lab", "", ""},
	} {
		c, err := b.Open(test.vhost, ConnOptions{User: test.user})
		switch e, _ := err.(*Error); {
		case test.want == "" && err == nil:
			c.Close()
		case e == nil || e.Code != wire.NotAllowed || e.Text != test.want:
			t.Errorf("Open(%s, %s) = %v, want 530 %q", test.vhost, test.user, err, test.want)
		}
	}

	var ended error
	conn := v.Connect(ConnOptions{Name: "c", Ended: func(reason error) { ended = reason }})
	ch := conn.Channel(1, new(ackingSink))
	if _, err := ch.DeclareQueue(QueueSpec{Name: "q", Durable: true}); err != nil {
		t.Fatal(err)
	}
	if !b.DeleteVHost("lab") || b.DeleteVHost("lab") {
		t.Error("DeleteVHost twice, want true and false")
	}
	if ended == nil || !strings.Contains(ended.Error(), "vhost 'lab' is deleted") {
		t.Errorf("the connection ended with %v", ended)
	}
	if len(v.Queues()) != 0 {
		t.Error("a deleted virtual host has queues")
	}
	conn.Close()
	conn.Close() // once is enough
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = New(Options{Store: s}); err != nil || len(b.VHosts()) != 1 {
		t.Errorf("after a restart: %d virtual hosts, %v, want 1", len(b.VHosts()), err)
	}
}

// A recordingTracer notes its calls.
type recordingTracer struct{ events []string }

func (r *recordingTracer) note(what string, m *message.Message, queue string, now int64) {
	r.events = append(r.events, fmt.Sprintf("%s %s %s %d", what, m.Body(), queue, now))
}
func (r *recordingTracer) Enqueued(m *message.Message, q string, now int64) {
	r.note("enqueued", m, q, now)
}
func (r *recordingTracer) Dispatched(m *message.Message, q string, now int64) {
	r.note("dispatched", m, q, now)
}
func (r *recordingTracer) Acked(m *message.Message, q string, now int64) { r.note("acked", m, q, now) }
func (r *recordingTracer) Died(m *message.Message, q string, d Death, now int64) {
	r.note(fmt.Sprintf("died%+v", d), m, q, now)
}

func TestTracer(t *testing.T) {
	tracer := new(recordingTracer)
	s := newScript(t)
	b, err := New(Options{Clock: s.clock, Tracer: tracer})
	if err != nil {
		t.Fatal(err)
	}
	s.broker, s.clock.now = b, 1000
	s.run(`
> a1 declare q
> a1 publish - q m1
> advance 5us
> b1 qos 1
> b1 consume q tag=t
> advance 5us
> b1 ack 1
> c1 consume q tag=u no-ack
> b1 cancel t
> a1 publish - q m2
`)
	want := []string{
		"enqueued m1 q 1000", "dispatched m1 q 1005", "acked m1 q 1010",
		"enqueued m2 q 1010", "dispatched m2 q 1010", "acked m2 q 1010",
	}
	if fmt.Sprint(tracer.events) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", tracer.events, want)
	}
}

// TestTracerTellsDeaths: the tracer learns how each message leaves its queue, before it
// enters another.
func TestTracerTellsDeaths(t *testing.T) {
	tracer := new(recordingTracer)
	s := newScript(t)
	b, err := New(Options{Clock: s.clock, Tracer: tracer})
	if err != nil {
		t.Fatal(err)
	}
	s.broker, s.clock.now = b, 1000
	s.run(`
> a1 declare dead
> a1 declare short x-max-length=1 x-max-length-bytes=6
> a1 publish - short m1
> a1 publish - short m2
> a1 publish - short m3-long
> a1 declare full x-max-length=1 x-overflow=reject-publish
> a1 publish - full m4
> a1 publish - full m5
> a1 declare fuller x-max-length=1 x-overflow=reject-publish-dlx x-dead-letter-exchange= x-dead-letter-routing-key=dead
> a1 publish - fuller m6
> a1 publish - fuller m7
> a1 declare brief x-message-ttl=1
> a1 publish - brief m8
> advance 1ms
> a1 declare nowhere x-dead-letter-exchange=none
> b1 consume nowhere tag=t
> a1 publish - nowhere m9
> b1 nack 1
`)
	got := slices.DeleteFunc(tracer.events, func(e string) bool { return strings.HasPrefix(e, "dispatched") })
	want := []string{
		"enqueued m1 short 1000",
		"enqueued m2 short 1000", "died{Reason:maxlen Octets:false Refused:false To:[]} m1 short 1000",
		"enqueued m3-long short 1000", "died{Reason:maxlen Octets:false Refused:false To:[]} m2 short 1000",
		"died{Reason:maxlen Octets:true Refused:false To:[]} m3-long short 1000",
		"enqueued m4 full 1000",
		"enqueued m5 full 1000", "died{Reason:maxlen Octets:false Refused:true To:[]} m5 full 1000",
		"enqueued m6 fuller 1000",
		"enqueued m7 fuller 1000", "died{Reason:maxlen Octets:false Refused:false To:[dead]} m7 fuller 1000", "enqueued m7 dead 1000",
		"enqueued m8 brief 1000", "died{Reason:expired Octets:false Refused:false To:[]} m8 brief 2000",
		"enqueued m9 nowhere 2000", "died{Reason:rejected Octets:false Refused:false To:[]} m9 nowhere 2000",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestSeedNames: with the same seed generated names are the same, without a seed they
// differ.
func TestSeedNames(t *testing.T) {
	name := func(seed uint64) string {
		b, err := New(Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return b.generateName("amq.gen-")
	}
	for _, test := range []struct {
		x, y uint64
		same bool
	}{{1, 1, true}, {1, 2, false}, {0, 0, false}} {
		if a, b := name(test.x), name(test.y); (a == b) != test.same {
			t.Errorf("seeds %d and %d make %s and %s, want the same: %t", test.x, test.y, a, b, test.same)
		}
	}
}

func TestListings(t *testing.T) {
	s := newScript(t)
	s.run(`
> a1 declare q durable x-max-length=5
> a1 exchange x topic x-matcher=cached(nfa)
> a1 bind q x a.# note=n
> a1 qos 3
> a1 consume q tag=t x-priority=2
> a1 publish x a.b hello
> a2 declare mine exclusive
`)
	v := s.vhost()
	q, ok := v.Queue("q")
	if !ok || q.Unacked != 1 || q.Published != 1 || q.Delivered != 1 || q.Acked != 0 || q.Type != "classic" || q.Memory <= 0 {
		t.Errorf("Queue(q) = %+v, %t", q, ok)
	}
	if mine, _ := v.Queue("mine"); !mine.Exclusive || mine.Owner != "a" {
		t.Errorf("Queue(mine) = %+v", mine)
	}
	if xs := v.Exchanges(); xs[len(xs)-1].Matcher != "cached(nfa)" {
		t.Errorf("exchange x has matcher %q", xs[len(xs)-1].Matcher)
	}
	bs := v.Bindings()
	if last := bs[len(bs)-1]; !strings.HasPrefix(last.PropertiesKey, "a.#~") || last.Source != "x" {
		t.Errorf("binding %+v", last)
	}
	if cs := v.Connections(); len(cs) != 1 || cs[0].Channels != 2 || cs[0].User != "guest" {
		t.Errorf("Connections() = %+v", cs)
	}
	if chs := v.Channels(); len(chs) != 2 || chs[0].Unacked != 1 || chs[0].Consumers != 1 {
		t.Errorf("Channels() = %+v", chs)
	}
	if cs := v.Consumers(); len(cs) != 1 || cs[0].Prefetch != 3 || cs[0].Priority != 2 || !cs[0].Active {
		t.Errorf("Consumers() = %+v", cs)
	}
}

func TestWallClock(t *testing.T) {
	c := WallClock()
	if d := time.Since(time.UnixMicro(c.Now())); d < 0 || d > time.Minute {
		t.Errorf("the clock is off by %v", d)
	}
	timer := c.AfterFunc(time.Hour, func() { t.Error("called") })
	if !timer.Stop() || timer.Stop() {
		t.Error("Stop twice, want true and false")
	}
}

func TestMessageTooLarge(t *testing.T) {
	b, err := New(Options{MaxMessageBytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.VHost("/")
	ch := v.Connect(ConnOptions{}).Channel(1, new(ackingSink))
	if _, err := ch.Publish(&Publishing{Body: make([]byte, 10)}); err != nil {
		t.Error(err)
	}
	_, err = ch.Publish(&Publishing{Body: make([]byte, 11)})
	if e, _ := err.(*Error); e == nil || e.Text != "message size 11 is larger than configured max size 10" {
		t.Errorf("Publish of 11 octets: %v", err)
	}
}
