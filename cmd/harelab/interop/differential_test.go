//go:build interop

package interop

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"harelab/engine"
	"harelab/engine/auth"
	"harelab/engine/wire"
)

var (
	rabbitURL    = flag.String("rabbitmq", "", "URL of a RabbitMQ to compare with; empty: start one")
	conversation = flag.String("conversation", "", "run only conversations whose name contains this, and show them")
	unmasked     = flag.Bool("unmasked", false, "compare the lines that are known to differ, too")
)

// TestSameAnswersAsRabbitMQ holds the conversations in testdata/differential.txt with
// a real RabbitMQ and with the engine, and wants the same frames from both, in the
// same order: reply codes and texts, counts, tags, flags, properties and bodies.
//
// A paragraph is a conversation. Its first line is its name; the others are said one
// by one, and what comes back until both sides fall silent is compared:
//
//	a1 queue.declare queue=$q +x-max-length=1
//
// has connection a send queue.declare on channel 1. Arguments are fields of the
// method; a name alone is a bit that is set, +name=value an entry of its table. A $ stands for a
// prefix of the conversation's own. What a channel or connection exception closed is
// opened again when it is next used. Publishing is
//
//	a1 publish EXCHANGE KEY BODY mandatory priority=2 +header=value
//
// where - is an empty name. A ~ before a line says that its answers are known to
// differ; they are not compared. Connections w log in as the user weak; a
// server that the test starts has none, so they need -rabbitmq.
func TestSameAnswersAsRabbitMQ(t *testing.T) {
	text, err := os.ReadFile("testdata/differential.txt")
	if err != nil {
		t.Fatal(err)
	}
	address := *rabbitURL
	if address == "" {
		address = rabbitmq(t)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	rabbit := func() (net.Conn, error) { return net.Dial("tcp", u.Host) }
	ours := startEngine(t)
	// Conversations wait more than they work: many at once, whatever -parallel says.
	var wg sync.WaitGroup
	slots := make(chan struct{}, 24)
	for i, c := range conversations(string(text)) {
		weak := slices.ContainsFunc(c.lines, func(line string) bool { return strings.HasPrefix(line, "w1 ") })
		if weak && *rabbitURL == "" {
			t.Logf("left out %q: it needs -rabbitmq URL of a server that has the user weak", c.name)
			continue
		}
		if !strings.Contains(c.name, *conversation) {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c.compare(t, fmt.Sprintf("s%d-%x.", i, time.Now().UnixNano()), rabbit, ours)
		})
	}
	wg.Wait()
}

// startEngine returns a way to connect to a fresh engine.
func startEngine(t *testing.T) dialFunc {
	t.Helper()
	users := auth.New()
	if err := users.AddUser("weak", "weak"); err != nil {
		t.Fatal(err)
	}
	if err := users.SetPermissions("weak", "/", auth.Permissions{Configure: `\.c`, Write: `\.c?w`, Read: `\.c?w?r`}); err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Auth: users, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e.Dial
}

type dialFunc func() (net.Conn, error)

// A talk is one conversation of the file.
type talk struct {
	name  string
	lines []string
}

func conversations(text string) (all []talk) {
	for _, paragraph := range strings.Split(text, "\n\n") {
		var lines []string
		for _, line := range strings.Split(paragraph, "\n") {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				lines = append(lines, line)
			}
		}
		if len(lines) > 0 {
			all = append(all, talk{lines[0], lines[1:]})
		}
	}
	return all
}

// compare holds the conversation with both, and again with more patience if they
// differ: nothing but silence tells that an answer is complete.
func (c talk) compare(t *testing.T, prefix string, rabbit, ours dialFunc) {
	t.Helper()
	var want, got []string
	for i, patience := range []time.Duration{60 * time.Millisecond, 400 * time.Millisecond} {
		prefix := fmt.Sprintf("%d%s", i, prefix)
		var wg sync.WaitGroup
		wg.Go(func() { want = c.hold(t, prefix, rabbit, patience) })
		wg.Go(func() { got = c.hold(t, prefix, ours, patience) })
		wg.Wait()
		same := true
		for i := range c.lines {
			same = same && (want[i] == got[i] || c.masked(i))
		}
		if same {
			break
		}
	}
	if *conversation != "" {
		t.Logf("RabbitMQ:\n%s", strings.Join(want, "\n"))
	}
	for i := range c.lines {
		if want[i] != got[i] && !c.masked(i) {
			t.Errorf("%s: %s\nRabbitMQ answered%s\nharelab answered%s", c.name, c.lines[i], want[i], got[i])
		}
	}
}

