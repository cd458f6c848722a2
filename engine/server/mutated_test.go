package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine/broker"
	"harelab/engine/wire"
)

var (
	mutatedSessions = flag.Int("mutated", 5000, "number of sessions of TestMutatedSessions; 1,000,000 for a release")
	mutatedSeed     = flag.Uint64("mutated.seed", 0, "seed of TestMutatedSessions; 0: a new one")
	mutatedFirst    = flag.Int("mutated.first", 0, "number of the first session, to repeat one")
)

// recordings are sessions of the real client, which the test records and mutates.
var recordings = map[string]func(*amqp.Connection, *amqp.Channel) error{
	"declares": func(_ *amqp.Connection, ch *amqp.Channel) error {
		for _, kind := range []string{"direct", "fanout", "topic", "headers"} {
			ch.ExchangeDeclare("x."+kind, kind, kind == "topic", false, false, false, amqp.Table{"alternate-exchange": "amq.fanout"})
			ch.QueueDeclare("q."+kind, kind == "topic", false, kind == "headers", false, amqp.Table{
				"x-message-ttl": int32(60000), "x-max-length": int64(10), "x-dead-letter-exchange": "x.fanout", "x-max-priority": byte(4)})
			ch.QueueBind("q."+kind, "a.*.#", "x."+kind, false, amqp.Table{"x-match": "any", "nested": amqp.Table{"list": []any{int64(1), "two", 3.5, true, nil}}})
			ch.ExchangeBind("amq.topic", "k", "x."+kind, false, nil)
		}
		ch.QueueUnbind("q.topic", "a.*.#", "x.topic", amqp.Table{"x-match": "any"})
		ch.ExchangeUnbind("amq.topic", "k", "x.fanout", false, nil)
		ch.QueuePurge("q.direct", false)
		ch.QueueDelete("q.direct", false, false, false)
		return ch.ExchangeDelete("x.direct", false, false)
	},
	"confirms": func(_ *amqp.Connection, ch *amqp.Channel) error {
		ch.QueueDeclare("confirms", true, false, false, false, nil)
		ch.Confirm(false)
		for _, size := range []int{0, 1, 100, 5000, 140_000} {
			ch.PublishWithContext(context.Background(), "", "confirms", true, false, amqp.Publishing{
				ContentType: "text/plain", ContentEncoding: "none", DeliveryMode: 2, Priority: 3, CorrelationId: "c", ReplyTo: "r",
				Expiration: "60000", MessageId: "m", Timestamp: time.Unix(1, 0), Type: "t", UserId: "guest", AppId: "a",
				Headers: amqp.Table{"CC": []any{"confirms", "none"}, "x-cost": int64(5), "when": time.Unix(2, 0), "octets": []byte{0, 1}},
				Body:    make([]byte, size),
			})
		}
		_, err := ch.QueueDeclarePassive("confirms", true, false, false, false, nil)
		return err
	},
	"consumers": func(_ *amqp.Connection, ch *amqp.Channel) error {
		ch.QueueDeclare("consumers", false, true, false, false, nil)
		ch.Qos(5, 0, false)
		ch.Qos(7, 0, true)
		d, err := ch.Consume("consumers", "tag", false, false, false, false, amqp.Table{"x-priority": int32(3)})
		if err != nil {
			return err
		}
		for i := range 12 {
			ch.PublishWithContext(context.Background(), "", "consumers", false, false, amqp.Publishing{Body: []byte("body")})
			switch m := <-d; i % 4 {
			case 0:
				m.Ack(false)
			case 1:
				m.Nack(true, i == 1)
			case 2:
				m.Reject(false)
			}
			if i == 1 {
				(<-d).Ack(true)
			}
		}
		return ch.Cancel("tag", false)
	},
	"transactions": func(c *amqp.Connection, ch *amqp.Channel) error {
		ch.QueueDeclare("tx", true, false, false, false, amqp.Table{"x-queue-type": "quorum"})
		ch.Tx()
		for range 3 {
			ch.PublishWithContext(context.Background(), "", "tx", false, false, amqp.Publishing{Body: []byte("m")})
		}
		ch.TxCommit()
		m, _, _ := ch.Get("tx", false)
		m.Ack(false)
		ch.TxRollback()
		ch.Flow(true)
		second, err := c.Channel()
		if err != nil {
			return err
		}
		second.Close()
		return c.UpdateSecret("guest", "expired")
	},
}

// A recorder keeps what a client sends.
type recorder struct {
	net.Conn
	sent bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) {
	r.sent.Write(b)
	return r.Conn.Write(b)
}

