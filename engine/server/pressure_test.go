package server

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine/broker"
	"harelab/engine/wire"
)

const (
	testMemory = 1 << 30 // memory limit, in octets
	testDisk   = 1 << 20 // limit of free disk space, in octets
)

// newLimitedServer returns a server whose broker has limits.
func newLimitedServer(t *testing.T) *Server {
	t.Helper()
	b, err := broker.New(broker.Options{Logger: slog.New(slog.DiscardHandler), MemoryLimit: testMemory, DiskFreeLimit: testDisk})
	if err != nil {
		t.Fatal(err)
	}
	srv := New(Options{Broker: b, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		srv.Close()
		b.Close()
	})
	return srv
}

// TestAlarmBlocksPublishers: while memory or disk is short, a connection that publishes is
// told why, once, at its first publish, and not read; the others go on. A client that does
// not understand connection.blocked is held back in silence. Nobody misses heartbeats.
func TestAlarmBlocksPublishers(t *testing.T) {
	for _, tt := range []struct {
		name              string
		process, diskFree int64
		reason            string
	}{
		{"memory", testMemory, testDisk, "low on memory"},
		{"disk", 0, testDisk - 1, "low on disk"},
		{"both", testMemory, 0, "low on memory & disk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newLimitedServer(t)
				b := srv.opts.Broker
				tune := wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 10}
				publisher, other, plain := newRawPeer(t, srv), newRawPeer(t, srv), newRawPeer(t, srv)
				publisher.helloBlocked(tune)
				other.helloBlocked(tune)
				plain.hello(tune)
				for _, p := range []*rawPeer{publisher, other, plain} {
					p.open(1)
				}
				other.method(1, &wire.QueueDeclare{Queue: "q"})
				other.want("queue.declare-ok")
				b.Watch(tt.process, tt.diskFree)
				publisher.method(1, &wire.BasicQos{})
				publisher.want("basic.qos-ok") // it has not published yet
				publisher.send(appendPublish(nil, 1))
				publisher.want(`connection.blocked "` + tt.reason + `"`)
				publisher.method(1, &wire.BasicQos{})
				plain.send(appendPublish(nil, 1))
				synctest.Wait() // else one read might take the next method too
				plain.method(1, &wire.BasicQos{})
				other.method(1, &wire.BasicConsume{Queue: "q"})
				other.want("basic.consume-ok")
				other.want("basic.deliver")
				if got := blockedConns(b); got != 2 {
					t.Errorf("%d connections are listed as blocked, want 2", got)
				}
				b.Watch(testMemory, 0) // a further alarm is not told again
				publisher.wantOnlyHeartbeats(time.Minute)
				plain.wantOnlyHeartbeats(time.Minute)
				b.Watch(0, testDisk/2*3)
				publisher.skipHeartbeats()
				publisher.want("connection.unblocked")
				publisher.want("basic.qos-ok")
				plain.skipHeartbeats()
				plain.want("basic.qos-ok")
				if got := blockedConns(b); got != 0 {
					t.Errorf("%d connections are listed as blocked after the alarm, want none", got)
				}
			})
		})
	}
}

func blockedConns(b *broker.Broker) (n int) {
	v, _ := b.VHost("/")
	for _, c := range v.Connections() {
		if c.Blocked {
			n++
		}
	}
	return n
}

// TestBlockedPeerHangsUp: a connection ends although it is blocked.
func TestBlockedPeerHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newLimitedServer(t)
		p := newRawPeer(t, srv)
		p.helloBlocked(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 10})
		p.open(1)
		srv.opts.Broker.Watch(testMemory, -1)
		p.send(appendPublish(nil, 1))
		p.want("connection.blocked *")
		p.nc.Close()
		time.Sleep(time.Minute) // the server sends heartbeats, which fail
		synctest.Wait()
		if n := len(srv.all()); n != 0 {
			t.Errorf("%d connections, want none", n)
		}
	})
}
