package server

import (
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine/wire"
)

// full makes the tests of limits as large as the promises are: 10,000 connections, 100,000
// channels, 5,000 slow peers on sockets.
var full = flag.Bool("limits.full", false, "test limits in full size, which takes a minute")

// size returns full size, or a part of it that takes a moment.
func size(inFull, part int) int {
	if *full {
		return inFull
	}
	return part
}

// holdings are what the process holds.
type holdings struct {
	goroutines, files int
	heap              int64 // octets
}

func hold() (h holdings) {
	runtime.GC()
	runtime.GC() // the first empties pools in part only
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd") // none where there is no such folder
	return holdings{runtime.NumGoroutine(), len(files), int64(m.HeapAlloc)}
}

// leavesNothing fails the test unless, after work, the process holds as many goroutines and
// files as before, and at most 5 MiB more of memory.
func leavesNothing(t *testing.T, work func()) {
	t.Helper()
	const slack = 5 << 20
	before := hold()
	work()
	var after holdings
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		after = hold()
		if after.goroutines <= before.goroutines && after.files <= before.files && after.heap <= before.heap+slack {
			return
		}
		if time.Now().After(deadline) {
			break
		}
	}
	t.Errorf("%d goroutines, %d files, %d KiB afterwards, %d, %d, %d before",
		after.goroutines, after.files, after.heap>>10, before.goroutines, before.files, before.heap>>10)
}

// greetings returns what a client sends up to connection.open.
func greetings() []byte {
	b := append([]byte(nil), wire.ProtocolHeader[:]...)
	b = wire.AppendMethodFrame(b, 0, &wire.ConnectionStartOk{Mechanism: "PLAIN", Response: []byte("\x00guest\x00guest"), Locale: "en_US"})
	b = wire.AppendMethodFrame(b, 0, &wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
	return wire.AppendMethodFrame(b, 0, &wire.ConnectionOpen{VirtualHost: "/"})
}

// listen serves a server's clients on a loopback port.
func listen(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	return l.Addr().String()
}

// readUntil reads frames up to a method.
func readUntil(r io.Reader, id wire.MethodID) error {
	var got []byte
	b := make([]byte, 4096)
	for {
		for {
			f, n, err := wire.NextFrame(got, 131072)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			if found, ok := wire.PeekMethod(f.Payload); f.Type == wire.FrameMethod && ok && found == id {
				return nil
			}
			got = got[n:]
		}
		n, err := r.Read(b)
		if err != nil {
			return err
		}
		got = append(got, b[:n]...)
	}
}

// A dropped connection sends some octets, reads up to a method, 0 for none, and is cut.
type dropped struct {
	name   string
	octets []byte
	until  wire.MethodID
}

// drops are the connections that end mid-way, in every phase.
func drops() []dropped {
	hello := greetings()
	open := wire.AppendMethodFrame(slices.Clone(hello), 1, &wire.ChannelOpen{})
	working := wire.AppendMethodFrame(slices.Clone(open), 1, &wire.QueueDeclare{Queue: "", Exclusive: true})
	working = wire.AppendMethodFrame(working, 1, &wire.ConfirmSelect{})
	working = wire.AppendMethodFrame(working, 1, &wire.BasicConsume{Queue: ""})
	content := wire.AppendMethodFrame(slices.Clone(open), 1, &wire.BasicPublish{RoutingKey: "nowhere"})
	content = wire.AppendHeaderFrame(content, 1, 1<<20, wire.AppendProperties(nil, &wire.Properties{}))
	content = wire.AppendBody(content, 1, make([]byte, 100), 131072)
	return []dropped{
		{"nothing sent", nil, 0},
		{"half a header", hello[:4], 0},
		{"in the middle of start-ok", hello[:20], wire.MethodConnectionStart},
		{"at once after open", hello, 0},
		{"after open-ok", hello, wire.MethodConnectionOpenOk},
		{"a channel is open", open, wire.MethodChannelOpenOk},
		{"a consumer of an exclusive queue", working, wire.MethodBasicConsumeOk},
		{"in the middle of a body", content, wire.MethodChannelOpenOk},
		{"in the middle of a frame", open[:len(open)-1], wire.MethodConnectionOpenOk},
	}
}

// TestDroppedConnectionsLeaveNothing drops connections in every phase.
func TestDroppedConnectionsLeaveNothing(t *testing.T) {
	s := newTestServer(t, Options{})
	addr := listen(t, s)
	kinds := drops()
	run := func(connections int) {
		var dropping sync.WaitGroup
		for worker := range 50 {
			dropping.Go(func() {
				for i := worker; i < connections; i += 50 {
					if err := drop(addr, kinds[i%len(kinds)]); err != nil {
						t.Errorf("%s: %v", kinds[i%len(kinds)].name, err)
					}
				}
			})
		}
		dropping.Wait()
	}
	run(500) // pools and buffers get their size
	leavesNothing(t, func() { run(size(10_000, 1000)) })
	v, _ := s.opts.Broker.VHost("/")
	if n := len(v.Connections()); n > 0 {
		t.Errorf("the broker still has %d connections", n)
	}
	if n := len(v.Queues()); n > 0 {
		t.Errorf("the broker still has %d queues", n)
	}
}

// TestLostAtOpen: a client that is gone before connection.open-ok leaves no connection in the
// broker.
func TestLostAtOpen(t *testing.T) {
	s := newTestServer(t, Options{})
	near, far := Pipe()
	if _, err := near.Write(greetings()); err != nil {
		t.Fatal(err)
	}
	if err := s.Go(&deafAfter{Conn: far, writes: 2}); err != nil { // start and tune
		t.Fatal(err)
	}
	s.running.Wait()
	near.Close()
	v, _ := s.opts.Broker.VHost("/")
	if n := len(v.Connections()); n > 0 {
		t.Errorf("the broker still has %d connections", n)
	}
}

// A deafAfter connection fails after some writes.
type deafAfter struct {
	net.Conn
	writes int
}

func (d *deafAfter) Write(b []byte) (int, error) {
	if d.writes--; d.writes < 0 {
		return 0, net.ErrClosed
	}
	return d.Conn.Write(b)
}

func drop(addr string, d dropped) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Minute))
	if _, err := nc.Write(d.octets); err != nil {
		return err
	}
	if d.until != 0 {
		return readUntil(nc, d.until)
	}
	return nil
}

