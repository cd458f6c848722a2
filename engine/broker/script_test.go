package broker

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"harelab/engine/auth"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/wire"
)

var update = flag.Bool("update", false, "write what the scripts print into testdata")

// TestScripts runs the conversations in testdata/*.txt. A line that begins with ">" is a
// call. Its answer and the deliveries that it causes follow, indented. Run with -update to
// write the answers, and read the difference.
//
//	> a1 declare q durable x-message-ttl=10
//
// calls queue.declare on channel 1 of connection a. The calls are in script_calls_test.go.
// After an error the script closes the channel, or the connection if the error is hard, as
// a server would, and a new one takes its name. An empty name is written as "-".
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := newScript(t)
			got := s.run(string(want))
			s.replay()
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			reportDifference(t, string(want), got)
		})
	}
}

func reportDifference(t *testing.T, want, got string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	call := ""
	for i := range min(len(w), len(g)) {
		if strings.HasPrefix(g[i], "> ") {
			call = g[i]
		}
		if w[i] != g[i] {
			t.Fatalf("line %d, after %q:\n got %q\nwant %q\n(-update writes what is got)", i+1, call, g[i], w[i])
		}
	}
	if len(w) != len(g) {
		t.Fatalf("%d lines, want %d", len(g), len(w))
	}
}

// A script is a broker with the connections and channels that a file names.
type script struct {
	t        *testing.T
	clock    *testClock
	broker   *Broker
	conns    map[string]*Conn
	channels map[string]*scriptChannel
	out      bytes.Buffer
	burst    bool // the lines are one burst, with one commit at its end
	records  []*queueRecord
}

// A queueRecord is the transcript of a queue.
type queueRecord struct {
	bytes.Buffer
	queue string
}

// A scriptChannel is a channel with a Sink that prints.
type scriptChannel struct {
	*Channel
	name   string
	script *script
	full   bool // Deliver returns false
}

func newScript(t *testing.T) *script {
	users := auth.New()
	if err := users.AddUser("limited", "secret"); err != nil {
		t.Fatal(err)
	}
	if err := users.SetPermissions("limited", "/", auth.Permissions{Configure: "^own", Write: "^own", Read: "^own"}); err != nil {
		t.Fatal(err)
	}
	clock := &testClock{now: 1_000_000_000_000}
	s := &script{t: t, clock: clock, conns: make(map[string]*Conn), channels: make(map[string]*scriptChannel)}
	b, err := New(Options{Clock: clock, Auth: users, Seed: 1, Transcript: func(_, queue string) io.Writer {
		r := &queueRecord{queue: queue}
		s.records = append(s.records, r)
		return r
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.broker = b
	return s
}

// replay replays the queues' transcripts and wants the same decisions.
func (s *script) replay() {
	for _, r := range s.records {
		text := r.String()
		if err := queue.Replay(r); err != nil {
			s.t.Errorf("replay of queue %s: %v\n%s", r.queue, err, text)
		}
	}
}

func (s *script) run(file string) string {
	for line := range strings.Lines(file) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "> "):
			s.out.WriteString(line + "\n")
			s.call(strings.Fields(line[2:]))
			s.check()
		case strings.HasPrefix(line, "  "): // an answer
		default:
			s.out.WriteString(line + "\n")
		}
	}
	return s.out.String()
}

// check checks the state machines of all queues after each call.
func (s *script) check() {
	for _, v := range s.broker.VHosts() {
		for _, q := range v.sortedQueues() {
			if err := q.machine.Check(false); err != nil {
				s.t.Fatalf("queue %s: %v", q.name, err)
			}
		}
	}
}

func (s *script) printf(format string, args ...any) {
	fmt.Fprintf(&s.out, "  "+format+"\n", args...)
}

// call makes one call: channel, verb, arguments.
func (s *script) call(words []string) {
	if words[0] == "advance" {
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.clock.advance(d)
		return
	}
	if list := lists[words[0]]; list != nil {
		list(s, words[1:])
		return
	}
	ch := s.channel(words[0])
	verb := verbs[words[1]]
	if verb == nil {
		s.t.Fatalf("unknown verb %q", words[1])
	}
	err := verb(ch, parseArgs(s.t, words[2:]))
	s.commit()
	if err == nil {
		return
	}
	e, ok := err.(*Error)
	if !ok {
		s.t.Fatalf("%q: error %v of type %T, want *Error", words, err, err)
	}
	if e.Hard() {
		s.printf("connection %d %s - %s", e.Code, e.Code.Name(), e.Text)
		s.closeConn(words[0][:1])
		return
	}
	s.printf("channel %d %s - %s", e.Code, e.Code.Name(), e.Text)
	ch.Close()
	delete(s.channels, words[0])
}

// commit ends the burst of calls of a line, on all connections.
func (s *script) commit() {
	if s.burst {
		return
	}
	for _, c := range s.conns {
		c.Commit()
	}
}

// channel returns the channel called name, for example a1, and opens it if it is not open.
// The user of connection u has few permissions.
func (s *script) channel(name string) *scriptChannel {
	if ch := s.channels[name]; ch != nil {
		return ch
	}
	id, err := strconv.Atoi(name[1:])
	if err != nil {
		s.t.Fatalf("channel %q: want a letter and a number", name)
	}
	conn := s.conns[name[:1]]
	if conn == nil {
		user := "guest"
		if name[0] == 'u' {
			user = "limited"
		}
		if conn, err = s.broker.Open("/", ConnOptions{Name: name[:1], User: user}); err != nil {
			s.t.Fatal(err)
		}
		s.conns[name[:1]] = conn
	}
	ch := &scriptChannel{name: name, script: s}
	ch.Channel = conn.Channel(uint16(id), ch)
	s.channels[name] = ch
	return ch
}

func (s *script) closeConn(name string) {
	if c := s.conns[name]; c != nil {
		c.Close()
	}
	delete(s.conns, name)
	for ch := range s.channels {
		if ch[:1] == name {
			delete(s.channels, ch)
		}
	}
}

func (c *scriptChannel) Deliver(d *Delivery, _ *Batch) bool {
	c.script.printf("%s gets %s", c.name, describeDelivery(d, d.Consumer.Tag))
	return !c.full
}

func (c *scriptChannel) Cancelled(tag string, _ *Batch) {
	c.script.printf("%s: %s is cancelled", c.name, tag)
}

func (c *scriptChannel) Confirmed(first, last uint64, ok bool, _ *Batch) {
	c.script.printf("%s: publishes %d to %d confirmed: %t", c.name, first, last, ok)
}

func describeDelivery(d *Delivery, tag string) string {
	text := fmt.Sprintf("%s #%d %q from %s", tag, d.DeliveryTag, d.Msg.Body(), d.Queue)
	if d.Redelivered {
		text += " redelivered"
	}
	return text + describeProperties(d.Msg)
}

// describeProperties formats the properties that the broker may change.
func describeProperties(m *message.Message) string {
	ps, err := wire.ParseProperties(m.Properties())
	if err != nil {
		return " " + err.Error()
	}
	text := ""
	if len(ps.Headers) > 0 {
		text += fmt.Sprintf(" exchange=%s key=%s headers=%v", m.Exchange(), m.RoutingKey(), ps.Headers)
	}
	if ps.Expiration != "" {
		text += " expiration=" + ps.Expiration
	}
	if ps.ReplyTo != "" {
		text += " reply-to=" + ps.ReplyTo
	}
	return text
}
