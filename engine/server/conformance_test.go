package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine/wire"
)

// A probe is a real client with one channel, on a virtual host with the durable queue
// probe.q and the direct exchange probe.x.
type probe struct {
	t    *testing.T
	srv  *Server
	conn *amqp.Connection
	*amqp.Channel
	exception chan *amqp.Error // why the channel was closed
	fence     *amqp.Channel    // its answers come after everything that was sent before
}

// dial connects the real client, in memory.
func dial(t testing.TB, s *Server, config amqp.Config) (*amqp.Connection, error) {
	t.Helper()
	near, far := Pipe()
	if err := s.Go(far); err != nil {
		t.Fatal(err)
	}
	if config.SASL == nil {
		config.SASL = []amqp.Authentication{&amqp.PlainAuth{Username: "guest", Password: "guest"}}
	}
	if config.Vhost == "" {
		config.Vhost = "/"
	}
	conn, err := amqp.Open(near, config)
	if err != nil {
		near.Close()
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return conn, nil
}

func mustDial(t testing.TB, s *Server) *amqp.Connection {
	t.Helper()
	conn, err := dial(t, s, amqp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func newProbe(t *testing.T) *probe {
	t.Helper()
	s := newTestServer(t, Options{})
	p := &probe{t: t, srv: s, conn: mustDial(t, s)}
	var err error
	if p.Channel, err = p.conn.Channel(); err != nil {
		t.Fatal(err)
	}
	if p.fence, err = p.conn.Channel(); err != nil {
		t.Fatal(err)
	}
	p.exception = p.NotifyClose(make(chan *amqp.Error, 1))
	p.must(p.queue("probe.q", nil))
	p.must(p.ExchangeDeclare("probe.x", "direct", true, false, false, false, nil))
	return p
}

func (p *probe) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// queue declares a durable queue.
func (p *probe) queue(name string, args amqp.Table) error {
	_, err := p.QueueDeclare(name, true, false, false, false, args)
	return err
}

func (p *probe) publish(exchange, key string, m amqp.Publishing) error {
	return p.PublishWithContext(context.Background(), exchange, key, false, false, m)
}

func (p *probe) consume(queue, tag string, exclusive bool, args amqp.Table) error {
	_, err := p.Consume(queue, tag, false, exclusive, false, false, args)
	return err
}

func (p *probe) recover(requeue bool) error {
	//lint:ignore SA1019 the server serves clients that still use it
	return p.Recover(requeue)
}

// outcome returns the outcome of a call: "ok", or level, code and text of an exception. A
// call without an answer of its own has its outcome when the next call of the connection is
// answered. That call uses another channel: on this channel the exception could close it
// first, which would be an error of its own.
func (p *probe) outcome(err error) string {
	p.t.Helper()
	var e *amqp.Error
	if err == nil {
		if p.fence.Qos(0, 0, false) == nil && len(p.exception) == 0 {
			return "ok"
		}
		if e = <-p.exception; e == nil {
			p.t.Fatal("closed without an exception")
		}
	} else if !errors.As(err, &e) {
		return err.Error()
	}
	level := "channel"
	if _, err := p.conn.Channel(); err != nil {
		level = "connection"
	}
	return fmt.Sprintf("%s %d %s", level, e.Code, e.Reason)
}

// responses are the answers of RabbitMQ 3.10.8 to the same client.
var responses = []struct {
	name string
	do   func(p *probe) error
	want string
}{
	{"redeclare the same", func(p *probe) error { return p.queue("probe.q", nil) }, "ok"},
	{"redeclare not durable", func(p *probe) error {
		_, err := p.QueueDeclare("probe.q", false, false, false, false, nil)
		return err
	}, "channel 406 PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'probe.q' in vhost '/': received 'false' but current is 'true'"},
	{"redeclare with other arguments", func(p *probe) error {
		return p.queue("probe.q", amqp.Table{"x-message-ttl": int32(10)})
	}, "channel 406 PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'probe.q' in vhost '/': received the value '10' of type 'signedint' but current is none"},
	{"redeclare auto-delete", func(p *probe) error {
		_, err := p.QueueDeclare("probe.q", true, true, false, false, nil)
		return err
	}, "channel 406 PRECONDITION_FAILED - inequivalent arg 'auto_delete' for queue 'probe.q' in vhost '/': received 'true' but current is 'false'"},
	{"passive declare of a missing queue", func(p *probe) error {
		_, err := p.QueueDeclarePassive("nope", false, false, false, false, nil)
		return err
	}, "channel 404 NOT_FOUND - no queue 'nope' in vhost '/'"},
	{"reserved queue name", func(p *probe) error { return p.queue("amq.foo", nil) },
		"channel 403 ACCESS_REFUSED - queue name 'amq.foo' contains reserved prefix 'amq.*'"},
	{"reserved exchange name", func(p *probe) error {
		return p.ExchangeDeclare("amq.foo", "direct", false, false, false, false, nil)
	}, "channel 403 ACCESS_REFUSED - exchange name 'amq.foo' contains reserved prefix 'amq.*'"},
	{"unknown exchange type", func(p *probe) error {
		return p.ExchangeDeclare("probe.bogus", "bogus", false, false, false, false, nil)
	}, "connection 503 COMMAND_INVALID - unknown exchange type 'bogus'"},
	{"declare the default exchange", func(p *probe) error {
		return p.ExchangeDeclare("", "direct", false, false, false, false, nil)
	}, "channel 403 ACCESS_REFUSED - operation not permitted on the default exchange"},
	{"redeclare an exchange with another type", func(p *probe) error {
		return p.ExchangeDeclare("probe.x", "topic", true, false, false, false, nil)
	}, "channel 406 PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'probe.x' in vhost '/': received 'topic' but current is 'direct'"},
	{"delete a system exchange", func(p *probe) error { return p.ExchangeDelete("amq.direct", false, false) },
		"channel 403 ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost '/' not allowed"},
	{"delete the default exchange", func(p *probe) error { return p.ExchangeDelete("", false, false) },
		"channel 403 ACCESS_REFUSED - operation not permitted on the default exchange"},
	{"delete a missing exchange", func(p *probe) error { return p.ExchangeDelete("nope", false, false) }, "ok"},
	{"delete a missing queue", func(p *probe) error { _, err := p.QueueDelete("nope", false, false, false); return err }, "ok"},
	{"bind to the default exchange", func(p *probe) error { return p.QueueBind("probe.q", "k", "", false, nil) },
		"channel 403 ACCESS_REFUSED - operation not permitted on the default exchange"},
	{"bind a missing queue", func(p *probe) error { return p.QueueBind("nope", "k", "probe.x", false, nil) },
		"channel 404 NOT_FOUND - no queue 'nope' in vhost '/'"},
	{"bind to a missing exchange", func(p *probe) error { return p.QueueBind("probe.q", "k", "nope", false, nil) },
		"channel 404 NOT_FOUND - no exchange 'nope' in vhost '/'"},
	{"unbind what is not bound", func(p *probe) error { return p.QueueUnbind("probe.q", "nope", "probe.x", nil) }, "ok"},
	{"purge a missing queue", func(p *probe) error { _, err := p.QueuePurge("nope", false); return err },
		"channel 404 NOT_FOUND - no queue 'nope' in vhost '/'"},
	{"publish to a missing exchange", func(p *probe) error { return p.publish("nope", "k", amqp.Publishing{}) },
		"channel 404 NOT_FOUND - no exchange 'nope' in vhost '/'"},
	{"publish immediate", func(p *probe) error {
		return p.PublishWithContext(context.Background(), "", "probe.q", false, true, amqp.Publishing{})
	}, "connection 540 NOT_IMPLEMENTED - immediate=true"},
	{"expiration that is no number", func(p *probe) error {
		return p.publish("", "probe.q", amqp.Publishing{Expiration: "abc"})
	}, "channel 406 PRECONDITION_FAILED - invalid expiration 'abc': no_integer"},
	{"expiration below zero", func(p *probe) error {
		return p.publish("", "probe.q", amqp.Publishing{Expiration: "-1"})
	}, "channel 406 PRECONDITION_FAILED - invalid expiration '-1': {value_negative,-1}"},
	{"user id of another", func(p *probe) error {
		return p.publish("", "probe.q", amqp.Publishing{UserId: "bob"})
	}, "channel 406 PRECONDITION_FAILED - user_id property set to 'bob' but authenticated user was 'guest'"},
	{"CC header that is no list", func(p *probe) error {
		return p.publish("", "probe.q", amqp.Publishing{Headers: amqp.Table{"CC": "nope"}})
	}, `channel 406 PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,"CC",longstr}`},
	{"ack of an unknown tag", func(p *probe) error { return p.Ack(99, false) },
		"channel 406 PRECONDITION_FAILED - unknown delivery tag 99"},
	{"multiple nack of an unknown tag", func(p *probe) error { return p.Nack(99, true, true) },
		"channel 406 PRECONDITION_FAILED - unknown delivery tag 99"},
	{"ack of all when there is none", func(p *probe) error { return p.Ack(0, true) }, "ok"},
	{"reject of an unknown tag", func(p *probe) error { return p.Reject(5, true) },
		"channel 406 PRECONDITION_FAILED - unknown delivery tag 5"},
	{"prefetch size", func(p *probe) error { return p.Qos(0, 100, false) },
		"connection 540 NOT_IMPLEMENTED - prefetch_size!=0 (100)"},
	{"prefetch of the channel", func(p *probe) error { return p.Qos(10, 0, true) }, "ok"},
	{"consume from a missing queue", func(p *probe) error { return p.consume("nope", "t", false, nil) },
		"channel 404 NOT_FOUND - no queue 'nope' in vhost '/'"},
	{"consumer tag in use", func(p *probe) error {
		p.must(p.consume("probe.q", "t", false, nil))
		return p.consume("probe.q", "t", false, nil)
	}, "connection 530 NOT_ALLOWED - attempt to reuse consumer tag 't'"},
	{"consume beside an exclusive consumer", func(p *probe) error {
		p.must(p.consume("probe.q", "a", true, nil))
		return p.consume("probe.q", "b", false, nil)
	}, "channel 403 ACCESS_REFUSED - queue 'probe.q' in vhost '/' in exclusive use"},
	{"consume exclusively beside a consumer", func(p *probe) error {
		p.must(p.consume("probe.q", "a", false, nil))
		return p.consume("probe.q", "b", true, nil)
	}, "channel 403 ACCESS_REFUSED - queue 'probe.q' in vhost '/' in exclusive use"},
	{"consumer priority that is no number", func(p *probe) error {
		return p.consume("probe.q", "t", false, amqp.Table{"x-priority": "high"})
	}, `channel 406 PRECONDITION_FAILED - invalid arg 'x-priority' for queue 'probe.q' in vhost '/': "expected integer, got longstr"`},
	{"queue exclusive to another connection", func(p *probe) error {
		other, err := mustDial(p.t, p.srv).Channel()
		p.must(err)
		_, err = other.QueueDeclare("probe.excl", false, false, true, false, nil)
		p.must(err)
		_, err = p.QueueDeclare("probe.excl", false, false, true, false, nil)
		return err
	}, "channel 405 RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'probe.excl' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration."},
	{"delete a queue that is not empty", func(p *probe) error {
		p.must(p.publish("", "probe.q", amqp.Publishing{}))
		_, err := p.QueueDelete("probe.q", false, true, false)
		return err
	}, "channel 406 PRECONDITION_FAILED - queue 'probe.q' in vhost '/' not empty"},
	{"delete a queue in use", func(p *probe) error {
		p.must(p.consume("probe.q", "t", false, nil))
		_, err := p.QueueDelete("probe.q", true, false, false)
		return err
	}, "channel 406 PRECONDITION_FAILED - queue 'probe.q' in vhost '/' in use"},
	{"delete an exchange in use", func(p *probe) error {
		p.must(p.QueueBind("probe.q", "k", "probe.x", false, nil))
		return p.ExchangeDelete("probe.x", true, false)
	}, "channel 406 PRECONDITION_FAILED - exchange 'probe.x' in vhost '/' in use"},
	{"x-max-priority above 255", func(p *probe) error {
		return p.queue("probe.p", amqp.Table{"x-max-priority": int32(256)})
	}, "channel 406 PRECONDITION_FAILED - invalid arg 'x-max-priority' for queue 'probe.p' in vhost '/': {max_value_exceeded,256}"},
	{"x-max-priority 0", func(p *probe) error {
		return p.queue("probe.p", amqp.Table{"x-max-priority": int32(0)})
	}, "ok"},
	{"x-message-ttl below zero", func(p *probe) error {
		return p.queue("probe.p", amqp.Table{"x-message-ttl": int32(-1)})
	}, "channel 406 PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue 'probe.p' in vhost '/': {value_negative,-1}"},
	{"x-message-ttl that is no number", func(p *probe) error {
		return p.queue("probe.p", amqp.Table{"x-message-ttl": "soon"})
	}, `channel 406 PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue 'probe.p' in vhost '/': "expected integer, got longstr"`},
	{"x-expires 0", func(p *probe) error {
		return p.queue("probe.p", amqp.Table{"x-expires": int32(0)})
	}, "channel 406 PRECONDITION_FAILED - invalid arg 'x-expires' for queue 'probe.p' in vhost '/': {value_zero,0}"},
	{"unknown x-overflow", func(p *probe) error {
		return p.queue("probe.p", amqp.Table{"x-overflow": "bogus"})
	}, "channel 406 PRECONDITION_FAILED - invalid arg 'x-overflow' for queue 'probe.p' in vhost '/': invalid_overflow"},
	{"dead-letter routing key without an exchange", func(p *probe) error {
		return p.queue("probe.p", amqp.Table{"x-dead-letter-routing-key": "k"})
	}, "channel 406 PRECONDITION_FAILED - invalid arg 'x-dead-letter-routing-key' for queue 'probe.p' in vhost '/': routing_key_but_no_dlx_defined"},
	{"unknown x-queue-type", func(p *probe) error {
		return p.queue("probe.p", amqp.Table{"x-queue-type": "bogus"})
	}, `channel 406 PRECONDITION_FAILED - invalid arg 'x-queue-type' for queue 'probe.p' in vhost '/': "unsupported queue type 'bogus'"`},
	{"unknown argument", func(p *probe) error {
		return p.queue("probe.p", amqp.Table{"x-lab-anything": "goes"})
	}, "ok"},
	{"quorum queue that is not durable", func(p *probe) error {
		_, err := p.QueueDeclare("probe.p", false, false, false, false, amqp.Table{"x-queue-type": "quorum"})
		return err
	}, "channel 406 PRECONDITION_FAILED - invalid property 'non-durable' for queue 'probe.p' in vhost '/'"},
	{"confirms after tx", func(p *probe) error { p.must(p.Tx()); return p.Confirm(false) },
		"channel 406 PRECONDITION_FAILED - cannot switch from tx to confirm mode"},
	{"tx after confirms", func(p *probe) error { p.must(p.Confirm(false)); return p.Tx() },
		"channel 406 PRECONDITION_FAILED - cannot switch from confirm to tx mode"},
	{"commit without tx", func(p *probe) error { return p.TxCommit() },
		"channel 406 PRECONDITION_FAILED - channel is not transactional"},
	{"acks of direct replies", func(p *probe) error { return p.consume("amq.rabbitmq.reply-to", "t", false, nil) },
		"channel 406 PRECONDITION_FAILED - reply consumer cannot acknowledge"},
	{"direct replies without a consumer", func(p *probe) error {
		return p.publish("", "probe.q", amqp.Publishing{ReplyTo: "amq.rabbitmq.reply-to"})
	}, "channel 406 PRECONDITION_FAILED - fast reply consumer does not exist"},
	{"channel.flow false", func(p *probe) error { return p.Flow(false) },
		"connection 540 NOT_IMPLEMENTED - active=false"},
	{"channel.flow true", func(p *probe) error { return p.Flow(true) }, "ok"},
	{"recover without requeue", func(p *probe) error { return p.recover(false) },
		"connection 540 NOT_IMPLEMENTED - requeue=false"},
	{"recover", func(p *probe) error { return p.recover(true) }, "ok"},
	{"unknown x-match", func(p *probe) error {
		return p.QueueBind("probe.q", "", "amq.headers", false, amqp.Table{"x-match": "foo"})
	}, `channel 406 PRECONDITION_FAILED - Invalid x-match field value <<"foo">>; expected all, any, all-with-x, or any-with-x`},
	{"bind exchanges", func(p *probe) error { return p.ExchangeBind("probe.x", "k", "amq.topic", false, nil) }, "ok"},
	{"publish to an internal exchange", func(p *probe) error {
		p.must(p.ExchangeDeclare("probe.int", "direct", false, false, true, false, nil))
		return p.publish("probe.int", "k", amqp.Publishing{})
	}, "channel 403 ACCESS_REFUSED - cannot publish to internal exchange 'probe.int' in vhost '/'"},
	{"get from an empty queue", func(p *probe) error {
		_, ok, err := p.Get("probe.q", true)
		if ok {
			return errors.New("got a message")
		}
		return err
	}, "ok"},
}

// TestResponses makes the calls of responses with the real client.
func TestResponses(t *testing.T) {
	for _, tt := range responses {
		t.Run(tt.name, func(t *testing.T) {
			p := newProbe(t)
			if got := p.outcome(tt.do(p)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestUnknownVirtualHost(t *testing.T) {
	_, err := dial(t, newTestServer(t, Options{}), amqp.Config{Vhost: "nope"})
	const want = `Exception (530) Reason: "NOT_ALLOWED - vhost nope not found"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestLoginRefused: a failed login ends after 3 s of silence, which the client reports as a
// failed login.
func TestLoginRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		start := time.Now()
		_, err := dial(t, s, amqp.Config{
			SASL: []amqp.Authentication{&amqp.PlainAuth{Username: "guest", Password: "wrong"}},
		})
		if !errors.Is(err, amqp.ErrCredentials) || time.Since(start) != 3*time.Second {
			t.Errorf("got %v after %v, want %v after 3s", err, time.Since(start), amqp.ErrCredentials)
		}
	})
}

// TestLoginRefusedAloud: a client with the capability authentication_failure_close gets an
// answer at once.
func TestLoginRefusedAloud(t *testing.T) {
	p := newRawPeer(t, newTestServer(t, Options{}))
	p.send(wire.ProtocolHeader[:])
	p.want("connection.start 0.9")
	var able, properties wire.Table
	able.Set("authentication_failure_close", true)
	properties.Set("capabilities", able)
	p.method(0, &wire.ConnectionStartOk{
		ClientProperties: properties,
		Mechanism:        "PLAIN",
		Response:         []byte("\x00guest\x00wrong"),
	})
	p.want(`connection.close 403 "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile." 0.0`)
}

// TestGuestFromAfar: guest may connect from this machine only.
func TestGuestFromAfar(t *testing.T) {
	for addr, local := range map[net.Addr]bool{
		&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}:   true,
		&net.TCPAddr{IP: net.IPv6loopback}:         true,
		&net.TCPAddr{IP: net.IPv4(192, 168, 0, 1)}: false,
		&net.UnixAddr{}:                         true,
		pipeAddr("client"):                      true,
		&net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}: false,
	} {
		if got := isLocal(addr); got != local {
			t.Errorf("isLocal(%s %s) = %v, want %v", addr.Network(), addr, got, local)
		}
	}
}