// recordSessions returns the octets of whole sessions, from the protocol header to
// connection.close: those of recordings, and those of the transcripts after a login.
func recordSessions(t *testing.T) (all [][]byte) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(recordings)) {
		near, far := Pipe()
		r := &recorder{Conn: near}
		if err := newTestServer(t, Options{}).Go(far); err != nil {
			t.Fatal(err)
		}
		c, err := amqp.Open(r, amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: "guest", Password: "guest"}}, Vhost: "/"})
		if err != nil {
			t.Fatal(err)
		}
		ch, err := c.Channel()
		if err == nil {
			err = recordings[name](c, ch)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.Close()
		all = append(all, r.sent.Bytes())
	}
	hello := bytes.Clone(wire.ProtocolHeader[:])
	hello = wire.AppendMethodFrame(hello, 0, &wire.ConnectionStartOk{Mechanism: "PLAIN", Response: []byte("\x00guest\x00guest"), Locale: "en_US"})
	hello = wire.AppendMethodFrame(hello, 0, &wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 10})
	hello = wire.AppendMethodFrame(hello, 0, &wire.ConnectionOpen{VirtualHost: "/"})
	for _, tt := range readTranscripts(t, "testdata/transcripts.txt") {
		octets := bytes.Clone(hello)
		for _, l := range tt.lines {
			octets = append(octets, (&rawPeer{}).encode(l.verb, l.args)...)
		}
		all = append(all, octets)
	}
	return all
}

// extremes are values that lengths, numbers and flags are set to.
var extremes = []uint64{0, 1, 2, 127, 128, 255, 256, 4095, 4096, 65535, 131064, 131072, 1 << 31, 1<<31 - 1, 1<<32 - 1, 1 << 62, 1 << 63, 1<<64 - 1}

// mutate returns a session with some changes, most of which a parser finds only when it
// has taken the first part for good.
func mutate(r *rand.Rand, sessions [][]byte) []byte {
	b := bytes.Clone(sessions[r.IntN(len(sessions))])
	for range 1 + r.IntN(4) {
		if len(b) < 16 {
			break
		}
		at := r.IntN(len(b) - 8)
		end := min(len(b), at+1+r.IntN(1<<r.IntN(12)))
		switch r.IntN(10) {
		case 0: // a bit
			b[at] ^= 1 << r.IntN(8)
		case 1: // an octet
			b[at] = byte(r.Uint32())
		case 2: // a number of some width
			width := []int{1, 2, 4, 8}[r.IntN(4)]
			v := binary.BigEndian.AppendUint64(nil, extremes[r.IntN(len(extremes))])
			copy(b[at:], v[8-width:])
		case 3: // a piece is missing
			b = slices.Delete(b, at, end)
		case 4: // a piece comes twice
			b = slices.Insert(b, end, bytes.Clone(b[at:end])...)
		case 5: // a piece that was never there
			piece := make([]byte, end-at)
			for i := range piece {
				piece[i] = byte(r.Uint32())
			}
			b = slices.Insert(b, at, piece...)
		case 6: // the rest is missing
			b = b[:at]
		case 7: // the rest is another session's
			other := sessions[r.IntN(len(sessions))]
			b = append(b[:at], other[r.IntN(len(other)):]...)
		case 8: // a frame comes twice, or in another place, or on another channel
			frames := cutFrames(b)
			if len(frames) > 1 {
				from, to := frames[r.IntN(len(frames))], frames[r.IntN(len(frames))]
				frame := bytes.Clone(b[from[0]:from[1]])
				if r.IntN(2) == 0 {
					binary.BigEndian.PutUint16(frame[1:], uint16(r.IntN(4)))
				}
				b = slices.Insert(b, to[0], frame...)
			}
		case 9: // a frame is missing
			if frames := cutFrames(b); len(frames) > 0 {
				f := frames[r.IntN(len(frames))]
				b = slices.Delete(b, f[0], f[1])
			}
		}
	}
	return b
}

// cutFrames returns where the frames of a session begin and end, as far as they are whole.
func cutFrames(b []byte) (frames [][2]int) {
	for at := len(wire.ProtocolHeader); at+8 <= len(b); {
		size := int(binary.BigEndian.Uint32(b[at+3:]))
		end := at + 8 + size
		if size > len(b) || end > len(b) || b[end-1] != 0xCE {
			break
		}
		frames = append(frames, [2]int{at, end})
		at = end
	}
	return frames
}

// play sends a session in pieces and waits until the server hangs up. It reads what comes,
// or hangs up itself without reading.
func play(r *rand.Rand, nc net.Conn, octets []byte) {
	defer nc.Close()
	read := make(chan struct{})
	deaf := r.IntN(8) == 0
	go func() {
		defer close(read)
		if !deaf {
			io.Copy(io.Discard, nc)
		}
	}()
	for len(octets) > 0 {
		n := len(octets)
		if r.IntN(3) == 0 {
			n = 1 + r.IntN(n)
		}
		if _, err := nc.Write(octets[:n]); err != nil {
			break
		}
		octets = octets[n:]
	}
	if !deaf {
		nc.(interface{ CloseWrite() error }).CloseWrite()
	}
	<-read
}

