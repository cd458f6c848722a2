package server

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine/broker"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// TestTranscripts plays the cases of testdata/transcripts.txt. The head of the file describes
// their form.
func TestTranscripts(t *testing.T) {
	for _, tt := range readTranscripts(t, "testdata/transcripts.txt") {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newRawPeer(t, newTestServer(t, Options{}))
				for _, l := range tt.lines {
					p.line = l.number
					p.do(l.verb, l.args)
				}
			})
		})
	}
}

// newTestServer returns a server with a broker of its own, closed at the end of the test.
func newTestServer(t testing.TB, o Options) *Server {
	t.Helper()
	return newStoreServer(t, o, nil)
}

// newStoreServer is newTestServer with a store for the broker, nil for none.
func newStoreServer(t testing.TB, o Options, s store.Store) *Server {
	t.Helper()
	b, err := broker.New(broker.Options{Logger: slog.New(slog.DiscardHandler), Store: s})
	if err != nil {
		t.Fatal(err)
	}
	o.Broker = b
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	srv := New(o)
	t.Cleanup(func() {
		srv.Close()
		b.Close()
	})
	return srv
}

type transcript struct {
	name  string
	lines []transcriptLine
}

type transcriptLine struct {
	number int
	verb   string // "> hello", "< end"
	args   string
}

func readTranscripts(t testing.TB, name string) []transcript {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []transcript
	number, inside := 0, false
	for scan := bufio.NewScanner(bytes.NewReader(text)); scan.Scan(); {
		number++
		switch line := scan.Text(); {
		case line == "":
			inside = false
		case line[0] == '#' || line[0] == '!':
		case !inside:
			inside = true
			all = append(all, transcript{name: line})
		default:
			fields := strings.SplitN(line, " ", 3)
			l := transcriptLine{number: number, verb: fields[0] + " " + fields[1]}
			if len(fields) == 3 {
				l.args = fields[2]
			}
			c := &all[len(all)-1]
			c.lines = append(c.lines, l)
		}
	}
	return all
}

// A rawPeer is a client that can send anything.
type rawPeer struct {
	t    testing.TB
	srv  *Server
	line int // number of the line in the transcript
	nc   net.Conn
	got  []byte // octets read and not parsed
	last time.Time
}

func newRawPeer(t testing.TB, s *Server) *rawPeer {
	near, far := Pipe()
	if err := s.Go(far); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	return &rawPeer{t: t, srv: s, nc: near, last: time.Now()}
}

func (p *rawPeer) fatalf(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("line %d: %s", p.line, fmt.Sprintf(format, args...))
}

// do carries out a line of a transcript.
func (p *rawPeer) do(verb, args string) {
	p.t.Helper()
	if octets := p.encode(verb, args); octets != nil {
		p.send(octets)
	}
	switch verb {
	case "> header", "> raw", "> start-ok", "> tune-ok", "> open", "> frame":
	case "> hello":
		p.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 0})
	case "> channel":
		p.want("channel.open-ok")
	case "> confirm":
		p.want("confirm.select-ok")
	case "< octets":
		p.wantOctets(p.octets(args))
	case "< end":
		p.wantEnd(args)
	case "< open":
		p.wantOpen()
	default:
		if !strings.HasPrefix(verb, "< ") {
			p.fatalf("unknown verb %q", verb)
		}
		p.want(strings.TrimSpace(strings.TrimPrefix(verb, "< ") + " " + args))
	}
}

// encode returns the octets that a line of a transcript sends, or nil.
func (p *rawPeer) encode(verb, args string) []byte {
	word, rest, _ := strings.Cut(args, " ")
	switch verb {
	case "> header", "> raw":
		return p.octets(args)
	case "> start-ok":
		return wire.AppendMethodFrame(nil, 0, &wire.ConnectionStartOk{Mechanism: word, Response: p.octets(rest), Locale: "en_US"})
	case "> tune-ok":
		var m wire.ConnectionTuneOk
		fmt.Sscan(args, &m.ChannelMax, &m.FrameMax, &m.Heartbeat)
		return wire.AppendMethodFrame(nil, 0, &m)
	case "> open":
		return wire.AppendMethodFrame(nil, 0, &wire.ConnectionOpen{VirtualHost: string(p.octets(args))})
	case "> channel":
		return wire.AppendMethodFrame(nil, p.number(args), &wire.ChannelOpen{})
	case "> confirm":
		return wire.AppendMethodFrame(nil, p.number(args), &wire.ConfirmSelect{})
	case "> frame":
		channel, payload, _ := strings.Cut(rest, " ")
		return wire.AppendFrame(nil, byte(p.number(word)), p.number(channel), p.octets(payload))
	}
	return nil
}

func (p *rawPeer) number(s string) uint16 {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		p.fatalf("%v", err)
	}
	return uint16(n)
}