// masked reports whether the answers to a line may differ.
func (c talk) masked(line int) bool { return c.lines[line][0] == '~' && !*unmasked }

// hold has the conversation with one server. It returns what each line brought.
func (c talk) hold(t *testing.T, prefix string, dial dialFunc, patience time.Duration) (answers []string) {
	t.Helper()
	s := &stage{t: t, prefix: prefix, dial: dial, patience: patience, peers: make(map[string]*peer)}
	defer s.close()
	for _, line := range c.lines {
		answers = append(answers, s.say(line))
	}
	return answers
}

// A stage is a conversation under way.
type stage struct {
	t        *testing.T
	prefix   string
	dial     dialFunc
	patience time.Duration

	mu    sync.Mutex
	heard time.Time // when the last frame came
	peers map[string]*peer
}

func (s *stage) close() {
	for _, p := range s.peers {
		p.nc.Close()
	}
}

// made are names that a server makes up.
var made = regexp.MustCompile(`amq\.(gen|ctag)-[A-Za-z0-9_-]{22}|\.g1h\w+|amq\.rabbitmq\.reply-to\.[^ "]+`)

// say carries out one line and returns what it brought.
func (s *stage) say(line string) string {
	words := strings.Fields(strings.ReplaceAll(strings.TrimPrefix(line, "~"), "$", s.prefix))
	if words[0] == "wait" {
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(d)
		return s.collect()
	}
	name, rest := words[0][:1], words[0][1:]
	p := s.peer(name)
	if words[1] == "drop" {
		p.nc.Close()
		delete(s.peers, name)
		s.silence(nil)
		return s.collect()
	}
	channel, err := strconv.ParseUint(rest, 10, 16)
	if err != nil {
		s.t.Fatalf("%q: %v", line, err)
	}
	p.openChannel(uint16(channel))
	octets, answered := encode(s.t, uint16(channel), words[1:])
	p.nc.Write(octets)
	if answered {
		s.silence(p)
	} else {
		s.silence(nil)
	}
	return s.collect()
}

// silence waits until no frame came for a while, after one to p if p is not nil.
func (s *stage) silence(p *peer) {
	begin := time.Now()
	for {
		time.Sleep(5 * time.Millisecond)
		s.mu.Lock()
		answered := p == nil || len(p.heard) > 0 || p.ended
		last := s.heard
		s.mu.Unlock()
		if last.Before(begin) {
			last = begin
		}
		if answered && time.Since(last) > s.patience || time.Since(begin) > 3*time.Second {
			return
		}
	}
}

// collect returns what came, connection by connection.
func (s *stage) collect() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for name := 'a'; name <= 'z'; name++ {
		p := s.peers[string(name)]
		if p == nil {
			continue
		}
		for _, line := range p.heard {
			line = strings.ReplaceAll(made.ReplaceAllString(line, "amq.$1-*"), s.prefix, "$")
			fmt.Fprintf(&b, "\n   %c%s", name, line)
		}
		p.heard = nil
		if p.ended {
			delete(s.peers, string(name))
		}
	}
	if b.Len() == 0 {
		return " nothing"
	}
	return b.String()
}

// A peer is one connection.
type peer struct {
	s    *stage
	nc   net.Conn
	got  []byte
	open map[uint16]bool // channels; under the stage's lock

	heard []string // under the stage's lock
	ended bool

	method  wire.Method // of a content under way
	props   wire.Properties
	left    uint64
	content []byte
}

func (s *stage) peer(name string) *peer {
	if p := s.peers[name]; p != nil {
		return p
	}
	nc, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	p := &peer{s: s, nc: nc, open: make(map[uint16]bool)}
	user := "guest"
	if name == "w" {
		user = "weak"
	}
	nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	nc.Write(wire.ProtocolHeader[:])
	p.frame()
	p.send(0, &wire.ConnectionStartOk{
		ClientProperties: wire.Table{{Key: "capabilities", Value: wire.Table{
			{Key: "consumer_cancel_notify", Value: true}, {Key: "authentication_failure_close", Value: true}}}},
		Mechanism: "PLAIN", Response: []byte("\x00" + user + "\x00" + user), Locale: "en_US",
	})
	p.frame()
	p.send(0, &wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
	p.send(0, &wire.ConnectionOpen{VirtualHost: "/"})
	if f, err := p.frame(); err != nil || f.Type != wire.FrameMethod {
		s.t.Fatalf("connection.open: %v", err)
	}
	nc.SetReadDeadline(time.Time{})
	s.mu.Lock()
	s.peers[name] = p
	s.mu.Unlock()
	go p.listen()
	return p
}

func (p *peer) send(channel uint16, m wire.Method) {
	p.nc.Write(wire.AppendMethodFrame(nil, channel, m))
}

// openChannel opens a channel, unless it is open.
func (p *peer) openChannel(channel uint16) {
	p.s.mu.Lock()
	open := p.open[channel] || channel == 0
	p.s.mu.Unlock()
	if open {
		return
	}
	p.send(channel, &wire.ChannelOpen{})
	for deadline := time.Now().Add(5 * time.Second); !open && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		p.s.mu.Lock()
		open = p.open[channel]
		p.s.mu.Unlock()
	}
}

