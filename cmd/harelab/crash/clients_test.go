//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/sync/errgroup"
)

// A client is a connection with one channel, and the socket, to be cut.
type client struct {
	*amqp.Channel
	conn   *amqp.Connection
	socket net.Conn
}

func dial(addr string) (*client, error) {
	c := new(client)
	var err error
	c.conn, err = amqp.DialConfig("amqp://guest:guest@"+addr+"/", amqp.Config{
		Heartbeat: 10 * time.Second,
		Dial: func(network, addr string) (net.Conn, error) {
			nc, err := net.DialTimeout(network, addr, limit)
			if err == nil {
				c.socket = nc
				err = nc.SetDeadline(time.Now().Add(limit)) // of the handshake
			}
			return nc, err
		},
	})
	if err != nil {
		return nil, err
	}
	if c.Channel, err = c.conn.Channel(); err != nil {
		c.socket.Close()
		return nil, err
	}
	return c, nil
}

// hangUp cuts the connection, and waits until the client knows.
func (c *client) hangUp() {
	c.socket.Close()
	c.conn.Close()
}

// declare makes the topology.
func declare(addr string) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	arguments := map[string]amqp.Table{
		"topic.orders": {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": Dead},
		"ranked":       {"x-max-priority": int32(MaxPriority)},
		Short:          {"x-message-ttl": int32(200), "x-dead-letter-exchange": "", "x-dead-letter-routing-key": Late},
	}
	names := []string{Short, Fence}
	for _, q := range Queues {
		names = append(names, q.Name)
	}
	for _, name := range names {
		if _, err := c.QueueDeclare(name, true, false, false, false, arguments[name]); err != nil {
			return err
		}
	}
	return errors.Join(
		c.ExchangeDeclare(Fanout, "fanout", true, false, false, false, nil),
		c.ExchangeDeclare(Topic, "topic", true, false, false, false, nil),
		c.QueueBind("fan.1", "", Fanout, false, nil),
		c.QueueBind("fan.2", "", Fanout, false, nil),
		c.QueueBind("topic.orders", "orders.*", Topic, false, nil),
		c.QueueBind("topic.all", "#", Topic, false, nil),
	)
}

// body returns a message's body, which says what it is. Sizes differ: most are below small.
func body(id ID, small int, r *rand.Rand) []byte {
	b := fmt.Appendf(nil, "%d/%d ", id.Publisher, id.Number)
	size := r.IntN(small)
	if r.IntN(100) == 0 {
		size = r.IntN(largeMax)
	}
	at := r.IntN(len(noise) - size)
	return append(b, noise[at:at+size]...)
}

const largeMax = 64 << 10

// noise is what bodies are made of. It cannot be compressed.
var noise = func() []byte {
	b := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}()

func parseBody(b []byte) (id ID, err error) {
	_, err = fmt.Sscanf(string(b[:min(len(b), 32)]), "%d/%d ", &id.Publisher, &id.Number)
	return id, err
}

// A publisher publishes with confirms, at most a window of them outstanding.
type publisher struct {
	ledger *Ledger
	id     ID // of the last message
	window int
	small  int // size of most bodies, in octets
	random *rand.Rand
	notify func(amqp.Blocking) // gets connection.blocked and unblocked, if not nil
}

// run publishes until the connection ends, or until ctx is done and all is confirmed.
func (p *publisher) run(ctx context.Context, addr string) {
	c, err := dial(addr)
	if err != nil {
		return
	}
	defer c.hangUp()
	var blocked atomic.Bool
	if p.notify != nil {
		blockings := c.conn.NotifyBlocked(make(chan amqp.Blocking))
		go func() {
			for b := range blockings {
				blocked.Store(b.Active)
				p.notify(b)
			}
		}()
	}
	if err := c.Confirm(false); err != nil {
		return
	}
	confirms := c.NotifyPublish(make(chan amqp.Confirmation, p.window))
	slots := make(chan struct{}, p.window)
	before := p.id
	var confirming sync.WaitGroup
	confirming.Go(func() {
		for confirm := range confirms {
			p.ledger.Confirm(ID{before.Publisher, before.Number + int(confirm.DeliveryTag)}, confirm.Ack)
			<-slots
		}
	})
	ended := c.conn.NotifyClose(make(chan *amqp.Error, 1))
	for {
		select {
		case <-ctx.Done():
			// The client panics if connection.unblocked comes while it is being closed.
			for quietFor := 0; quietFor < 20 && !c.conn.IsClosed(); quietFor++ {
				if time.Sleep(5 * time.Millisecond); len(slots) > 0 || blocked.Load() {
					quietFor = 0
				}
			}
			c.hangUp()
			confirming.Wait()
			return
		default:
		}
		select {
		case slots <- struct{}{}:
		case <-ended:
			confirming.Wait()
			return
		}
		p.id.Number++
		to := RandomRoute(p.random)
		p.ledger.Attempt(p.id, to)
		err := c.Publish(to.Exchange, to.Key, false, false, amqp.Publishing{
			DeliveryMode: amqp.Persistent,
			Priority:     to.Priority,
			Body:         body(p.id, p.small, p.random),
		})
		if err != nil {
			c.hangUp()
			confirming.Wait()
			return
		}
	}
}

// A consumer consumes from all queues and settles in every way there is.
type consumer struct {
	ledger *Ledger
	random *rand.Rand
}

