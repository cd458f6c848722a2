package interop

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"harelab/engine"
	"harelab/engine/auth"
	"harelab/engine/wire"
)

// weak are the permissions of the user weak.
var weak = auth.Permissions{Configure: `\.c`, Write: `\.c?w`, Read: `\.c?w?r`}

// topical are the topic permissions of the user topical on amq.topic. The user limited may
// have two connections and two channels.
var topical = auth.TopicPermissions{Write: `^{username}\.|^{client_id}$`, Read: `^open|^$`}

// startEngine starts an engine and returns a function that connects to it.
func startEngine(t *testing.T) dialFunc {
	t.Helper()
	users := auth.New()
	if err := users.AddUser("weak", "weak"); err != nil {
		t.Fatal(err)
	}
	if err := users.SetPermissions("weak", "/", weak); err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Auth: users, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	two := 2
	for _, name := range []string{"topical", "limited"} {
		hash, err := auth.HashPassword(name)
		if err := errors.Join(err, e.Broker().AddUser(name, hash), e.Broker().SetPermissions(name, "/", auth.All)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(
		e.Broker().SetTopicPermissions("topical", "/", "amq.topic", topical),
		e.Broker().SetUserLimits("limited", auth.Limits{MaxConnections: &two, MaxChannels: &two}),
	); err != nil {
		t.Fatal(err)
	}
	return e.Dial
}

type dialFunc func() (net.Conn, error)

// A talk is one conversation of the file.
type talk struct {
	name  string
	lines []string
}

// conversations reads testdata/differential.txt.
func conversations(t *testing.T) (all []talk) {
	t.Helper()
	text, err := os.ReadFile("testdata/differential.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, paragraph := range strings.Split(string(text), "\n\n") {
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

// prefix returns the prefix of the names of conversation i. All prefixes have the same
// length, since reply texts are cut at 255 octets.
func prefix(i int, unique int64) string { return fmt.Sprintf("s%03d-%016x.", i, unique) }

// hold holds the conversation with one server. It returns the answers to each line.
func (c talk) hold(t *testing.T, prefix string, dial dialFunc, patience time.Duration) (answers []string) {
	t.Helper()
	s := &stage{t: t, prefix: prefix, dial: dial, patience: patience, peers: make(map[string]*peer)}
	defer s.close()
	for _, line := range c.lines {
		answers = append(answers, s.say(line))
	}
	return answers
}

// A stage is a running conversation.
type stage struct {
	t        *testing.T
	prefix   string
	dial     dialFunc
	patience time.Duration

	mu      sync.Mutex
	heard   time.Time // arrival of the last frame
	peers   map[string]*peer
	replyTo string // the last address for direct replies that arrived
}

func (s *stage) close() {
	for _, p := range s.peers {
		p.nc.Close()
	}
}

// made matches names that a server generates.
var made = regexp.MustCompile(`amq\.(gen|ctag)-[A-Za-z0-9_-]{22}|\.g1h\w+|amq\.rabbitmq\.reply-to\.[^ "]+`)

// say carries out one line and returns the answers.
func (s *stage) say(line string) string {
	s.mu.Lock()
	text := strings.NewReplacer("$", s.prefix, "REPLYTO", s.replyTo).Replace(strings.TrimPrefix(line, "~"))
	s.mu.Unlock()
	words := strings.Fields(text)
	if words[0] == "wait" {
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(d)
		return s.collect()
	}
	name, rest := words[0][:1], words[0][1:]
	if words[1] == "connect" {
		return s.connect(name, words[2:])
	}
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
	if words[1] == "frame" {
		p.nc.Write(frame(s.t, uint16(channel), words[2:]))
		s.silence(nil)
		return s.collect()
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

// frame returns a frame of any type and payload, for example "frame 9 c0ffee". An X after
// it makes its end marker wrong; a number replaces its size field.
func frame(t *testing.T, channel uint16, words []string) []byte {
	t.Helper()
	kind, err := strconv.ParseUint(words[0], 10, 8)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := hex.DecodeString(strings.TrimPrefix(words[1], "-"))
	if err != nil {
		t.Fatal(err)
	}
	size, end := len(payload), byte(wire.FrameEnd)
	if len(words) > 2 {
		if size, err = strconv.Atoi(words[2]); err != nil {
			size, end = len(payload), 'X'
		}
	}
	octets := []byte{byte(kind), byte(channel >> 8), byte(channel), byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}
	return append(append(octets, payload...), end)
}

// silence waits until no frame has arrived for a while. If p is not nil it first waits
// for a frame to p.
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

// collect returns the frames that arrived, by connection.
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
	open map[uint16]bool // open channels; guarded by the stage's lock

	heard []string // frames that arrived; guarded by the stage's lock
	ended bool

	method  wire.Method // method of a content that is arriving
	props   wire.Properties
	left    uint64
	content []byte
}

func (s *stage) peer(name string) *peer {
	if p := s.peers[name]; p != nil {
		return p
	}
	l := guest
	if name == "w" {
		l.user, l.password = "weak", "weak"
	}
	p, said := s.shakeHands(l)
	if p == nil {
		s.t.Fatalf("connection %s: %s", name, said)
	}
	s.begin(name, p)
	return p
}

func (s *stage) begin(name string, p *peer) {
	s.mu.Lock()
	s.peers[name] = p
	s.mu.Unlock()
	go p.listen()
}

// connect carries out a handshake and returns the answers.
func (s *stage) connect(name string, words []string) string {
	l := guest
	for _, w := range words {
		l.set(s.t, w)
	}
	p, said := s.shakeHands(l)
	if p != nil {
		s.begin(name, p)
	}
	return said + strings.TrimPrefix(s.collect(), " nothing")
}

// A login has what a client sends in the handshake.
type login struct {
	header                    string
	mechanism, user, password string
	response                  string // replaces the response made of user and password
	vhost                     string
	channelMax                uint16
	frameMax                  uint32
	heartbeat                 uint16
	silent                    bool // sends no capabilities
}

var guest = login{header: string(wire.ProtocolHeader[:]), mechanism: "PLAIN", user: "guest", password: "guest", vhost: "/", channelMax: 2047, frameMax: 131072}

// set carries out one word of a connect line.
func (l *login) set(t *testing.T, word string) {
	t.Helper()
	name, text, _ := strings.Cut(word, "=")
	n, _ := strconv.Atoi(text)
	switch name {
	case "header":
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		l.header = "AMQP" + string(b)
	case "mechanism":
		l.mechanism = text
	case "user":
		l.user = text
	case "password":
		l.password = text
	case "response":
		l.response = strings.ReplaceAll(text, "0", "\x00")
	case "vhost":
		l.vhost = text
	case "channelmax":
		l.channelMax = uint16(n)
	case "framemax":
		l.frameMax = uint32(n)
	case "heartbeat":
		l.heartbeat = uint16(n)
	case "silent":
		l.silent = true
	default:
		t.Fatalf("unknown word %q", word)
	}
}

// shakeHands connects with a login. It returns no peer if the server refused.
func (s *stage) shakeHands(l login) (p *peer, said string) {
	nc, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	p = &peer{s: s, nc: nc, open: make(map[uint16]bool)}
	nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	nc.Write([]byte(l.header))
	for {
		spoke := time.Now()
		m, err := p.handshakeMethod()
		if err != nil {
			nc.Close()
			return nil, fmt.Sprintf("%s\n   %v after %ds", said, err, int(time.Since(spoke).Seconds()+0.5))
		}
		switch m := m.(type) {
		case *wire.ConnectionStart:
			said += fmt.Sprintf("\n   %s Mechanisms=%q Locales=%q", m.ID(), m.Mechanisms, m.Locales)
			p.send(0, l.startOk())
			continue
		case *wire.ConnectionTune:
			p.send(0, &wire.ConnectionTuneOk{ChannelMax: l.channelMax, FrameMax: l.frameMax, Heartbeat: l.heartbeat})
			p.send(0, &wire.ConnectionOpen{VirtualHost: l.vhost})
		}
		said += "\n   " + show(reflect.ValueOf(m).Elem(), m.ID().String())
		switch m.(type) {
		case *wire.ConnectionOpenOk:
			nc.SetReadDeadline(time.Time{})
			return p, said
		case *wire.ConnectionClose:
			nc.Close()
			return nil, said
		}
	}
}

func (l *login) startOk() *wire.ConnectionStartOk {
	m := &wire.ConnectionStartOk{Mechanism: l.mechanism, Locale: "en_US", Response: []byte(l.response)}
	switch {
	case l.response != "":
	case l.mechanism == "AMQPLAIN":
		table := wire.AppendTable(nil, wire.Table{{Key: "LOGIN", Value: l.user}, {Key: "PASSWORD", Value: l.password}})
		m.Response = table[4:]
	default:
		m.Response = []byte("\x00" + l.user + "\x00" + l.password)
	}
	if !l.silent {
		m.ClientProperties = wire.Table{{Key: "capabilities", Value: wire.Table{
			{Key: "consumer_cancel_notify", Value: true}, {Key: "authentication_failure_close", Value: true}}}}
	}
	return m
}

// handshakeMethod reads the next method. A server that refuses the protocol header
// answers with its own header instead.
func (p *peer) handshakeMethod() (wire.Method, error) {
	for len(p.got) < 4 {
		b := make([]byte, 1<<10)
		n, err := p.nc.Read(b)
		p.got = append(p.got, b[:n]...)
		if err != nil && n == 0 {
			return nil, errors.New("ends")
		}
	}
	if bytes.HasPrefix(p.got, []byte("AMQP")) {
		return nil, fmt.Errorf("%q", p.got)
	}
	f, err := p.frame()
	if err != nil {
		return nil, errors.New("ends")
	}
	return wire.ParseMethod(bytes.Clone(f.Payload))
}

func (p *peer) send(channel uint16, m wire.Method) {
	p.nc.Write(wire.AppendMethodFrame(nil, channel, m))
}

// openChannel opens a channel unless it is open.
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

// listen records arriving frames until the connection ends.
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

// understand describes a frame. It answers a close of a channel or connection.
func (p *peer) understand(f wire.Frame) string {
	switch f.Type {
	case wire.FrameHeader:
		var h wire.HeaderView
		if err := h.Parse(f.Payload); err != nil {
			return err.Error()
		}
		p.props, _ = wire.ParseProperties(h.Properties.Raw())
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
			p.ended = true
		case *wire.ConnectionCloseOk:
			p.ended = true
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
	if strings.HasPrefix(p.props.ReplyTo, "amq.rabbitmq.reply-to.") {
		p.s.replyTo = p.props.ReplyTo
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
