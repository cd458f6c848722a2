package broker

import (
	"bytes"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"harelab/engine/message"
	"harelab/engine/wire"
)

// limited returns a broker with limits, and its log.
func limited(t *testing.T, o Options) (*Broker, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "messages" {
			return slog.Attr{}
		}
		return a
	}}))
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b, &log
}

// TestMessagesSetTheMemoryAlarm fills two queues that share messages until the alarm is set,
// at seven tenths of the limit. Consuming clears it, at three quarters of that. Publishers
// are told by Pressure, and the log says so once each time.
func TestMessagesSetTheMemoryAlarm(t *testing.T) {
	const limit, body = 1 << 20, 4 << 10
	b, log := limited(t, Options{MemoryLimit: limit})
	c := open(t, b, "guest")
	ch := c.Channel(1, nil)
	for _, q := range []string{"a", "b"} {
		if _, err := ch.conn.DeclareQueue(QueueSpec{Name: q}); err != nil {
			t.Fatal(err)
		}
		if err := c.Bind(BindingSpec{Source: "amq.fanout", Destination: q}); err != nil {
			t.Fatal(err)
		}
	}
	size := int64(message.HeadBytes + len("amq.fanout") + 2 + 2 + body) // shared: once
	each := size + 2*rowOctets
	for round := range 2 {
		log.Reset()
		published := int64(0)
		for b.Alarms() == 0 && published < 1000 {
			published++
			if _, err := ch.Publish(&Publishing{Exchange: []byte("amq.fanout"), Body: make([]byte, body)}); err != nil {
				t.Fatal(err)
			}
			c.Commit()
			c.op.report()
			if got := b.Resources().Messages; got != published*each {
				t.Fatalf("round %d: %d messages take %d octets, want %d", round, published, got, published*each)
			}
		}
		reason, over := b.Pressure()
		if want := (limit/10*7 + each - 1) / each; published != want || reason != "low on memory" {
			t.Errorf("round %d: %q after %d messages of %d octets, want the alarm after %d", round, reason, published, each, want)
		}
		left := published
		for b.Alarms() != 0 && left > 0 {
			for _, q := range []string{"a", "b"} {
				r, _, err := ch.Get(q, true)
				if err != nil {
					t.Fatal(err)
				}
				r.Msg.Release()
			}
			left--
			c.op.report()
			b.Watch(0, -1)
		}
		if want := (limit/10*7/4*3 - 1) / each; left != want {
			t.Errorf("round %d: the alarm cleared with %d messages left, want %d", round, left, want)
		}
		select {
		case <-over:
		default:
			t.Errorf("round %d: publishers are not told that the alarm is over", round)
		}
		want := `level=WARN msg="memory resource limit alarm set on node harelab@localhost: publishers are blocked until it clears" process=0 limit=1048576
level=WARN msg="memory resource limit alarm cleared on node harelab@localhost" process=0 limit=1048576
`
		if log.String() != want {
			t.Errorf("round %d: log\n%swant\n%s", round, log, want)
		}
		for _, q := range []string{"a", "b"} {
			if _, err := c.PurgeQueue(q); err != nil {
				t.Fatal(err)
			}
		}
		c.op.report()
		if got := b.Resources().Messages; got != 0 {
			t.Errorf("round %d: the purged queues take %d octets", round, got)
		}
	}
}