// sweepBroker deletes what sessions have declared.
func sweepBroker(t *testing.T, b *broker.Broker) {
	t.Helper()
	s, err := b.Session("/", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range s.VHost().Queues() {
		if _, err := s.DeleteQueue(q.Name, broker.DeleteIf{}); err != nil {
			t.Errorf("delete queue %q: %v", q.Name, err)
		}
	}
	for _, x := range s.VHost().Exchanges() {
		if x.Name != "" && !strings.HasPrefix(x.Name, "amq.") {
			if err := s.DeleteExchange(x.Name, false); err != nil {
				t.Errorf("delete exchange %q: %v", x.Name, err)
			}
		}
	}
	if n := len(s.VHost().Connections()); n != 0 {
		t.Errorf("%d connections are listed after the last has gone", n)
	}
}

// TestMutatedSessions plays recorded sessions with mistakes in them. No parser panics, and
// afterwards the server has no connection, goroutine and memory more than before. A panic
// of the broker ends the test. To repeat one session, give its number with mutated.first,
// mutated 1 and the seed.
func TestMutatedSessions(t *testing.T) {
	seed := cmp.Or(*mutatedSeed, rand.Uint64())
	fmt.Fprintf(os.Stderr, "TestMutatedSessions: seed %d\n", seed)
	sessions := recordSessions(t)
	const together = 50   // sessions at the same time
	const perCheck = 1000 // sessions between checks of what is left
	const slack = 4 << 20 // octets of memory
	synctest.Test(t, func(t *testing.T) {
		var panicked atomic.Bool
		s := newTestServer(t, Options{Logger: slog.New(panics{slog.DiscardHandler, &panicked, os.Stderr})})
		base, goroutines := 0, runtime.NumGoroutine()
		check := func(last int) {
			t.Helper()
			sweepBroker(t, s.opts.Broker)
			for range 100 { // the runtime's own goroutines come and go, too
				if runtime.NumGoroutine() <= goroutines {
					break
				}
				runtime.GC()
			}
			switch {
			case panicked.Load():
				t.Error("a parser panicked")
			case runtime.NumGoroutine() > goroutines: // those that recorded may have ended since
				stacks := make([]byte, 64<<10)
				t.Errorf("%d goroutines, want at most %d\n%s", runtime.NumGoroutine(), goroutines, stacks[:runtime.Stack(stacks, true)])
			case len(s.conns) != 0 || len(s.parking.timers) != 0:
				t.Errorf("%d connections and %d parked ones are left", len(s.conns), len(s.parking.timers))
			case base == 0:
				base = heap()
			}
			if t.Failed() {
				t.Fatalf("among the sessions %d to %d of seed %d", last-perCheck+1, last, seed)
			}
		}
		first := *mutatedFirst
		for i := first; i < first+*mutatedSessions; i += together {
			var playing sync.WaitGroup
			for j := i; j < min(i+together, first+*mutatedSessions); j++ {
				r := rand.New(rand.NewPCG(seed, uint64(j)))
				octets := mutate(r, sessions)
				near, far := Pipe()
				if err := s.Go(far); err != nil {
					t.Fatal(err)
				}
				playing.Go(func() { play(r, near, octets) })
			}
			playing.Wait()
			time.Sleep(time.Minute) // delays of refusals and heartbeats
			synctest.Wait()
			if (i-first+together)%perCheck == 0 || i+together >= first+*mutatedSessions {
				check(i + together - 1)
			}
		}
		if grown := heap() - base; grown > slack {
			t.Errorf("the memory has grown by %d octets since the first %d sessions, want at most %d", grown, perCheck, slack)
		} else {
			t.Logf("%d sessions, memory has grown by %d octets since the first %d", *mutatedSessions, grown, perCheck)
		}
	})
}

// TestMutatedSessionsOverTCP plays some of the sessions over sockets: none is left open.
func TestMutatedSessionsOverTCP(t *testing.T) {
	seed := cmp.Or(*mutatedSeed, rand.Uint64())
	t.Logf("seed %d", seed)
	descriptors := func() int {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("the number of open descriptors is not known here")
		}
		return len(open)
	}
	sessions := recordSessions(t)
	s := newTestServer(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	before := descriptors()
	var playing sync.WaitGroup
	for i := range 200 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		octets := mutate(r, sessions)
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		nc.SetDeadline(time.Now().Add(time.Minute))
		playing.Go(func() { play(r, nc, octets) })
	}
	playing.Wait()
	after := descriptors()
	for end := time.Now().Add(20 * time.Second); after > before && time.Now().Before(end); after = descriptors() {
		time.Sleep(10 * time.Millisecond)
	}
	if after > before {
		t.Errorf("%d descriptors are open, want the %d from before", after, before)
	}
}