// frame reads the next frame.
func (p *peer) frame() (wire.Frame, error) {
	for {
		f, n, err := wire.NextFrame(p.got, 131072)
		if err != nil || n > 0 {
			p.got = p.got[n:]
			return f, err
		}
		b := make([]byte, 64<<10)
		n, err = p.nc.Read(b)
		p.got = append(p.got, b[:n]...)
		if err != nil && n == 0 {
			return wire.Frame{}, err
		}
	}
}

// listen notes what comes until the connection ends.
func (p *peer) listen() {
	for {
		f, err := p.frame()
		p.s.mu.Lock()
		p.s.heard = time.Now()
		if err != nil {
			p.ended = true
			p.s.mu.Unlock()
			return
		}
		if text := p.understand(f); text != "" {
			p.heard = append(p.heard, fmt.Sprintf("%d %s", f.Channel, text))
		}
		p.s.mu.Unlock()
	}
}

// understand says what a frame is, and closes what the server closes.
func (p *peer) understand(f wire.Frame) string {
	switch f.Type {
	case wire.FrameHeader:
		var h wire.HeaderView
		if err := h.Parse(f.Payload); err != nil {
			return err.Error()
		}
		p.props, _ = wire.ParseProperties(h.Properties)
		p.left, p.content = h.BodySize, nil
	case wire.FrameBody:
		p.content = append(p.content, f.Payload...)
		p.left -= uint64(len(f.Payload))
	case wire.FrameMethod:
		m, err := wire.ParseMethod(bytes.Clone(f.Payload))
		if err != nil {
			return err.Error()
		}
		switch m.(type) {
		case *wire.ChannelOpenOk:
			p.open[f.Channel] = true
			return ""
		case *wire.ChannelClose:
			delete(p.open, f.Channel)
			p.send(f.Channel, &wire.ChannelCloseOk{})
		case *wire.ChannelCloseOk:
			delete(p.open, f.Channel)
		case *wire.ConnectionClose:
			p.send(0, &wire.ConnectionCloseOk{})
		}
		if m.ID().HasContent() {
			p.method, p.left = m, 1
			return ""
		}
		return show(reflect.ValueOf(m).Elem(), m.ID().String())
	default:
		return fmt.Sprintf("frame of type %d", f.Type)
	}
	if p.left > 0 {
		return ""
	}
	return show(reflect.ValueOf(p.method).Elem(), p.method.ID().String()) + fmt.Sprintf(" %q", p.content) +
		show(reflect.ValueOf(p.props), "")
}

// show prints the fields of a struct that are not zero.
func show(v reflect.Value, name string) string {
	var b strings.Builder
	b.WriteString(name)
	for i := range v.NumField() {
		if f := v.Field(i); !f.IsZero() {
			fmt.Fprintf(&b, " %s=%s", v.Type().Field(i).Name, value(f.Interface()))
		}
	}
	return b.String()
}

// value prints a value of a table with its type.
func value(v any) string {
	switch v := v.(type) {
	case wire.Table:
		var b strings.Builder
		for _, f := range v {
			fmt.Fprintf(&b, " %s:%s", f.Key, value(f.Value))
		}
		return "{" + strings.TrimSpace(b.String()) + "}"
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString(" " + value(e))
		}
		return "[" + strings.TrimSpace(b.String()) + "]"
	case wire.Timestamp:
		return "time"
	case string, []byte:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprintf("%T(%v)", v, v)
}