// octets parses hexadecimal numbers and quoted text.
func (p *rawPeer) octets(s string) (b []byte) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '"' {
			text, rest, _ := strings.Cut(s[1:], `"`)
			b, s = append(b, text...), rest
			continue
		}
		word, rest, _ := strings.Cut(s, " ")
		octets, err := hex.DecodeString(word)
		if err != nil {
			p.fatalf("%v", err)
		}
		b, s = append(b, octets...), rest
	}
	return b
}

func (p *rawPeer) send(b []byte) {
	p.last = time.Now()
	if _, err := p.nc.Write(b); err != nil {
		p.fatalf("write: %v", err)
	}
}

func (p *rawPeer) method(channel uint16, m wire.Method) {
	p.send(wire.AppendMethodFrame(nil, channel, m))
}

// hello takes the connection from the protocol header to connection.open-ok.
func (p *rawPeer) hello(tune wire.ConnectionTuneOk) {
	p.send(wire.ProtocolHeader[:])
	p.want("connection.start 0.9")
	p.method(0, &wire.ConnectionStartOk{Mechanism: "PLAIN", Response: []byte("\x00guest\x00guest"), Locale: "en_US"})
	p.want("connection.tune 2047 131072 60")
	p.method(0, &tune)
	p.method(0, &wire.ConnectionOpen{VirtualHost: "/"})
	p.want("connection.open-ok")
}

// frame reads the next frame.
func (p *rawPeer) frame() (wire.Frame, error) {
	for {
		f, n, err := wire.NextFrame(p.got, 131072)
		if err != nil || n > 0 {
			p.got = p.got[n:]
			return f, err
		}
		b := make([]byte, 64<<10)
		n, err = p.nc.Read(b)
		p.got = append(p.got, b[:n]...)
		if err != nil {
			return wire.Frame{}, err
		}
	}
}

// want reads a method frame and compares its description with text, in which * stands for
// anything.
func (p *rawPeer) want(text string) {
	p.t.Helper()
	p.nc.SetReadDeadline(time.Now().Add(time.Minute))
	f, err := p.frame()
	if err != nil {
		p.fatalf("%v, want %s", err, text)
	}
	got := fmt.Sprintf("frame of type %d", f.Type)
	if f.Type == wire.FrameMethod {
		m, err := wire.ParseMethod(f.Payload)
		if err != nil {
			p.fatalf("%v", err)
		}
		got = describe(m)
	}
	escape := strings.NewReplacer("[", `\[`, `\`, `\\`, "?", `\?`, "/", "|")
	if ok, err := path.Match(escape.Replace(text), strings.ReplaceAll(got, "/", "|")); !ok || err != nil {
		p.fatalf("got  %s\nwant %s", got, text)
	}
	p.last = time.Now()
}

// describe formats a method with the arguments that matter.
func describe(m wire.Method) string {
	switch m := m.(type) {
	case *wire.ConnectionStart:
		return fmt.Sprintf("%s %d.%d", m.ID(), m.VersionMajor, m.VersionMinor)
	case *wire.ConnectionTune:
		return fmt.Sprintf("%s %d %d %d", m.ID(), m.ChannelMax, m.FrameMax, m.Heartbeat)
	case *wire.ConnectionClose:
		return fmt.Sprintf("%s %d %q %d.%d", m.ID(), m.ReplyCode, m.ReplyText, m.ClassID, m.MethodID)
	case *wire.ChannelClose:
		return fmt.Sprintf("%s %d %q %d.%d", m.ID(), m.ReplyCode, m.ReplyText, m.ClassID, m.MethodID)
	case *wire.ConnectionBlocked:
		return fmt.Sprintf("%s %q", m.ID(), m.Reason)
	case *wire.BasicReturn:
		return fmt.Sprintf("%s %d %q %q %q", m.ID(), m.ReplyCode, m.ReplyText, m.Exchange, m.RoutingKey)
	case *wire.BasicAck:
		return fmt.Sprintf("%s %d", m.ID(), m.DeliveryTag)
	}
	return m.ID().String()
}

func (p *rawPeer) wantOctets(want []byte) {
	p.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p.nc, got); err != nil || !bytes.Equal(got, want) {
		p.fatalf("got %q, %v, want %q", got, err, want)
	}
}

// wantEnd wants the connection to end without another frame, some time after the last frame
// or the start.
func (p *rawPeer) wantEnd(after string) {
	p.t.Helper()
	wait, err := time.ParseDuration(after)
	if err != nil {
		p.fatalf("%v", err)
	}
	p.nc.SetReadDeadline(time.Now().Add(time.Minute))
	f, err := p.frame()
	if err == nil {
		p.fatalf("got a frame of type %d, %q, want the end", f.Type, f.Payload)
	}
	if !errors.Is(err, io.EOF) || time.Since(p.last) != wait {
		p.fatalf("%v after %v, want the end after %v", err, time.Since(p.last), wait)
	}
}

func (p *rawPeer) wantOpen() {
	p.t.Helper()
	p.nc.SetReadDeadline(time.Now().Add(2 * time.Second))
	if f, err := p.frame(); !errors.Is(err, os.ErrDeadlineExceeded) {
		p.fatalf("got %d %q, %v, want nothing", f.Type, f.Payload, err)
	}
}
