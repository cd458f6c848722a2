package bench

import (
	"fmt"
	"log/slog"
	"testing"

	"harelab/engine"
	"harelab/engine/broker"
	"harelab/engine/store/pebble"
	"harelab/engine/wire"
)

// BenchmarkRecover starts a broker on a folder with a queue of persistent messages of 16
// octets: it opens the store and fills the queue.
func BenchmarkRecover(b *testing.B) {
	for _, messages := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("target=pebble/workload=queue/msgs=%d/body=16", messages), func(b *testing.B) {
			dir := b.TempDir()
			fillQueue(b, dir, messages)
			for b.Loop() {
				e := openEngine(b, dir)
				v, _ := e.Broker().VHost("/")
				if q, ok := v.Queue("q"); !ok || q.Ready != messages {
					b.Fatalf("%d messages were recovered, want %d", q.Ready, messages)
				}
				b.StopTimer()
				if err := e.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(messages)*float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
			b.ReportMetric(float64(messages), "msgs")
		})
	}
}

func openEngine(tb testing.TB, dir string) *engine.Engine {
	tb.Helper()
	store, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	e, err := engine.New(engine.Options{Store: store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// fillQueue publishes persistent messages to a durable queue.
func fillQueue(tb testing.TB, dir string, messages int) {
	tb.Helper()
	e := openEngine(tb, dir)
	conn, err := e.Broker().Open("/", broker.ConnOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	ch := conn.Channel(1, nil)
	if _, err := ch.DeclareQueue(broker.QueueSpec{Name: "q", Durable: true}); err != nil {
		tb.Fatal(err)
	}
	p := broker.Publishing{
		RoutingKey: []byte("q"),
		Properties: wire.ViewProperties(wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2})),
		Body:       make([]byte, 16),
	}
	for i := range messages {
		if _, err := ch.Publish(&p); err != nil {
			tb.Fatal(err)
		}
		if i%1000 == 999 {
			conn.Commit()
			if _, over := e.Broker().Pressure(); over != nil {
				<-over
			}
		}
	}
	conn.Close()
	if err := e.Close(); err != nil {
		tb.Fatal(err)
	}
}