// methods are those that a client may send, by name.
var methods = func() map[string]wire.Method {
	byName := make(map[string]wire.Method)
	for _, m := range []wire.Method{
		&wire.ConnectionUpdateSecret{}, &wire.ConnectionClose{},
		&wire.ChannelOpen{}, &wire.ChannelFlow{}, &wire.ChannelClose{}, &wire.AccessRequest{},
		&wire.ExchangeDeclare{}, &wire.ExchangeDelete{}, &wire.ExchangeBind{}, &wire.ExchangeUnbind{},
		&wire.QueueDeclare{}, &wire.QueueBind{}, &wire.QueuePurge{}, &wire.QueueDelete{}, &wire.QueueUnbind{},
		&wire.BasicQos{}, &wire.BasicConsume{}, &wire.BasicCancel{}, &wire.BasicPublish{}, &wire.BasicGet{},
		&wire.BasicAck{}, &wire.BasicReject{}, &wire.BasicNack{}, &wire.BasicRecover{}, &wire.BasicRecoverAsync{},
		&wire.ConfirmSelect{}, &wire.TxSelect{}, &wire.TxCommit{}, &wire.TxRollback{},
	} {
		byName[m.ID().String()] = m
	}
	return byName
}()

// encode returns the frames of a line, and whether they are always answered.
func encode(t *testing.T, channel uint16, words []string) (octets []byte, answered bool) {
	t.Helper()
	if words[0] == "publish" {
		m := &wire.BasicPublish{Exchange: strings.TrimPrefix(words[1], "-"), RoutingKey: strings.TrimPrefix(words[2], "-")}
		var ps wire.Properties
		var rest []string
		for _, w := range words[4:] {
			if w == "mandatory" || w == "immediate" {
				set(t, reflect.ValueOf(m).Elem(), w)
			} else {
				rest = append(rest, w)
			}
		}
		for _, w := range rest {
			set(t, reflect.ValueOf(&ps).Elem(), w)
		}
		body := []byte(words[3])
		octets = wire.AppendMethodFrame(nil, channel, m)
		octets = wire.AppendHeaderFrame(octets, channel, uint64(len(body)), wire.AppendProperties(nil, &ps))
		return wire.AppendBody(octets, channel, body, 131072), false
	}
	prototype := methods[words[0]]
	if prototype == nil {
		t.Fatalf("unknown method %q", words[0])
	}
	m := reflect.New(reflect.TypeOf(prototype).Elem())
	answered = !slices.Contains(words, "nowait") && !strings.HasPrefix(words[0], "basic.ack") &&
		!slices.Contains([]string{"basic.reject", "basic.nack", "basic.recover-async"}, words[0])
	for _, w := range words[1:] {
		set(t, m.Elem(), w)
	}
	return wire.AppendMethodFrame(nil, channel, m.Interface().(wire.Method)), answered
}

// set carries out one argument of a line on a struct.
func set(t *testing.T, v reflect.Value, word string) {
	t.Helper()
	name, text, valued := strings.Cut(word, "=")
	if name[0] == '+' {
		for _, table := range []string{"Arguments", "Headers"} {
			if f := v.FieldByName(table); f.IsValid() {
				f.Set(reflect.Append(f, reflect.ValueOf(wire.Field{Key: name[1:], Value: parse(t, text)})))
			}
		}
		return
	}
	f := v.FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, name) })
	switch {
	case !f.IsValid():
		t.Fatalf("%s has no field %q", v.Type(), name)
	case !valued:
		f.SetBool(true)
	case f.Kind() == reflect.String:
		f.SetString(text)
	case f.Kind() == reflect.Slice:
		f.SetBytes([]byte(text))
	default:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		f.SetUint(n)
	}
}

// parse reads a value of a table: a number is an int32; l:1, s:1 and b:1 are other
// sizes, d:1.5 a double, T:1 a time, t:true a bit, V: nothing, F: an empty table,
// A:x,y an array; all else is text.
func parse(t *testing.T, text string) any {
	t.Helper()
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return int32(n)
	}
	kind, rest, ok := strings.Cut(text, ":")
	if !ok || len(kind) != 1 {
		return text
	}
	n, _ := strconv.ParseFloat(rest, 64)
	switch kind {
	case "l":
		return int64(n)
	case "s":
		return int16(n)
	case "b":
		return int8(n)
	case "d":
		return n
	case "f":
		return float32(n)
	case "T":
		return wire.Timestamp(n)
	case "t":
		return rest == "true"
	case "x":
		return []byte(rest)
	case "V":
		return nil
	case "F":
		return wire.Table{}
	case "S":
		return rest
	case "A":
		var all []any
		for _, e := range strings.Split(rest, ",") {
			all = append(all, parse(t, e))
		}
		return all
	}
	t.Fatalf("unknown kind of value %q", text)
	return nil
}
