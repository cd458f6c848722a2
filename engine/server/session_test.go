package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"harelab/engine/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMessagesArriveWhole: bodies of all sizes arrive as they were sent, in order, with
// their properties: in one frame or many, copied or referred to, in one chunk or many.
func TestMessagesArriveWhole(t *testing.T) {
	p := newProbe(t)
	deliveries, err := p.Consume("probe.q", "t", true, false, false, false, nil)
	p.must(err)
	sizes := []int{0, 1, 16, copyBelow - 1, copyBelow, busyRead, 131064, 131065, 1 << 20, 3<<20 + 1, 5, 0}
	body := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, sizes[i]) }
	for i := range sizes {
		p.must(p.publish("", "probe.q", amqp.Publishing{
			Body:      body(i),
			MessageId: string(rune('a' + i)),
			Headers:   amqp.Table{"size": int64(sizes[i])},
		}))
	}
	for i, size := range sizes {
		d := <-deliveries
		if !bytes.Equal(d.Body, body(i)) || d.MessageId != string(rune('a'+i)) || d.Headers["size"] != int64(size) ||
			d.RoutingKey != "probe.q" || d.Exchange != "" || d.ConsumerTag != "t" || d.DeliveryTag != uint64(i+1) {
			t.Fatalf("message %d of %d octets arrived as %d octets, id %q, tag %d", i, size, len(d.Body), d.MessageId, d.DeliveryTag)
		}
	}
}

func TestGetBringsLargeBodies(t *testing.T) {
	p := newProbe(t)
	for _, size := range []int{3, 300_000} {
		p.must(p.publish("", "probe.q", amqp.Publishing{Body: make([]byte, size)}))
	}
	for i, size := range []int{3, 300_000} {
		d, ok, err := p.Get("probe.q", false)
		if err != nil || !ok || len(d.Body) != size || d.MessageCount != uint32(1-i) {
			t.Errorf("got %d octets, %d left, %v, %v, want %d, %d", len(d.Body), d.MessageCount, ok, err, size, 1-i)
		}
		p.must(d.Ack(false))
	}
}

func TestConsumeOkComesBeforeDeliveries(t *testing.T) {
	p := newProbe(t)
	for range 10 {
		p.must(p.publish("", "probe.q", amqp.Publishing{Body: []byte("ready")}))
	}
	raw := newRawPeer(t, p.srv)
	raw.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
	raw.method(1, &wire.ChannelOpen{})
	raw.want("channel.open-ok")
	raw.method(1, &wire.BasicConsume{Queue: "probe.q"})
	raw.want("basic.consume-ok")
	if _, _, body := raw.delivery(); string(body) != "ready" {
		t.Errorf("delivered %q", body)
	}
}