// run consumes until ctx is done, on new connections as long as there are any.
func (c *consumer) run(ctx context.Context, addr string) {
	for ctx.Err() == nil {
		if err := c.session(ctx, addr); err != nil {
			sleep(ctx, 5*time.Millisecond)
		}
	}
}

// session consumes, on a channel for each queue, until ctx is done, the connection ends, or
// the consumer drops it.
func (c *consumer) session(ctx context.Context, addr string) error {
	conn, err := dial(addr)
	if err != nil {
		return err
	}
	defer conn.hangUp()
	var working sync.WaitGroup
	defer working.Wait()
	for _, q := range Queues {
		ch, err := conn.conn.Channel()
		if err != nil {
			return err
		}
		if err := ch.Qos([]int{1, 10, 100, 1000}[c.random.IntN(4)], 0, false); err != nil {
			return err
		}
		deliveries, err := ch.Consume(q.Name, q.Name, false, false, false, false, nil)
		if err != nil {
			return err
		}
		w := worker{
			queue: q, client: conn, channel: ch, ledger: c.ledger,
			reader: c.ledger.Reader(false), random: rand.New(rand.NewPCG(c.random.Uint64(), 0)),
		}
		working.Go(func() { w.work(ctx, deliveries) })
	}
	working.Wait()
	return nil
}

// A worker settles what comes on one channel.
type worker struct {
	queue   Queue
	client  *client
	channel *amqp.Channel
	ledger  *Ledger
	reader  *Reader
	random  *rand.Rand
	open    []held
}

// A held delivery is not settled yet.
type held struct {
	id  ID
	tag uint64
}

// work settles deliveries until ctx is done or the connection ends.
func (w *worker) work(ctx context.Context, deliveries <-chan amqp.Delivery) {
	for {
		select {
		case d, ok := <-deliveries:
			if !ok {
				return
			}
			w.ledger.see(w.reader, w.queue.Name, &d, func(id ID) { w.settle(held{id, d.DeliveryTag}) })
		case <-ctx.Done():
			w.client.hangUp()
			return
		}
	}
}

// see notes a delivery in the ledger and calls f with its identity.
func (l *Ledger) see(r *Reader, queue string, d *amqp.Delivery, f func(ID)) {
	id, err := parseBody(d.Body)
	if err != nil {
		id = ID{}
	}
	r.Deliver(queue, id, d.Redelivered)
	f(id)
}

// settle settles a delivery, or also those held before, or none, or drops the connection.
// Dead letters are acked in the end, so that the ledger can tell whether they came.
func (w *worker) settle(d held) {
	n := w.random.IntN(1000)
	switch {
	case n < 1 && w.random.IntN(4) == 0:
		w.client.hangUp()
	case n < 60:
		w.channel.Nack(d.tag, false, true)
	case n < 120 && !w.queue.Derived:
		w.ledger.Settle(w.queue.Name, d.id, Rejected)
		w.channel.Nack(d.tag, false, false)
	case n < 160:
		w.open = append(w.open, d)
	case n < 220:
		for _, h := range append(w.open, d) {
			w.ledger.Settle(w.queue.Name, h.id, Acked)
		}
		w.open = w.open[:0]
		w.channel.Ack(d.tag, true)
	default:
		w.ledger.Settle(w.queue.Name, d.id, Acked)
		w.channel.Ack(d.tag, false)
	}
}

// quiet is how long nothing must come from a queue that was empty, as was the one whose
// messages expire into it, before it counts as drained: what is on its way comes within
// that time.
const quiet = 200 * time.Millisecond

// drain consumes alone from all queues, acks everything, and waits until the acks are
// durable.
func drain(l *Ledger, addr string) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.hangUp()
	var draining errgroup.Group
	for _, q := range Queues {
		ch, err := c.conn.Channel()
		if err != nil {
			return err
		}
		draining.Go(func() error {
			if err := drainQueue(l, q, ch); err != nil {
				return fmt.Errorf("draining %s: %w", q.Name, err)
			}
			return nil
		})
	}
	return draining.Wait()
}

func drainQueue(l *Ledger, q Queue, ch *amqp.Channel) error {
	deliveries, err := ch.Consume(q.Name, "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	reader := l.Reader(true)
	wasEmpty := false
	for end := time.Now().Add(limit); ; {
		if time.Now().After(end) {
			return fmt.Errorf("not empty after %v", limit)
		}
		select {
		case d, ok := <-deliveries:
			if !ok {
				return errors.New("the connection ended")
			}
			l.see(reader, q.Name, &d, func(id ID) { l.Settle(q.Name, id, Acked) })
			if err := d.Ack(false); err != nil {
				return err
			}
			wasEmpty = false
			continue
		case <-time.After(quiet):
		}
		empty := true
		for _, name := range []string{Short, q.Name} {
			state, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
			if err != nil {
				return err
			}
			empty = empty && state.Messages == 0
		}
		if empty && wasEmpty {
			return fence(ch)
		}
		wasEmpty = empty
	}
}

// fence waits until everything that was done on the channel is durable: a publish is.
func fence(ch *amqp.Channel) error {
	if err := ch.Confirm(false); err != nil {
		return err
	}
	confirm, err := ch.PublishWithDeferredConfirm("", Fence, false, false, amqp.Publishing{DeliveryMode: amqp.Persistent})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if ok, err := confirm.WaitContext(ctx); err != nil || !ok {
		return fmt.Errorf("the fence was not confirmed: %t, %v", ok, err)
	}
	_, err = ch.QueuePurge(Fence, false)
	return err
}
