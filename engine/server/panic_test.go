package server

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine/broker"
	"harelab/engine/message"
	"harelab/engine/wire"
)

// A liar is a connection whose Read, once the test asks for it, claims more octets than it
// had room for. The parser of frames panics on that.
type liar struct {
	net.Conn
	lies atomic.Bool
}

func (l *liar) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if l.lies.Swap(false) {
		n = len(b) + 1
	}
	return n, err
}

// TestPanicInAParserEndsItsConnection: a panic in a parser ends only the connection that
// sent the octets.
func TestPanicInAParserEndsItsConnection(t *testing.T) {
	for _, in := range []string{"handshake", "session"} {
		t.Run(in, func(t *testing.T) {
			var logged atomic.Bool
			s := newTestServer(t, Options{Logger: slog.New(panics{slog.DiscardHandler, &logged, io.Discard})})
			other := mustDial(t, s)
			near, far := Pipe()
			defer near.Close()
			server := &liar{Conn: far}
			if err := s.Go(server); err != nil {
				t.Fatal(err)
			}
			bad := &rawPeer{t: t, nc: near}
			if in == "session" {
				bad.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
				bad.method(7, &wire.ChannelOpen{})
				bad.want("channel.open-ok")
			} else {
				bad.send(wire.ProtocolHeader[:])
				bad.want("connection.start 0.9")
			}
			server.lies.Store(true)
			bad.send([]byte{wire.FrameMethod})
			bad.want(`connection.close 541 "INTERNAL_ERROR" 0.0`)
			if !logged.Load() {
				t.Error("the panic was not logged")
			}
			ch, err := other.Channel()
			if err == nil {
				_, err = ch.QueueDeclare("q", false, false, false, false, nil)
			}
			if err != nil {
				t.Errorf("another connection: %v", err)
			}
		})
	}
}

// A faulty tracer panics while the broker holds a queue's lock: when a message enters the
// queue "broken", and, while armed, when a message leaves any queue.
type faulty struct{ armed atomic.Bool }

func (f *faulty) Enqueued(_ *message.Message, queue string, _ int64) {
	if queue == "broken" {
		panic("planted fault")
	}
}

func (f *faulty) Dispatched(*message.Message, string, int64) {
	if f.armed.Load() {
		panic("planted fault")
	}
}

func (f *faulty) Acked(*message.Message, string, int64) {}

func (f *faulty) Died(*message.Message, string, broker.Death, int64) {}

// TestPanicBelowALockEndsTheProcess: a panic below a queue's lock ends the process, in the
// reader, the writer and a timer. The state that the lock guards cannot be trusted any
// more, and other goroutines would wait for the lock for ever.
func TestPanicBelowALockEndsTheProcess(t *testing.T) {
	for _, in := range []struct {
		goroutine string
		provoke   func(*testing.T, *Server, *faulty)
		frame     string // the function in the stack at which the goroutine began
	}{
		{"reader", panicInReader, "server.(*conn).read("},
		{"writer", panicInWriter, "server.(*conn).write("},
		{"timer", panicInTimer, "broker.(*Broker).run("},
	} {
		t.Run(in.goroutine, func(t *testing.T) {
			if os.Getenv("HARELAB_TEST_PANICS") != "" {
				f := new(faulty)
				logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
				b, err := broker.New(broker.Options{Tracer: f, Logger: logger})
				if err != nil {
					t.Fatal(err)
				}
				in.provoke(t, New(Options{Broker: b, Logger: logger}), f)
				time.Sleep(10 * time.Second)
				return
			}
			cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
			cmd.Env = append(os.Environ(), "HARELAB_TEST_PANICS=1")
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Errorf("the process ended with %v, want exit code 2", err)
			}
			log, _, _ := strings.Cut(string(out), "\npanic: ")
			for _, want := range []string{"panic: the process ends", "planted fault", in.frame, "broker.(*Queue)"} {
				if !strings.Contains(log, want) {
					t.Errorf("the log does not say %q", want)
				}
			}
			if t.Failed() {
				t.Logf("the process said:\n%s", out)
			}
		})
	}
}

func mustChannel(t *testing.T, s *Server) *amqp.Channel {
	ch, err := mustDial(t, s).Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func mustDeclare(t *testing.T, ch *amqp.Channel, name string, args amqp.Table) {
	if _, err := ch.QueueDeclare(name, false, false, false, false, args); err != nil {
		t.Fatal(err)
	}
}

func panicInReader(t *testing.T, s *Server, _ *faulty) {
	ch := mustChannel(t, s)
	mustDeclare(t, ch, "broken", nil)
	ch.Publish("", "broken", false, false, amqp.Publishing{})
}

// panicInWriter makes the writer panic: the consumer reads nothing until it is paused; when
// it reads, the writer resumes it.
func panicInWriter(t *testing.T, s *Server, f *faulty) {
	ch := mustChannel(t, s)
	mustDeclare(t, ch, "q", nil)
	slow := newRawPeer(t, s)
	slow.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
	slow.method(1, &wire.ChannelOpen{})
	slow.want("channel.open-ok")
	slow.method(1, &wire.BasicConsume{Queue: "q", NoAck: true})
	slow.want("basic.consume-ok")
	for range 100 {
		if err := ch.Publish("", "q", false, false, amqp.Publishing{Body: make([]byte, 100<<10)}); err != nil {
			t.Fatal(err)
		}
	}
	mustDeclare(t, ch, "fence", nil)
	f.armed.Store(true)
	for {
		if _, err := slow.frame(); err != nil {
			return
		}
	}
}

// panicInTimer makes a timer panic: it dead-letters messages that expire in one queue to
// another.
func panicInTimer(t *testing.T, s *Server, _ *faulty) {
	ch := mustChannel(t, s)
	mustDeclare(t, ch, "broken", nil)
	mustDeclare(t, ch, "q", amqp.Table{"x-message-ttl": 1, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "broken"})
	ch.Publish("", "q", false, false, amqp.Publishing{})
}