// TestAccountComesOutEven: whatever way a message takes out of the broker, its memory
// leaves the account.
func TestAccountComesOutEven(t *testing.T) {
	for name, f := range map[string]func(*testing.T, *Channel){
		"no queue": func(t *testing.T, ch *Channel) { publishTo(t, ch, "nowhere") },
		"no ack":   func(t *testing.T, ch *Channel) { publishTo(t, ch, "q"); consume(t, ch, "q", true) },
		"ack":      func(t *testing.T, ch *Channel) { publishTo(t, ch, "q"); consume(t, ch, "q", false); ch.Ack(0, true) },
		"reject": func(t *testing.T, ch *Channel) {
			publishTo(t, ch, "q")
			consume(t, ch, "q", false)
			ch.Nack(0, true, false)
		},
		"delete": func(t *testing.T, ch *Channel) { publishTo(t, ch, "q"); ch.conn.DeleteQueue("q", DeleteIf{}) },
		"overflow": func(t *testing.T, ch *Channel) {
			publishTo(t, ch, "short")
			publishTo(t, ch, "short")
			ch.conn.PurgeQueue("short")
		},
		"refused":  func(t *testing.T, ch *Channel) { publishTo(t, ch, "full") },
		"rollback": func(t *testing.T, ch *Channel) { ch.TxSelect(); publishTo(t, ch, "q"); ch.TxRollback() },
		"tx": func(t *testing.T, ch *Channel) {
			ch.TxSelect()
			publishTo(t, ch, "q")
			ch.TxCommit(CommitOptions{})
			ch.conn.PurgeQueue("q")
		},
		"dead once": func(t *testing.T, ch *Channel) {
			publishTo(t, ch, "dying")
			consume(t, ch, "dying", false)
			ch.Nack(0, true, false)
			ch.conn.PurgeQueue("q")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := limited(t, Options{MemoryLimit: 1 << 30})
			c := open(t, b, "guest")
			for q, args := range map[string]string{
				"q": "", "short": "x-max-length=1", "full": "x-max-length=0 x-overflow=reject-publish-dlx x-dead-letter-exchange=",
				"dying": "x-dead-letter-exchange= x-dead-letter-routing-key=q",
			} {
				if _, err := c.DeclareQueue(QueueSpec{Name: q, Arguments: tableOf(args)}); err != nil {
					t.Fatal(err)
				}
			}
			f(t, c.Channel(1, nil))
			c.op.report()
			if got := b.Resources().Messages; got != 0 {
				t.Errorf("messages take %d octets, want none", got)
			}
		})
	}
}

// TestDiskAlarm: the disk's alarm is set below the limit and cleared from one and a half
// times the limit.
func TestDiskAlarm(t *testing.T) {
	b, log := limited(t, Options{DiskFreeLimit: 1000})
	for _, tt := range []struct {
		free int64
		want Alarm
	}{{-1, 0}, {1000, 0}, {999, AlarmDisk}, {-1, AlarmDisk}, {1499, AlarmDisk}, {1500, 0}, {1000, 0}, {0, AlarmDisk}, {2000, 0}} {
		b.Watch(1<<40, tt.free)
		if got := b.Alarms(); got != tt.want {
			t.Errorf("%d octets free: alarms %b, want %b", tt.free, got, tt.want)
		}
		if got := b.Resources().DiskFree; got != tt.free {
			t.Errorf("%d octets are listed as free, want %d", got, tt.free)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 4 {
		t.Errorf("%d lines in the log, want 4:\n%s", n, log)
	}
}

// open connects a user to "/".
func open(t *testing.T, b *Broker, user string) *Conn {
	t.Helper()
	c, err := b.Open("/", ConnOptions{User: user})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// publishTo publishes a body of 1,000 octets by the default exchange.
func publishTo(t *testing.T, ch *Channel, q string) {
	t.Helper()
	if _, err := ch.Publish(&Publishing{RoutingKey: []byte(q), Body: make([]byte, 1000)}); err != nil {
		t.Fatal(err)
	}
}

// consume subscribes the channel to a queue.
func consume(t *testing.T, ch *Channel, q string, noAck bool) {
	t.Helper()
	if _, err := ch.Consume(ConsumerSpec{Queue: q, NoAck: noAck}); err != nil {
		t.Fatal(err)
	}
}

// tableOf reads arguments as "key=text key=number".
func tableOf(s string) (args wire.Table) {
	for field := range strings.FieldsSeq(s) {
		key, text, _ := strings.Cut(field, "=")
		var value any = text
		if n, err := strconv.Atoi(text); err == nil {
			value = int32(n)
		}
		args = append(args, wire.Field{Key: key, Value: value})
	}
	return args
}
