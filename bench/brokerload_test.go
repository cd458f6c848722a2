//go:build unix

package bench

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"harelab/engine/wire"
)

// A load is the work of the clients of BenchmarkBroker. They use raw sockets and frames
// encoded beforehand, so that they cost little beside the broker.
type load struct {
	body      int    // octets of a body
	exchange  string // name of a topic exchange; empty: the default exchange
	bindings  int    // bindings of the topic exchange, to 50 queues
	consumers int    // consumers of the queue
	prefetch  int    // 0: consumers do not ack
	window    int    // largest number of undelivered or, with confirms, unconfirmed messages
	confirms  bool
}

// loadEnv is set for a process of the test binary that is a load. It has the broker's
// address and the load.
const loadEnv = "HARELAB_BENCH_LOAD"

// TestLoadProcess is the load in another process. In an ordinary run of the tests it does
// nothing.
func TestLoadProcess(t *testing.T) {
	spec := os.Getenv(loadEnv)
	if spec == "" {
		t.Skip("runs as the load of BenchmarkBroker only")
	}
	addr, spec, _ := strings.Cut(spec, " ")
	var l load
	if _, err := fmt.Sscanf(spec, "%d %q %d %d %d %d %t", &l.body, &l.exchange, &l.bindings, &l.consumers, &l.prefetch, &l.window, &l.confirms); err != nil {
		t.Fatal(err)
	}
	r, err := newLoadRun(l, func() (net.Conn, error) { return net.Dial("tcp", addr) })
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	fmt.Println("ready")
	for in := bufio.NewReader(os.Stdin); ; {
		var n int
		if _, err := fmt.Fscanln(in, &n); err != nil {
			return
		}
		if err := r.run(n); err != nil {
			t.Fatal(err)
		}
		fmt.Println("done", n)
	}
}

func (l load) String() string {
	return fmt.Sprintf("%d %q %d %d %d %d %t", l.body, l.exchange, l.bindings, l.consumers, l.prefetch, l.window, l.confirms)
}

const loadQueue = "bench"

// A loadRun is a load with its connections.
type loadRun struct {
	load
	publisher *rawClient
	consumers []*rawClient
	block     []byte // publishes, encoded
	each      int    // octets of one publish
	published int64  // number of messages

	delivered, confirmed progress
}

// progress counts messages and wakes the goroutine that waits for a number of them. It
// wakes it only once, when the number is reached, since switches of goroutines would
// slow the load down.
type progress struct {
	n    atomic.Int64
	want atomic.Int64
	wake chan struct{}
}

func (p *progress) set(n int64) {
	p.n.Store(n)
	p.check()
}

func (p *progress) add(n int64) {
	p.n.Add(n)
	p.check()
}

