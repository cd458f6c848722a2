package wire_test

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine/wire"
)

const peerFrameMax = 4096

// TestPeerReadsWhatWeWrite connects RabbitMQ's own Go client to a server made of this
// package alone. The server sends each message back as a delivery, a get-ok and a
// return. The client must receive what it sent, including headers of every type and a
// body of several frames.
func TestPeerReadsWhatWeWrite(t *testing.T) {
	ours, theirs := net.Pipe()
	server := &echo{conn: ours}
	done := make(chan error, 1)
	go func() { done <- server.serve() }()
	conn, err := amqp.Open(theirs, amqp.Config{
		SASL: []amqp.Authentication{&amqp.PlainAuth{Username: "guest", Password: "secret"}}, Vhost: "/", FrameSize: peerFrameMax,
	})
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	if err := ch.ExchangeDeclare("x", "topic", true, false, false, false, amqp.Table{"alternate-exchange": "ae"}); err != nil {
		t.Fatal(err)
	}
	q, err := ch.QueueDeclare("q", false, true, true, false, amqp.Table{"x-max-priority": int32(10)})
	if err != nil || q.Messages != 7 || q.Consumers != 2 {
		t.Fatalf("queue.declare-ok: %+v, error %v", q, err)
	}
	deliveries, err := ch.Consume("q", "tag", false, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	returns := ch.NotifyReturn(make(chan amqp.Return, 1))

	sent := message()
	confirm, err := ch.PublishWithDeferredConfirm("x", "a.b.c", true, false, sent)
	if err != nil {
		t.Fatal(err)
	}
	if !confirm.Wait() {
		t.Error("the publish was not confirmed")
	}
	got := <-deliveries
	if got.ConsumerTag != "tag" || got.DeliveryTag != 1 || !got.Redelivered || got.Exchange != "x" || got.RoutingKey != "a.b.c" {
		t.Errorf("delivery: %+v", got)
	}
	compare(t, "delivery", sent, amqp.Publishing{
		Headers: got.Headers, ContentType: got.ContentType, ContentEncoding: got.ContentEncoding, DeliveryMode: got.DeliveryMode,
		Priority: got.Priority, CorrelationId: got.CorrelationId, ReplyTo: got.ReplyTo, Expiration: got.Expiration,
		MessageId: got.MessageId, Timestamp: got.Timestamp, Type: got.Type, UserId: got.UserId, AppId: got.AppId, Body: got.Body,
	})
	ret := <-returns
	if ret.ReplyCode != 312 || ret.ReplyText != "NO_ROUTE" || ret.Exchange != "x" || ret.RoutingKey != "a.b.c" || !bytes.Equal(ret.Body, sent.Body) {
		t.Errorf("return: %+v", ret)
	}
	if err := got.Ack(true); err != nil {
		t.Error(err)
	}
	msg, ok, err := ch.Get("q", true)
	if err != nil || !ok || msg.MessageCount != 3 || !bytes.Equal(msg.Body, sent.Body) {
		t.Errorf("get-ok: %+v, %v, error %v", msg, ok, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	checkSeen(t, server.seen)
}

func compare(t *testing.T, what string, sent, got amqp.Publishing) {
	t.Helper()
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Errorf("%s differs (- sent, + received):\n%s", what, diff)
	}
}

// message has all properties, headers of every type the client has, and a body of
// three frames.
func message() amqp.Publishing {
	when := time.Unix(1_800_000_000, 0)
	return amqp.Publishing{
		Headers: amqp.Table{
			"t": true, "b": int8(-1), "B": byte(200), "s": int16(-300), "u": uint16(60000), "I": int32(-70000), "i": uint32(1 << 31),
			"l": int64(-1 << 40), "f": float32(0.5), "d": -0.25, "D": amqp.Decimal{Scale: 2, Value: 314}, "S": "text",
			"x": []byte{0, 255}, "T": when, "V": nil, "A": []any{"a", int32(1), []any{nil}}, "F": amqp.Table{"inner": "table"},
		},
		ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: amqp.Persistent, Priority: 9, CorrelationId: "c",
		ReplyTo: "r", Expiration: "60000", MessageId: "m", Timestamp: when, Type: "order", UserId: "guest", AppId: "lab",
		Body: bytes.Repeat([]byte("0123456789"), 1000),
	}
}

// checkSeen compares what the server read with what the test asked the client to send.
func checkSeen(t *testing.T, seen []wire.Method) {
	t.Helper()
	want := map[wire.MethodID]wire.Method{
		wire.MethodConnectionTuneOk: &wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: peerFrameMax, Heartbeat: 60},
		wire.MethodConnectionOpen:   &wire.ConnectionOpen{VirtualHost: "/"},
		wire.MethodExchangeDeclare: &wire.ExchangeDeclare{Exchange: "x", Type: "topic", Durable: true,
			Arguments: wire.Table{{Key: "alternate-exchange", Value: "ae"}}},
		wire.MethodQueueDeclare: &wire.QueueDeclare{Queue: "q", AutoDelete: true, Exclusive: true,
			Arguments: wire.Table{{Key: "x-max-priority", Value: int32(10)}}},
		wire.MethodBasicConsume: &wire.BasicConsume{Queue: "q", ConsumerTag: "tag", Exclusive: true},
		wire.MethodBasicPublish: &wire.BasicPublish{Exchange: "x", RoutingKey: "a.b.c", Mandatory: true},
		wire.MethodBasicAck:     &wire.BasicAck{DeliveryTag: 1, Multiple: true},
		wire.MethodBasicGet:     &wire.BasicGet{Queue: "q", NoAck: true},
	}
	for _, m := range seen {
		if s, ok := m.(*wire.ConnectionStartOk); ok && (s.Mechanism != "PLAIN" || string(s.Response) != "\x00guest\x00secret") {
			t.Errorf("start-ok: mechanism %q, response %q", s.Mechanism, s.Response)
		}
		if w := want[m.ID()]; w != nil {
			if diff := cmp.Diff(w, m); diff != "" {
				t.Errorf("%v differs (- want, + read):\n%s", m.ID(), diff)
			}
			delete(want, m.ID())
		}
	}
	for id := range want {
		t.Errorf("%v was not seen", id)
	}
}

// An echo is a server with fixed answers. It reads and writes in different goroutines,
// since neither end of a net.Pipe has a buffer.
type echo struct {
	conn net.Conn
	out  chan []byte
	seen []wire.Method

	where, properties, body []byte
	missing                 uint64 // octets of body to come
}

func (e *echo) serve() error {
	e.out = make(chan []byte, 100)
	go func() {
		for b := range e.out {
			e.conn.Write(b)
		}
		e.conn.Close()
	}()
	defer close(e.out)
	e.send(0, &wire.ConnectionStart{VersionMinor: 9, Mechanisms: []byte("PLAIN"), Locales: []byte("en_US"),
		ServerProperties: wire.Table{{Key: "product", Value: "RabbitMQ"}}})

	var in []byte
	chunk := make([]byte, 1000)
	for header := true; ; {
		n, err := e.conn.Read(chunk)
		if err != nil {
			return err
		}
		in = append(in, chunk[:n]...)
		if header && len(in) >= len(wire.ProtocolHeader) {
			if !bytes.HasPrefix(in, wire.ProtocolHeader[:]) {
				return fmt.Errorf("protocol header %q", in[:8])
			}
			in, header = in[8:], false
		}
		for !header {
			f, n, err := wire.NextFrame(in, peerFrameMax)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			closed, err := e.frame(f)
			if closed || err != nil {
				return err
			}
			in = in[n:]
		}
	}
}

func (e *echo) send(channel uint16, m wire.Method) {
	e.out <- wire.AppendMethodFrame(nil, channel, m)
}

func (e *echo) frame(f wire.Frame) (closed bool, err error) {
	switch f.Type {
	case wire.FrameHeader:
		var h wire.HeaderView
		if err := h.Parse(f.Payload); err != nil {
			return false, err
		}
		e.properties, e.missing = bytes.Clone(h.Properties.Raw()), h.BodySize
	case wire.FrameBody:
		e.body = append(e.body, f.Payload...)
		if e.missing -= uint64(len(f.Payload)); e.missing == 0 {
			b := wire.AppendReturn(nil, f.Channel, wire.NoRoute, "NO_ROUTE", e.where, e.properties, e.body, peerFrameMax)
			b = wire.AppendDeliver(b, f.Channel, "tag", 1, true, e.where, e.properties, e.body, peerFrameMax)
			e.out <- wire.AppendAck(b, f.Channel, 1, false)
		}
	case wire.FrameMethod:
		return e.method(f)
	}
	return false, nil
}

func (e *echo) method(f wire.Frame) (closed bool, err error) {
	m, err := wire.ParseMethod(f.Payload)
	if err != nil {
		return false, err
	}
	e.seen = append(e.seen, m)
	switch m := m.(type) {
	case *wire.ConnectionStartOk:
		e.send(0, &wire.ConnectionTune{ChannelMax: 2047, FrameMax: peerFrameMax, Heartbeat: 60})
	case *wire.ConnectionOpen:
		e.send(0, &wire.ConnectionOpenOk{})
	case *wire.ConnectionClose:
		e.send(0, &wire.ConnectionCloseOk{})
		return true, nil
	case *wire.ChannelOpen:
		e.send(f.Channel, &wire.ChannelOpenOk{})
	case *wire.ConfirmSelect:
		e.send(f.Channel, &wire.ConfirmSelectOk{})
	case *wire.ExchangeDeclare:
		e.send(f.Channel, &wire.ExchangeDeclareOk{})
	case *wire.QueueDeclare:
		e.send(f.Channel, &wire.QueueDeclareOk{Queue: m.Queue, MessageCount: 7, ConsumerCount: 2})
	case *wire.BasicConsume:
		e.send(f.Channel, &wire.BasicConsumeOk{ConsumerTag: m.ConsumerTag})
	case *wire.BasicPublish:
		e.where, e.body = wire.AppendExchangeAndKey(nil, m.Exchange, m.RoutingKey), nil
	case *wire.BasicGet:
		e.out <- wire.AppendGetOk(nil, f.Channel, 2, false, e.where, 3, e.properties, e.body, peerFrameMax)
	}
	return false, nil
}
