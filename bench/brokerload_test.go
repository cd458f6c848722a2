//go:build unix

package bench

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"harelab/engine/wire"
)

// A load is what the clients of BenchmarkBroker do: raw sockets and frames encoded
// beforehand, so that they cost little beside the broker.
type load struct {
	body      int
	exchange  string // empty: the default exchange
	bindings  int    // of a topic exchange, over 50 queues
	consumers int    // of the queue
	prefetch  int    // 0: without acknowledgement
	window    int    // publishes on their way: undelivered, or unconfirmed with confirms
	confirms  bool
}

// loadEnv tells a process of the test binary to be the load: the broker's address and
// the load.
const loadEnv = "HARELAB_BENCH_LOAD"

// TestLoadProcess is the load in a process of its own. It does nothing in an ordinary
// run of the tests.
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
	delivered chan int
}

// newLoadRun connects the clients and declares what they need.
func newLoadRun(l load, dial func() (net.Conn, error)) (*loadRun, error) {
	r := &loadRun{load: l, delivered: make(chan int, 1024)}
	var err error
	if r.publisher, err = newRawClient(dial); err != nil {
		return nil, err
	}
	if err := r.declare(r.publisher); err != nil {
		return nil, err
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
	key := loadQueue
	if l.exchange != "" {
		key = "w7.bench.w3"
	}
	one = wire.AppendMethodFrame(one, 1, &wire.BasicPublish{Exchange: l.exchange, RoutingKey: key})
	one = wire.AppendHeaderFrame(one, 1, uint64(l.body), nil)
	one = wire.AppendBody(one, 1, make([]byte, l.body), 131072)
	r.each = len(one)
	for range max(1, 32<<10/len(one)) {
		r.block = append(r.block, one...)
	}
	return r, nil
}

// declare makes the queue and, for a topic exchange, all the bindings, each to one of 50
// queues: the routing key matches one.
func (r *loadRun) declare(c *rawClient) error {
	calls := []wire.Method{&wire.QueueDeclare{Queue: loadQueue, AutoDelete: true}}
	if r.exchange != "" {
		calls = append(calls, &wire.ExchangeDeclare{Exchange: r.exchange, Type: "topic"},
			&wire.QueueBind{Queue: loadQueue, Exchange: r.exchange, RoutingKey: "*.bench.#"})
		for i := range 49 {
			calls = append(calls, &wire.QueueDeclare{Queue: fmt.Sprintf("other%d", i), Exclusive: true})
		}
		for i := range r.bindings - 1 {
			calls = append(calls, &wire.QueueBind{
				Queue:      fmt.Sprintf("other%d", i%49),
				Exchange:   r.exchange,
				RoutingKey: fmt.Sprintf("*.other%d.#", i),
			})
		}
	}
	if r.confirms {
		calls = append(calls, &wire.ConfirmSelect{})
	}
	for _, m := range calls {
		if err := c.call(m); err != nil {
			return err
		}
	}
	return nil
}

// consume counts deliveries and acks them, all of a chunk with one multiple ack.
func (r *loadRun) consume(c *rawClient) {
	defer close(c.done)
	var tag, acked uint64
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
		if r.prefetch > 0 && tag > acked {
			acked = tag
			if _, err := c.nc.Write(wire.AppendAck(nil, 1, tag, true)); err != nil {
				return
			}
		}
		r.delivered <- n
	}
}

// run publishes n messages and returns when all are delivered, and confirmed if the
// load has confirms. It fails if there are more.
func (r *loadRun) run(n int) error {
	confirmed := make(chan uint64, 1024)
	if r.confirms {
		go r.confirm(confirmed, r.publisher.published+uint64(n))
	}
	base := r.publisher.published
	sent, delivered := 0, 0
	settled := func() int {
		if r.confirms {
			return int(r.publisher.confirmed - base)
		}
		return delivered
	}
	for delivered < n || r.confirms && settled() < n {
		for sent < n && sent-settled() < r.window {
			k := min(n-sent, r.window-(sent-settled()), len(r.block)/r.each)
			if _, err := r.publisher.nc.Write(r.block[:k*r.each]); err != nil {
				return err
			}
			sent += k
			r.publisher.published += uint64(k)
		}
		select {
		case k := <-r.delivered:
			delivered += k
		case tag := <-confirmed:
			r.publisher.confirmed = tag
		}
	}
	if delivered != n {
		return fmt.Errorf("bench: %d messages delivered, want %d", delivered, n)
	}
	return nil
}

// confirm reports the publisher's confirms up to last.
func (r *loadRun) confirm(confirmed chan<- uint64, last uint64) {
	for tag := uint64(0); tag < last; {
		err := r.publisher.chunk(func(f wire.Frame) {
			var v wire.AckView
			if v.Parse(f.Payload) == nil {
				tag = max(tag, v.DeliveryTag)
			}
		})
		if err != nil {
			return
		}
		confirmed <- tag
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

	published, confirmed uint64
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

// chunk reads once and calls do for each frame, or again until there is one.
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
