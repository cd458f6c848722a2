package bench

import (
	"fmt"
	"testing"

	"harelab/engine/wire"
)

// wireWorkload is one operation of the codec. Run carries it out once and returns the
// number of messages it handled; size is the number of octets it reads or writes.
type wireWorkload struct {
	name string
	body int // octets of body, -1 if there is none
	size int
	run  func() int
}

// BenchmarkWire measures the codec by itself: messages are read and written in place, as
// in the server, methods and tables as values. The metric msgs is the number of messages
// that one operation handled.
func BenchmarkWire(b *testing.B) {
	var workloads []wireWorkload
	for _, size := range []int{16, 100, 1024, 16 << 10} {
		workloads = append(workloads, encodeDeliver(size), decodePublish(size))
	}
	workloads = append(workloads, encodeAck(), decodeAck(), encodeMethod(), decodeMethod(),
		decodeProperties(), lookupHeader())
	for _, w := range workloads {
		name := "workload=" + w.name
		if w.body >= 0 {
			name += fmt.Sprintf("/body=%d", w.body)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(w.size))
			msgs, ops := 0, 0
			for b.Loop() {
				msgs += w.run()
				ops++
			}
			if msgs != ops {
				b.Fatalf("handled %d messages in %d operations, want 1 in each", msgs, ops)
			}
			b.ReportMetric(float64(msgs)/float64(ops), "msgs")
		})
	}
}

const wireFrameMax = 131072

// wireProperties returns some properties of a Celery task, as an example of a message of
// medium size.
func wireProperties() []byte {
	return wire.AppendProperties(nil, &wire.Properties{
		ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: 2, Priority: 0,
		CorrelationID: "5b8f9d9c-0b5e-4a53-9f0f-0c7b6b4f4b0a", ReplyTo: "0fb2f3c0-6e5f-3f3a-8a39-2f3f2c1d1f57",
		Headers: wire.Table{
			{Key: "lang", Value: "py"}, {Key: "task", Value: "webapp.query"}, {Key: "id", Value: "5b8f9d9c-0b5e-4a53-9f0f-0c7b6b4f4b0a"},
			{Key: "retries", Value: int32(0)}, {Key: "timelimit", Value: []any{nil, nil}}, {Key: "x-cost", Value: int64(100_000)},
		},
	})
}

func encodeDeliver(size int) wireWorkload {
	where := wire.AppendExchangeAndKey(nil, "amq.topic", "webapp.query")
	properties := []byte("\x10\x00\x02") // persistent
	body := make([]byte, size)
	dst := make([]byte, 0, 2*size+1000)
	encode := func() []byte {
		return wire.AppendDeliver(dst, 1, "ctag1.0", 12345, false, where, properties, body, wireFrameMax)
	}
	whole := len(encode())
	return wireWorkload{"encode-deliver", size, whole, func() int {
		if len(encode()) != whole {
			return 0
		}
		return 1
	}}
}

func decodePublish(size int) wireWorkload {
	in := wire.AppendMethodFrame(nil, 1, &wire.BasicPublish{Exchange: "amq.topic", RoutingKey: "webapp.query"})
	in = wire.AppendHeaderFrame(in, 1, uint64(size), []byte("\x10\x00\x02"))
	in = wire.AppendBody(in, 1, make([]byte, size), wireFrameMax)
	return wireWorkload{"decode-publish", size, len(in), func() int {
		var p wire.PublishView
		var h wire.HeaderView
		got := 0
		for rest := in; len(rest) > 0; {
			f, n, err := wire.NextFrame(rest, wireFrameMax)
			if err != nil || n == 0 {
				return 0
			}
			switch f.Type {
			case wire.FrameMethod:
				if id, _ := wire.PeekMethod(f.Payload); id != wire.MethodBasicPublish || p.Parse(f.Payload) != nil {
					return 0
				}
			case wire.FrameHeader:
				if h.Parse(f.Payload) != nil {
					return 0
				}
			case wire.FrameBody:
				got += len(f.Payload)
			}
			rest = rest[n:]
		}
		if got != size || h.BodySize != uint64(size) || string(p.RoutingKey) != "webapp.query" {
			return 0
		}
		return 1
	}}
}

func encodeAck() wireWorkload {
	dst := make([]byte, 0, 100)
	size := len(wire.AppendAck(nil, 1, 7, true))
	return wireWorkload{"encode-ack", -1, size, func() int {
		return len(wire.AppendAck(dst, 1, 7, true)) / size
	}}
}

func decodeAck() wireWorkload {
	in := wire.AppendAck(nil, 1, 7, true)
	return wireWorkload{"decode-ack", -1, len(in), func() int {
		var v wire.AckView
		f, _, err := wire.NextFrame(in, wireFrameMax)
		if err != nil || v.Parse(f.Payload) != nil || v.DeliveryTag != 7 {
			return 0
		}
		return 1
	}}
}

// declareMethod returns a rare method with a table, which the codec handles as a value.
func declareMethod() *wire.QueueDeclare {
	return &wire.QueueDeclare{Queue: "webapp", Durable: true, Arguments: wire.Table{
		{Key: "x-max-priority", Value: int32(10)}, {Key: "x-dead-letter-exchange", Value: "dlx"},
	}}
}

func encodeMethod() wireWorkload {
	m := declareMethod()
	dst := make([]byte, 0, 1000)
	size := len(wire.AppendMethodFrame(nil, 1, m))
	return wireWorkload{"encode-method", -1, size, func() int {
		return len(wire.AppendMethodFrame(dst, 1, m)) / size
	}}
}

func decodeMethod() wireWorkload {
	payload := declareMethod().Append(nil)
	return wireWorkload{"decode-method", -1, len(payload), func() int {
		m, err := wire.ParseMethod(payload)
		if d, ok := m.(*wire.QueueDeclare); err != nil || !ok || len(d.Arguments) != 2 {
			return 0
		}
		return 1
	}}
}

func decodeProperties() wireWorkload {
	raw := wireProperties()
	return wireWorkload{"decode-properties", -1, len(raw), func() int {
		p, err := wire.ParseProperties(raw)
		if err != nil || len(p.Headers) != 6 {
			return 0
		}
		return 1
	}}
}

// lookupHeader validates a header frame and finds one header, as dispatch by cost does.
func lookupHeader() wireWorkload {
	f := wire.AppendHeaderFrame(nil, 1, 100, wireProperties())
	payload := f[7 : len(f)-1]
	return wireWorkload{"lookup-header", -1, len(payload), func() int {
		var h wire.HeaderView
		if h.Parse(payload) != nil {
			return 0
		}
		cost, _ := wire.TableLookup(h.Properties.Headers(), "x-cost")
		if n, ok := cost.Int64(); !ok || n != 100_000 {
			return 0
		}
		return 1
	}}
}
