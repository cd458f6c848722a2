//go:build unix

package bench

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"harelab/engine"
	"harelab/engine/broker"
	"harelab/engine/wire"
)

// brokerLoads are the workloads of BenchmarkBroker, with the rest of its name.
var brokerLoads = []struct {
	name string
	load load
}{
	{"workload=transient/body=16", load{body: 16, consumers: 1, window: 10_000}},
	{"workload=transient/body=1024", load{body: 1024, consumers: 1, window: 2_000}},
	{"workload=transient/body=16384", load{body: 16384, consumers: 1, window: 200}},
	{"workload=acked/prefetch=100/body=16", load{body: 16, consumers: 1, prefetch: 100, window: 256, confirms: true}},
	{"workload=fair/consumers=4/prefetch=1/body=16", load{body: 16, consumers: 4, prefetch: 1, window: 1_000}},
	{"workload=topic/bindings=2000/body=16", load{body: 16, exchange: "bench.topic", bindings: 2_000, consumers: 1, window: 10_000}},
}

// BenchmarkBroker measures a message's path from its publisher to its consumer:
//
//	target=inproc  calls of the broker's API, without frames
//	target=memory  raw clients that encoded their frames beforehand, in this process over
//	               in-memory connections: cpu-ns/op includes the clients
//	target=tcp     the same clients in another process over loopback TCP: cpu-ns/op and
//	               allocations are the broker's alone
//
//	go test -run=^$ -bench=Broker ./bench
func BenchmarkBroker(b *testing.B) {
	for _, l := range brokerLoads {
		b.Run("target=inproc/"+l.name, func(b *testing.B) { benchmarkInProcess(b, l.load) })
	}
	for _, l := range brokerLoads {
		b.Run("target=memory/"+l.name, func(b *testing.B) { benchmarkMemory(b, l.load) })
	}
	for _, l := range brokerLoads {
		b.Run("target=tcp/"+l.name, func(b *testing.B) { benchmarkTCP(b, l.load) })
	}
}

func newBenchEngine(b *testing.B) *engine.Engine {
	e, err := engine.New(engine.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return e
}

// A countingSink counts deliveries.
type countingSink struct {
	n, tag uint64
}

func (s *countingSink) Deliver(d *broker.Delivery, _ *broker.Batch) bool {
	s.n++
	s.tag = d.DeliveryTag
	return true
}

func (s *countingSink) Cancelled(string, *broker.Batch)               {}
func (s *countingSink) Confirmed(uint64, uint64, bool, *broker.Batch) {}

func benchmarkInProcess(b *testing.B, l load) {
	conn, err := newBenchEngine(b).Broker().Open("/", broker.ConnOptions{User: "guest"})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	var sink countingSink
	ch := conn.Channel(1, &sink)
	for _, m := range l.declarations() {
		if err := call(ch, m); err != nil {
			b.Fatal(err)
		}
	}
	for range l.consumers {
		if err := call(ch, &wire.BasicConsume{Queue: loadQueue, NoAck: l.prefetch == 0}); err != nil {
			b.Fatal(err)
		}
	}
	p := broker.Publishing{
		Exchange:   []byte(l.exchange),
		RoutingKey: []byte(l.key()),
		Body:       make([]byte, l.body),
	}
	var total uint64
	measure(b, func(n int) error {
		total += uint64(n)
		for i := range n {
			if _, err := ch.Publish(&p); err != nil {
				return err
			}
			if l.prefetch > 0 && (i%l.prefetch == l.prefetch-1 || i == n-1) {
				if err := ch.Ack(sink.tag, true); err != nil {
					return err
				}
			}
		}
		if sink.n != total {
			return fmt.Errorf("bench: %d messages delivered, want %d", sink.n, total)
		}
		return nil
	})
}

// call carries out a load's declaration by the broker's API.
func call(ch *broker.Channel, m wire.Method) (err error) {
	switch m := m.(type) {
	case *wire.QueueDeclare:
		_, err = ch.DeclareQueue(broker.QueueSpec{Name: m.Queue, Durable: m.Durable, Arguments: m.Arguments})
	case *wire.ExchangeDeclare:
		err = ch.Conn().DeclareExchange(broker.ExchangeSpec{Name: m.Exchange, Type: m.Type, Durable: m.Durable, Arguments: m.Arguments})
	case *wire.QueueBind:
		err = ch.Bind(broker.BindingSpec{Source: m.Exchange, Destination: m.Queue, RoutingKey: m.RoutingKey, Arguments: m.Arguments})
	case *wire.ConfirmSelect:
		err = ch.ConfirmSelect()
	case *wire.BasicQos:
		err = ch.SetPrefetch(broker.PrefetchSpec{Count: uint32(m.PrefetchCount)})
	case *wire.BasicConsume:
		_, err = ch.Consume(broker.ConsumerSpec{Queue: m.Queue, NoAck: m.NoAck})
	}
	return err
}

func benchmarkMemory(b *testing.B, l load) {
	r, err := newLoadRun(l, newBenchEngine(b).Dial)
	if err != nil {
		b.Fatal(err)
	}
	defer r.close()
	measure(b, r.run)
}

func benchmarkTCP(b *testing.B, l load) {
	e := newBenchEngine(b)
	addr, err := e.Listen("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	p := startLoad(b, addr, l)
	measure(b, p.run)
}

// measure runs some messages to warm buffers up, then b.N messages, and reports the
// processor time that this process spends on those.
func measure(b *testing.B, run func(n int) error) {
	b.ReportAllocs()
	if err := run(20_000); err != nil {
		b.Fatal(err)
	}
	before := cpuTime(b)
	b.ResetTimer()
	if err := run(b.N); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
	b.ReportMetric(float64(b.N), "msgs")
}

// cpuTime returns the CPU time that this process has used, in user and kernel mode.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A loadProcess is another process that runs TestLoadProcess.
type loadProcess struct {
	in  io.Writer
	out *bufio.Reader
}

func startLoad(b *testing.B, addr net.Addr, l load) *loadProcess {
	cmd := exec.Command(os.Args[0], "-test.run=^TestLoadProcess$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s", loadEnv, addr, l))
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		io.Copy(io.Discard, out)
		cmd.Wait()
	})
	p := &loadProcess{in: in, out: bufio.NewReader(out)}
	if err := p.expect("ready"); err != nil {
		b.Fatal(err)
	}
	return p
}

// run makes the process publish and receive n messages.
func (p *loadProcess) run(n int) error {
	fmt.Fprintln(p.in, n)
	return p.expect(fmt.Sprintf("done %d", n))
}

func (p *loadProcess) expect(want string) error {
	line, err := p.out.ReadString('\n')
	if got := strings.TrimSpace(line); got != want {
		rest, _ := io.ReadAll(p.out)
		return fmt.Errorf("bench: load process said %q, want %q: %v\n%s", got, want, err, rest)
	}
	return nil
}
