package server

import (
	"runtime"
	"testing"
	"time"

	"harelab/engine/internal/invariants"
	"harelab/engine/wire"
)

// A burst publishes encoded messages and reads their deliveries on one raw connection. It
// does not allocate.
type burst struct {
	p      *rawPeer
	octets []byte // frames of the publishes
	want   int    // number of deliveries to read, of one body frame each
	buf    []byte
}

// run sends the burst and reads until all deliveries came.
func (r *burst) run() {
	if _, err := r.p.nc.Write(r.octets); err != nil {
		r.p.fatalf("%v", err)
	}
	rest := 0
	for got := 0; got < r.want; {
		n, err := r.p.nc.Read(r.buf[rest:])
		if err != nil {
			r.p.fatalf("%v", err)
		}
		b := r.buf[:rest+n]
		for {
			f, n, err := wire.NextFrame(b, 131072)
			if err != nil {
				r.p.fatalf("%v", err)
			}
			if n == 0 {
				break
			}
			if f.Type == wire.FrameBody { // the last frame of a delivery
				got++
			}
			b = b[n:]
		}
		rest = copy(r.buf, b)
	}
}

func newBurst(t testing.TB, s *Server, messages, size int, consume *wire.BasicConsume) *burst {
	p := newRawPeer(t, s)
	p.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
	p.method(1, &wire.ChannelOpen{})
	p.want("channel.open-ok")
	p.method(1, &wire.QueueDeclare{Queue: "burst", Exclusive: true})
	p.want("queue.declare-ok")
	consume.Queue = "burst"
	p.method(1, consume)
	p.want("basic.consume-ok")
	p.nc.SetReadDeadline(time.Time{})
	r := &burst{p: p, want: messages, buf: make([]byte, 1<<20)}
	for range messages {
		r.octets = wire.AppendMethodFrame(r.octets, 1, &wire.BasicPublish{RoutingKey: "burst"})
		r.octets = wire.AppendHeaderFrame(r.octets, 1, uint64(size), nil)
		r.octets = wire.AppendBody(r.octets, 1, make([]byte, size), 131072)
	}
	return r
}

// TestMessagesDoNotAllocate: a small message causes no allocation in the server and the
// broker; the messages of a chunk share those of the chunk.
func TestMessagesDoNotAllocate(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checks of invariants allocate")
	}
	const messages = 500
	for _, size := range []int{16, 1000} {
		r := newBurst(t, newTestServer(t, Options{}), messages, size, &wire.BasicConsume{NoAck: true})
		for range 20 {
			r.run()
		}
		if perRun := testing.AllocsPerRun(50, r.run); perRun/messages > 0.1 {
			t.Errorf("%v allocations for %d messages of %d octets, want none for a message", perRun, messages, size)
		}
	}
}

// TestIdleConnectionIsSmall: an idle connection with one channel takes less than 20 KiB,
// with stacks and both ends of the pipe.
func TestIdleConnectionIsSmall(t *testing.T) {
	if invariants.Enabled {
		t.Skip("the race detector needs memory of its own")
	}
	const conns, most = 500, 20 << 10
	s := newTestServer(t, Options{})
	before := inUse()
	for range conns {
		p := newRawPeer(t, s)
		p.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 60})
		p.method(1, &wire.ChannelOpen{})
		p.want("channel.open-ok")
		p.got = nil
	}
	if each := (inUse() - before) / conns; each > most {
		t.Errorf("an idle connection keeps %d octets, want at most %d", each, most)
	} else {
		t.Logf("an idle connection keeps %d octets", each)
	}
}

// inUse returns the number of octets of heap and stacks in use.
func inUse() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