func TestConfirmsOfABurstAreAllTold(t *testing.T) {
	p := newProbe(t)
	p.must(p.Confirm(false))
	var waiting []*amqp.DeferredConfirmation
	for range 5_000 {
		c, err := p.PublishWithDeferredConfirm("", "probe.q", false, false, amqp.Publishing{Body: []byte("x")})
		p.must(err)
		waiting = append(waiting, c)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, c := range waiting {
		if ok, err := c.WaitContext(ctx); !ok || err != nil {
			t.Fatalf("publish %d: acked %v, %v", c.DeliveryTag, ok, err)
		}
	}
}

func TestChannelExceptionLeavesOthersAlone(t *testing.T) {
	p := newProbe(t)
	other, err := p.conn.Channel()
	p.must(err)
	p.must(other.Confirm(false))
	if got := p.outcome(p.publish("nope", "k", amqp.Publishing{})); !strings.HasPrefix(got, "channel 404") {
		t.Fatal(got)
	}
	c, err := other.PublishWithDeferredConfirm("", "probe.q", false, false, amqp.Publishing{})
	p.must(err)
	if !c.Wait() {
		t.Error("publish on another channel was not acked")
	}
}

func TestConsumerIsToldThatItsQueueIsGone(t *testing.T) {
	p := newProbe(t)
	cancelled := p.NotifyCancel(make(chan string, 1))
	p.must(p.consume("probe.q", "t", false, nil))
	_, err := p.QueueDelete("probe.q", false, false, false)
	p.must(err)
	if tag := <-cancelled; tag != "t" {
		t.Errorf("cancelled %q, want t", tag)
	}
}

func TestUnackedComeBackFromADeadConnection(t *testing.T) {
	p := newProbe(t)
	dead := mustDial(t, p.srv)
	ch, err := dead.Channel()
	p.must(err)
	for _, body := range []string{"1", "2", "3"} {
		p.must(p.publish("", "probe.q", amqp.Publishing{Body: []byte(body)}))
	}
	taken, err := ch.Consume("probe.q", "", false, false, false, false, nil)
	p.must(err)
	for range 3 {
		<-taken
	}
	dead.Close()
	deliveries, err := p.Consume("probe.q", "", true, false, false, false, nil)
	p.must(err)
	for _, want := range []string{"1", "2", "3"} {
		if d := <-deliveries; string(d.Body) != want || !d.Redelivered {
			t.Errorf("got %s, redelivered %v, want %s, true", d.Body, d.Redelivered, want)
		}
	}
}

func TestExclusiveQueueGoesWithItsConnection(t *testing.T) {
	p := newProbe(t)
	other := mustDial(t, p.srv)
	ch, err := other.Channel()
	p.must(err)
	_, err = ch.QueueDeclare("mine", false, false, true, false, nil)
	p.must(err)
	other.Close()
	_, err = p.QueueDeclarePassive("mine", false, false, false, false, nil)
	if got := p.outcome(err); got != "channel 404 NOT_FOUND - no queue 'mine' in vhost '/'" {
		t.Error(got)
	}
}

// TestSlowConsumerIsBounded: a client that does not read costs the broker no more than its
// outbox, however much its queue holds, and gets all messages when it reads.
func TestSlowConsumerIsBounded(t *testing.T) {
	p := newProbe(t)
	slow := newRawPeer(t, p.srv)
	slow.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
	slow.method(1, &wire.ChannelOpen{})
	slow.want("channel.open-ok")
	slow.method(1, &wire.BasicConsume{Queue: "probe.q", NoAck: true})
	slow.want("basic.consume-ok")

	const messages, size = 4_000, 4_000
	p.must(p.Confirm(false))
	var last *amqp.DeferredConfirmation
	for range messages {
		var err error
		last, err = p.PublishWithDeferredConfirm("", "probe.q", false, false, amqp.Publishing{Body: make([]byte, size)})
		p.must(err)
	}
	if !last.Wait() {
		t.Fatal("not confirmed")
	}
	for _, c := range p.srv.all() {
		c.out.mu.Lock()
		if limit := highWater + 2*size; c.out.unsent > limit {
			t.Errorf("%d octets wait for a client that does not read, want at most %d", c.out.unsent, limit)
		}
		c.out.mu.Unlock()
	}
	q, err := p.QueueDeclarePassive("probe.q", true, false, false, false, nil)
	p.must(err)
	if atLeast := messages - (highWater+pipeRoom+1<<20)/size; q.Messages < atLeast {
		t.Errorf("%d messages stayed in the queue, want at least %d", q.Messages, atLeast)
	}

	slow.nc.SetReadDeadline(time.Now().Add(30 * time.Second))
	for got := 0; got < messages; {
		f, err := slow.frame()
		if err != nil {
			t.Fatalf("%d messages arrived, want %d: %v", got, messages, err)
		}
		if f.Type == wire.FrameHeader {
			got++
		}
	}
}

func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRawPeer(t, newTestServer(t, Options{}))
		p.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 10})
		start := time.Now()
		p.nc.SetReadDeadline(start.Add(time.Hour))
		var beats []float64
		for {
			f, err := p.frame()
			if err != nil {
				break
			}
			if f.Type == wire.FrameHeartbeat {
				beats = append(beats, time.Since(start).Seconds())
			}
			if len(beats) == 2 {
				p.send(wire.AppendHeartbeat(nil)) // at 10 s, and nothing more
			}
		}
		if want := []float64{5, 10, 15, 20, 25}; !slices.Equal(beats, want) || time.Since(start) != 30*time.Second {
			t.Errorf("heartbeats after %v s, end after %v, want %v, 30s", beats, time.Since(start), want)
		}
	})
}

func TestShutdownTellsClients(t *testing.T) {
	p := newProbe(t)
	closed := p.conn.NotifyClose(make(chan *amqp.Error, 1))
	if err := p.srv.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	e := <-closed
	const want = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"
	if e == nil || e.Code != 320 || e.Reason != want {
		t.Errorf("the connection closed with %v, want 320 %s", e, want)
	}
	near, far := Pipe()
	defer near.Close()
	if err := p.srv.Go(far); !errors.Is(err, ErrClosed) {
		t.Errorf("Go after Shutdown = %v, want %v", err, ErrClosed)
	}
}

func TestShutdownWaitsAsLongAsItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		deaf := newRawPeer(t, s)
		deaf.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Shutdown = %v after %v, want %v after 1s", err, time.Since(start), context.DeadlineExceeded)
		}
	})
}

// A panics logger notes whether a panic was logged.
type panics struct {
	slog.Handler
	seen *atomic.Bool
	out  io.Writer // gets the attributes of the log line
}

func (h panics) Enabled(context.Context, slog.Level) bool { return true }
func (h panics) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h panics) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "panic") {
		h.seen.Store(true)
		r.Attrs(func(a slog.Attr) bool { io.WriteString(h.out, a.String()+"\n"); return true })
	}
	return nil
}

// FuzzSession sends arbitrary octets on an open connection.
func FuzzSession(f *testing.F) {
	for _, tt := range readTranscripts(f, filepath.Join("testdata", "transcripts.txt")) {
		p := &rawPeer{}
		var octets []byte
		for _, l := range tt.lines {
			octets = append(octets, p.encode(l.verb, l.args)...)
		}
		f.Add(octets)
	}
	f.Add(wire.AppendBody(wire.AppendHeaderFrame(wire.AppendMethodFrame(
		wire.AppendMethodFrame(nil, 1, &wire.ChannelOpen{}),
		1, &wire.BasicPublish{RoutingKey: "q"}), 1, 3, nil), 1, []byte("abc"), 4096))

	var panicked atomic.Bool
	s := newTestServer(f, Options{Logger: slog.New(panics{slog.DiscardHandler, &panicked, os.Stderr})})
	f.Fuzz(func(t *testing.T, octets []byte) {
		p := newRawPeer(t, s)
		p.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
		go func() {
			p.nc.Write(octets)
			p.nc.(*pipeEnd).CloseWrite()
		}()
		p.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, p.nc); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the server did not hang up after the client had")
		}
		if panicked.Load() {
			t.Error("panic")
		}
	})
}
