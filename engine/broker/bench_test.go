package broker

import (
	"testing"

	"harelab/engine/wire"
)

// An ackingSink notes the last delivery tag, for the benchmark to ack.
type ackingSink struct {
	deliveries int
	lastTag    uint64
}

func (s *ackingSink) Deliver(d *Delivery, _ *Batch) bool {
	s.deliveries++
	s.lastTag = d.DeliveryTag
	return true
}
func (*ackingSink) Cancelled(string, *Batch)               {}
func (*ackingSink) Confirmed(uint64, uint64, bool, *Batch) {}

// path is a publisher and a consumer of one queue.
type path struct {
	pub, sub *Channel
	sink     *ackingSink
	publish  Publishing
}

func newPath(tb testing.TB, exchange, bindingKey, routingKey string, args ...wire.Field) *path {
	tb.Helper()
	b, err := New(Options{})
	if err != nil {
		tb.Fatal(err)
	}
	v, _ := b.VHost("/")
	p := &path{sink: new(ackingSink)}
	p.pub = v.Connect(ConnOptions{Name: "publisher", User: "guest"}).Channel(1, new(ackingSink))
	p.sub = v.Connect(ConnOptions{Name: "consumer", User: "guest"}).Channel(1, p.sink)
	if _, err := p.sub.DeclareQueue(QueueSpec{Name: "orders", Arguments: args}); err != nil {
		tb.Fatal(err)
	}
	if exchange != "" {
		if err := p.sub.Bind(BindingSpec{Destination: "orders", Source: exchange, RoutingKey: bindingKey}); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := p.sub.Consume(ConsumerSpec{Queue: "orders"}); err != nil {
		tb.Fatal(err)
	}
	p.publish = Publishing{Exchange: []byte(exchange), RoutingKey: []byte(routingKey), Body: make([]byte, 16)}
	return p
}

func (p *path) message(tb testing.TB) {
	if r, err := p.pub.Publish(&p.publish); err != nil || !r.Routed {
		tb.Fatalf("Publish = %+v, %v", r, err)
	}
	if err := p.sub.Ack(p.sink.lastTag, false); err != nil {
		tb.Fatal(err)
	}
}

var paths = []struct{ name, exchange, bindingKey, routingKey string }{
	{"default", "", "", "orders"},
	{"direct", "amq.direct", "eu.orders", "eu.orders"},
	{"fanout", "amq.fanout", "", "eu.orders"},
	{"topic", "amq.topic", "*.orders", "eu.orders"},
}

// BenchmarkPublish measures the whole path of a message through the broker: publish, route,
// deliver to a consumer, ack.
func BenchmarkPublish(b *testing.B) {
	for _, to := range paths {
		b.Run("exchange="+to.name, func(b *testing.B) {
			p := newPath(b, to.exchange, to.bindingKey, to.routingKey)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				p.message(b)
				n++
			}
			if p.sink.deliveries != n {
				b.Fatalf("%d deliveries of %d messages", p.sink.deliveries, n)
			}
		})
	}
}

// BenchmarkPublishProperties is BenchmarkPublish with properties as clients send them:
// those of a persistent message, and those of a Celery task.
func BenchmarkPublishProperties(b *testing.B) {
	for _, with := range []struct {
		name string
		wire.Properties
	}{
		{"persistent", wire.Properties{ContentType: "application/json", DeliveryMode: 2}},
		{"task", wire.Properties{
			ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: 2, CorrelationID: "5d0c7c5e-6a3b-4f0e-9d8a-0d7a4f0d8e11", ReplyTo: "reply",
			Headers: wire.Table{{Key: "lang", Value: "py"}, {Key: "task", Value: "tasks.quick"}, {Key: "id", Value: "5d0c7c5e-6a3b-4f0e-9d8a-0d7a4f0d8e11"}, {Key: "retries", Value: int64(0)}},
		}},
	} {
		b.Run("properties="+with.name, func(b *testing.B) {
			p := newPath(b, "amq.direct", "eu.orders", "eu.orders")
			p.publish.Properties = wire.ViewProperties(wire.AppendProperties(nil, &with.Properties))
			b.ReportAllocs()
			for b.Loop() {
				p.message(b)
			}
		})
	}
}