func (p *progress) check() {
	if p.n.Load() >= p.want.Load() {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// wait waits until the count is at least n and returns the count.
func (p *progress) wait(n int64) int64 {
	p.want.Store(n)
	for p.n.Load() < n {
		<-p.wake
	}
	return p.n.Load()
}

// newLoadRun connects the clients and declares what they need.
func newLoadRun(l load, dial func() (net.Conn, error)) (*loadRun, error) {
	r := &loadRun{load: l}
	r.delivered.wake, r.confirmed.wake = make(chan struct{}, 1), make(chan struct{}, 1)
	var err error
	if r.publisher, err = newRawClient(dial); err != nil {
		return nil, err
	}
	for _, m := range l.declarations() {
		if err := r.publisher.call(m); err != nil {
			return nil, err
		}
	}
	for range l.consumers {
		c, err := newRawClient(dial)
		if err != nil {
			return nil, err
		}
		r.consumers = append(r.consumers, c)
		if err := c.call(&wire.BasicQos{PrefetchCount: uint16(l.prefetch)}); err != nil {
			return nil, err
		}
		if err := c.call(&wire.BasicConsume{Queue: loadQueue, NoAck: l.prefetch == 0}); err != nil {
			return nil, err
		}
		go r.consume(c)
	}
	var one []byte
	one = wire.AppendMethodFrame(one, 1, &wire.BasicPublish{Exchange: l.exchange, RoutingKey: l.key()})
	one = wire.AppendHeaderFrame(one, 1, uint64(l.body), nil)
	one = wire.AppendBody(one, 1, make([]byte, l.body), 131072)
	r.each = len(one)
	for range max(1, 32<<10/len(one)) {
		r.block = append(r.block, one...)
	}
	return r, nil
}

// key returns the routing key of the load's messages.
func (l load) key() string {
	if l.exchange == "" {
		return loadQueue
	}
	return "w7.bench.w3"
}

// declarations returns the methods that prepare a load for its consumers: they declare
// the queue and, for a topic exchange, bind all bindings, each to one of 50 queues. The
// routing key matches one binding.
func (l load) declarations() []wire.Method {
	ms := []wire.Method{
		&wire.BasicQos{PrefetchCount: uint16(l.prefetch)},
		&wire.QueueDeclare{Queue: loadQueue, AutoDelete: true},
	}
	if l.confirms {
		ms = append(ms, &wire.ConfirmSelect{})
	}
	if l.exchange == "" {
		return ms
	}
	ms = append(ms, &wire.ExchangeDeclare{Exchange: l.exchange, Type: "topic"},
		&wire.QueueBind{Queue: loadQueue, Exchange: l.exchange, RoutingKey: "*.bench.#"})
	for i := range 49 {
		ms = append(ms, &wire.QueueDeclare{Queue: fmt.Sprintf("other%d", i), Exclusive: true})
	}
	for i := range l.bindings - 1 {
		ms = append(ms, &wire.QueueBind{
			Queue:      fmt.Sprintf("other%d", i%49),
			Exchange:   l.exchange,
			RoutingKey: fmt.Sprintf("*.other%d.#", i),
		})
	}
	return ms
}

// consume counts deliveries. It acks all deliveries of a chunk with one multiple ack.
func (r *loadRun) consume(c *rawClient) {
	defer close(c.done)
	var tag uint64
	var ack []byte
	for {
		n := 0
		err := c.chunk(func(f wire.Frame) {
			if f.Type == wire.FrameHeader {
				n++
			}
		})
		if err != nil {
			return
		}
		tag += uint64(n)
		if r.prefetch > 0 && n > 0 {
			ack = wire.AppendAck(ack[:0], 1, tag, true)
			if _, err := c.nc.Write(ack); err != nil {
				return
			}
		}
		r.delivered.add(int64(n))
	}
}

// run publishes n messages and waits until all are delivered and, if the load has
// confirms, confirmed. It fails if more are delivered.
func (r *loadRun) run(n int) error {
	settled, before := &r.delivered, r.published
	if r.confirms {
		settled = &r.confirmed
		go r.confirm(before + int64(n))
	}
	for last := before + int64(n); r.published < last; {
		room := settled.wait(r.published-int64(r.window)*3/4) + int64(r.window) - r.published
		k := min(last-r.published, room, int64(len(r.block)/r.each))
		if _, err := r.publisher.nc.Write(r.block[:int(k)*r.each]); err != nil {
			return err
		}
		r.published += k
	}
	settled.wait(r.published)
	if got := r.delivered.wait(r.published); got != r.published {
		return fmt.Errorf("bench: %d messages delivered, want %d", got, r.published)
	}
	return nil
}

// confirm counts the publisher's confirms up to last.
func (r *loadRun) confirm(last int64) {
	for r.confirmed.n.Load() < last {
		var tag uint64
		err := r.publisher.chunk(func(f wire.Frame) {
			var v wire.AckView
			if v.Parse(f.Payload) == nil {
				tag = v.DeliveryTag
			}
		})
		if err != nil {
			return
		}
		r.confirmed.set(int64(tag))
	}
}

func (r *loadRun) close() {
	for _, c := range r.consumers {
		c.nc.Close()
		<-c.done
	}
	r.publisher.nc.Close()
}

// A rawClient is a connection with one channel.
type rawClient struct {
	nc         net.Conn
	buf        []byte
	start, end int
	done       chan struct{}
}

func newRawClient(dial func() (net.Conn, error)) (*rawClient, error) {
	nc, err := dial()
	if err != nil {
		return nil, err
	}
	c := &rawClient{nc: nc, buf: make([]byte, 256<<10), done: make(chan struct{})}
	if _, err := nc.Write(wire.ProtocolHeader[:]); err != nil {
		return nil, err
	}
	steps := []wire.Method{
		nil,
		&wire.ConnectionStartOk{Mechanism: "PLAIN", Response: []byte("\x00guest\x00guest"), Locale: "en_US"},
		&wire.ConnectionOpen{VirtualHost: "/"},
	}
	for i, m := range steps {
		if i == 2 {
			tune := &wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072}
			if _, err := nc.Write(wire.AppendMethodFrame(nil, 0, tune)); err != nil {
				return nil, err
			}
		}
		if err := c.callOn(0, m); err != nil {
			return nil, err
		}
	}
	return c, c.call(&wire.ChannelOpen{})
}

// call sends a method, if not nil, and waits for the answer.
func (c *rawClient) call(m wire.Method) error { return c.callOn(1, m) }

func (c *rawClient) callOn(channel uint16, m wire.Method) error {
	if m != nil {
		if _, err := c.nc.Write(wire.AppendMethodFrame(nil, channel, m)); err != nil {
			return err
		}
	}
	for {
		f, n, err := wire.NextFrame(c.buf[c.start:c.end], 131072)
		if err != nil {
			return err
		}
		if n > 0 {
			c.start += n
			switch id, _ := wire.PeekMethod(f.Payload); id {
			case wire.MethodChannelClose, wire.MethodConnectionClose:
				refused, _ := wire.ParseMethod(f.Payload)
				return fmt.Errorf("bench: %+v", refused)
			}
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
}

func (c *rawClient) fill() error {
	c.end = copy(c.buf, c.buf[c.start:c.end])
	c.start = 0
	n, err := c.nc.Read(c.buf[c.end:])
	c.end += n
	if n > 0 {
		return nil
	}
	return err
}

// chunk reads until there is at least one whole frame, and calls do for each frame.
func (c *rawClient) chunk(do func(wire.Frame)) error {
	for frames := 0; ; {
		for {
			f, n, err := wire.NextFrame(c.buf[c.start:c.end], 131072)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			c.start += n
			frames++
			do(f)
		}
		if frames > 0 {
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
}