// TestClosedChannelsLeaveNothing opens and closes channels of a connection that stays.
func TestClosedChannelsLeaveNothing(t *testing.T) {
	near, far := Pipe()
	s := newTestServer(t, Options{})
	if err := s.Go(far); err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	if _, err := near.Write(greetings()); err != nil {
		t.Fatal(err)
	}
	if err := readUntil(near, wire.MethodConnectionOpenOk); err != nil {
		t.Fatal(err)
	}
	churn := func(channels int) {
		for opened := 0; opened < channels; opened += 500 {
			var octets []byte
			for id := range uint16(500) {
				octets = wire.AppendMethodFrame(octets, 1+id, &wire.ChannelOpen{})
				octets = wire.AppendMethodFrame(octets, 1+id, &wire.ConfirmSelect{})
				octets = wire.AppendMethodFrame(octets, 1+id, &wire.ChannelClose{})
			}
			octets = wire.AppendMethodFrame(octets, 600, &wire.ChannelOpen{})
			octets = wire.AppendMethodFrame(octets, 600, &wire.BasicQos{})
			octets = wire.AppendMethodFrame(octets, 600, &wire.ChannelClose{})
			go near.Write(octets)
			if err := readUntil(near, wire.MethodBasicQosOk); err != nil {
				t.Fatal(err)
			}
		}
	}
	churn(1000)
	leavesNothing(t, func() { churn(size(100_000, 10_000)) })
}

// TestSlowHandshakesEnd: peers that send an octet a second during the handshake are gone
// when its time is over, however far they are, and others connect meanwhile at once.
func TestSlowHandshakesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		began := time.Now()
		var slow sync.WaitGroup
		for range 200 {
			near, far := Pipe()
			if err := s.Go(far); err != nil {
				t.Fatal(err)
			}
			slow.Go(func() {
				trickle(near)
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("a slow peer was there for %v, want 10s", took)
				}
			})
		}
		for range 12 {
			honest := newRawPeer(t, s)
			start := time.Now()
			honest.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
			if took := time.Since(start); took > 0 {
				t.Errorf("an honest client waited %v", took)
			}
			honest.nc.Close()
			time.Sleep(time.Second)
		}
		slow.Wait()
	})
}

// trickle sends the octets of a handshake, one a second, until the server hangs up.
func trickle(nc net.Conn) {
	defer nc.Close()
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, nc)
		close(ended)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for _, octet := range greetings() {
		select {
		case <-ended:
			return
		case <-tick.C:
			if _, err := nc.Write([]byte{octet}); err != nil {
				<-ended
				return
			}
		}
	}
	<-ended
}

// TestSlowHandshakesOnSockets is the same with 5,000 peers on sockets.
func TestSlowHandshakesOnSockets(t *testing.T) {
	if !*full {
		t.Skip("it takes 12 s of real time: -limits.full runs it")
	}
	addr := listen(t, newTestServer(t, Options{}))
	var slow sync.WaitGroup
	var mu sync.Mutex
	var stayed []time.Duration
	for range 5000 {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		slow.Go(func() {
			trickle(nc)
			mu.Lock()
			defer mu.Unlock()
			stayed = append(stayed, time.Since(began))
		})
	}
	var honest []time.Duration
	for range 500 {
		start := time.Now()
		err := drop(addr, dropped{octets: greetings(), until: wire.MethodConnectionOpenOk})
		if honest = append(honest, time.Since(start)); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	slow.Wait()
	slices.Sort(stayed)
	slices.Sort(honest)
	p99 := honest[len(honest)*99/100]
	t.Logf("slow peers were there for %v at most, honest ones connected in %v at the 99th percentile", stayed[len(stayed)-1], p99)
	if stayed[len(stayed)-1] > 11*time.Second {
		t.Errorf("a slow peer was there for %v, want 10s", stayed[len(stayed)-1])
	}
	if p99 > 200*time.Millisecond {
		t.Errorf("honest clients connect in %v at the 99th percentile, want 200ms", p99)
	}
}
