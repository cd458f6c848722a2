package server

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"harelab/engine/store/memory"
	"harelab/engine/store/storetest"
	"harelab/engine/wire"
)

// newStorePeer returns a peer whose server has a store that can lag, fail and press. The
// peer understands connection.blocked, has channel 1 open, and has declared the durable
// queue "q".
func newStorePeer(t testing.TB) (*rawPeer, *storetest.Faulty) {
	t.Helper()
	f := storetest.NewFaulty(memory.New())
	p := newRawPeer(t, newStoreServer(t, Options{}, f))
	p.helloBlocked(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
	p.open(1)
	p.method(1, &wire.QueueDeclare{Queue: "q", Durable: true})
	p.want("queue.declare-ok")
	return p, f
}

// helloBlocked is hello of a client that understands connection.blocked.
func (p *rawPeer) helloBlocked(tune wire.ConnectionTuneOk) {
	p.t.Helper()
	p.helloAble(tune, "connection.blocked")
}

// helloAble is hello of a client with a capability.
func (p *rawPeer) helloAble(tune wire.ConnectionTuneOk, capability string) {
	p.t.Helper()
	p.send(wire.ProtocolHeader[:])
	p.want("connection.start 0.9")
	p.method(0, &wire.ConnectionStartOk{
		ClientProperties: wire.Table{{Key: "capabilities", Value: wire.Table{{Key: capability, Value: true}}}},
		Mechanism:        "PLAIN", Response: []byte("\x00guest\x00guest"), Locale: "en_US",
	})
	p.want("connection.tune *")
	p.method(0, &tune)
	p.method(0, &wire.ConnectionOpen{VirtualHost: "/"})
	p.want("connection.open-ok")
}

func (p *rawPeer) open(channel uint16) {
	p.t.Helper()
	p.method(channel, &wire.ChannelOpen{})
	p.want("channel.open-ok")
}

// appendPublish appends a persistent publish to queue "q".
func appendPublish(dst []byte, channel uint16) []byte {
	dst = wire.AppendMethodFrame(dst, channel, &wire.BasicPublish{RoutingKey: "q"})
	dst = wire.AppendHeaderFrame(dst, channel, 4, wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2}))
	return wire.AppendBody(dst, channel, []byte("body"), 131072)
}

// TestConfirmsOfARound publishes 1,000 persistent messages in one burst on ten channels. A
// round confirms them with at most one frame a channel, whether rounds become durable one
// by one or together.
func TestConfirmsOfARound(t *testing.T) {
	const channels, messages = 10, 1000
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("late=%t", late), func(t *testing.T) {
			p, f := newStorePeer(t)
			for ch := range uint16(channels) {
				if ch > 0 {
					p.open(1 + ch)
				}
				p.method(1+ch, &wire.ConfirmSelect{})
				p.want("confirm.select-ok")
			}
			before, _ := f.Rounds()
			f.Hold()
			var octets []byte
			for i := range messages {
				octets = appendPublish(octets, uint16(1+i%channels))
			}
			p.send(wire.AppendMethodFrame(octets, 1, &wire.BasicQos{}))
			p.want("basic.qos-ok") // after all publishes and before all confirms
			ended, _ := f.Rounds()
			rounds := int(ended - before)
			if late {
				f.Release(rounds)
			} else {
				for range rounds {
					f.Release(1)
				}
			}
			frames := p.confirms(channels, messages/channels)
			for ch, n := range frames {
				if n > rounds {
					t.Errorf("channel %d: %d frames for %d rounds, want one a round at most", 1+ch, n, rounds)
				}
			}
			t.Logf("%d rounds, frames by channel: %v", rounds, frames)
		})
	}
}

// confirms reads acks until each channel has them for so many publishes. It returns the
// number of frames of each channel.
func (p *rawPeer) confirms(channels, each int) []int {
	p.t.Helper()
	frames, acked := make([]int, channels), make([]uint64, channels)
	for slices.Min(acked) < uint64(each) {
		p.nc.SetReadDeadline(time.Now().Add(time.Minute))
		f, err := p.frame()
		if err != nil {
			p.fatalf("after %v: %v", acked, err)
		}
		m, err := wire.ParseMethod(f.Payload)
		ack, ok := m.(*wire.BasicAck)
		if !ok {
			p.fatalf("got %v, %v, want basic.ack", m, err)
		}
		if ch := f.Channel - 1; ack.Multiple || ack.DeliveryTag == acked[ch]+1 {
			acked[ch] = ack.DeliveryTag
			frames[ch]++
		} else {
			p.fatalf("channel %d: ack %d alone after %d", f.Channel, ack.DeliveryTag, acked[ch])
		}
	}
	return frames
}

// TestDeclareAnswersWait: answers about durable things wait for their round, in order;
// frames before them do not wait.
func TestDeclareAnswersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, f := newStorePeer(t)
		p.open(2)
		f.Hold()
		before, _ := f.Rounds()
		var octets []byte
		for _, m := range []wire.Method{
			&wire.BasicQos{},
			&wire.QueueDeclare{Queue: "one", Durable: true},
			&wire.ExchangeDeclare{Exchange: "x", Type: "topic", Durable: true},
			&wire.QueueBind{Queue: "one", Exchange: "x", RoutingKey: "#"},
			&wire.QueueDeclare{Queue: "transient"},
			&wire.QueueDelete{Queue: "one"},
			&wire.BasicGet{Queue: "q"},
			&wire.BasicConsume{Queue: "q", ConsumerTag: "t", NoAck: true},
		} {
			octets = wire.AppendMethodFrame(octets, 1, m)
		}
		octets = wire.AppendMethodFrame(octets, 2, &wire.BasicQos{})
		p.send(octets)
		p.want("basic.qos-ok")
		p.wantNothing()
		if ended, _ := f.Rounds(); ended != before+1 {
			t.Errorf("%d rounds for the declarations of a chunk, want 1", ended-before)
		}
		other := newRawPeer(t, p.srv)
		other.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
		other.open(1)
		other.method(1, &wire.BasicPublish{RoutingKey: "q"})
		other.send(wire.AppendBody(wire.AppendHeaderFrame(nil, 1, 4, nil), 1, []byte("body"), 131072))
		other.method(1, &wire.BasicQos{})
		other.want("basic.qos-ok") // another connection does not wait
		p.wantNothing()            // nor does a delivery overtake
		f.Release(1)
		for _, want := range []string{
			"queue.declare-ok", "exchange.declare-ok", "queue.bind-ok", "queue.declare-ok",
			"queue.delete-ok", "basic.get-empty", "basic.consume-ok", "basic.qos-ok", "basic.deliver",
		} {
			p.want(want)
		}
	})
}

// wantNothing wants no frame for some time.
func (p *rawPeer) wantNothing() {
	p.t.Helper()
	p.nc.SetReadDeadline(time.Now().Add(time.Second))
	if f, err := p.frame(); err == nil {
		p.fatalf("got a frame of type %d, %x, want nothing", f.Type, f.Payload)
	}
	p.nc.SetReadDeadline(time.Time{})
}

// TestTxCommitAnswerWaits: the answer to tx.commit waits for its round, and so does the
// connection.close-ok after it.
func TestTxCommitAnswerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, f := newStorePeer(t)
		p.method(1, &wire.TxSelect{})
		p.want("tx.select-ok")
		f.Hold()
		p.send(appendPublish(nil, 1))
		p.method(1, &wire.TxCommit{})
		p.method(0, &wire.ConnectionClose{})
		p.wantNothing()
		f.Release(9)
		p.want("tx.commit-ok")
		p.want("connection.close-ok")
		p.last = time.Now()
		if f, err := p.frame(); err == nil {
			t.Errorf("a frame of type %d after connection.close-ok", f.Type)
		}
	})
}

// TestFailedRound: held answers are not sent, and their connection ends with an exception,
// as does a connection that published without confirms. Confirms become nacks.
func TestFailedRound(t *testing.T) {
	const end = `connection.close 541 "INTERNAL_ERROR - store: injected fault" 0.0`
	for _, test := range []struct {
		name string
		send func(*rawPeer)
		want []string
	}{
		{"a declaration", func(p *rawPeer) { p.method(1, &wire.QueueDeclare{Queue: "new", Durable: true}) }, []string{end}},
		{"a publish without confirms", func(p *rawPeer) { p.send(appendPublish(nil, 1)) }, []string{end}},
		{"publishes with confirms", func(p *rawPeer) {
			p.method(1, &wire.ConfirmSelect{})
			p.want("confirm.select-ok")
			p.send(appendPublish(appendPublish(nil, 1), 1))
		}, []string{"basic.nack"}},
		{"both", func(p *rawPeer) {
			p.method(1, &wire.ConfirmSelect{})
			p.want("confirm.select-ok")
			p.send(wire.AppendMethodFrame(appendPublish(nil, 1), 1, &wire.QueueDeclare{Queue: "new", Durable: true}))
		}, []string{"basic.nack", end}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, f := newStorePeer(t)
				f.Hold()
				test.send(p)
				synctest.Wait()
				f.FailRound(0)
				f.Release(9)
				for _, want := range test.want {
					p.want(want)
				}
			})
		})
	}
}

// TestCloseAnswerOfAFailedRound: a client that waits for connection.close-ok behind held
// answers sees the connection end.
func TestCloseAnswerOfAFailedRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, f := newStorePeer(t)
		f.Hold()
		p.method(1, &wire.QueueDeclare{Queue: "new", Durable: true})
		p.method(0, &wire.ConnectionClose{})
		synctest.Wait()
		f.FailRound(0)
		f.Release(9)
		p.nc.SetReadDeadline(time.Now().Add(time.Minute))
		start := time.Now()
		if f, err := p.frame(); err == nil || time.Since(start) != 0 {
			t.Errorf("got %v, %v after %v, want the end of the connection at once", f, err, time.Since(start))
		}
	})
}

// TestPressure: a publisher is held back and gets connection.blocked, a consumer is not held
// back, and no connection ends for want of heartbeats.
func TestPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storetest.NewFaulty(memory.New())
		srv := newStoreServer(t, Options{}, f)
		publisher, consumer := newRawPeer(t, srv), newRawPeer(t, srv)
		for _, p := range []*rawPeer{publisher, consumer} {
			p.helloBlocked(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 10})
			p.open(1)
			p.method(1, &wire.QueueDeclare{Queue: "q", Durable: true})
			p.want("queue.declare-ok")
		}
		f.Press(true)
		publisher.method(1, &wire.BasicQos{})
		publisher.want("basic.qos-ok") // it has not published yet
		publisher.send(appendPublish(nil, 1))
		publisher.want(`connection.blocked "the store is behind"`)
		publisher.method(1, &wire.BasicQos{})
		consumer.method(1, &wire.BasicConsume{Queue: "q", NoAck: true})
		consumer.want("basic.consume-ok")
		consumer.want("basic.deliver")
		publisher.wantOnlyHeartbeats(time.Minute)
		f.Press(false)
		publisher.skipHeartbeats()
		publisher.want("connection.unblocked")
		publisher.want("basic.qos-ok")
		publisher.send(wire.AppendHeartbeat(appendPublish(nil, 1)))
		publisher.method(1, &wire.BasicQos{})
		publisher.want("basic.qos-ok")
	})
}

// wantOnlyHeartbeats reads for some time and sends heartbeats meanwhile.
func (p *rawPeer) wantOnlyHeartbeats(d time.Duration) {
	p.t.Helper()
	heartbeats := 0
	for end := time.Now().Add(d); time.Now().Before(end); {
		p.nc.SetReadDeadline(end)
		f, err := p.frame()
		if err == nil && f.Type != wire.FrameHeartbeat {
			p.fatalf("got a frame of type %d, %x, want heartbeats", f.Type, f.Payload)
		} else if err == nil {
			heartbeats++
		}
	}
	if heartbeats < int(d/(10*time.Second)) {
		p.fatalf("%d heartbeats in %v, want one every 10 s at least", heartbeats, d)
	}
	p.nc.SetReadDeadline(time.Time{})
}

// skipHeartbeats skips heartbeats and returns the next other frame.
func (p *rawPeer) skipHeartbeats() {
	p.t.Helper()
	for {
		f, err := p.frame()
		if err != nil {
			p.fatalf("%v", err)
		}
		if f.Type != wire.FrameHeartbeat {
			p.got = append(wire.AppendFrame(nil, f.Type, f.Channel, f.Payload), p.got...)
			return
		}
	}
}

// TestShutdownUnderPressure: Shutdown does not wait for the store to catch up.
func TestShutdownUnderPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, f := newStorePeer(t)
		f.Press(true)
		p.send(appendPublish(nil, 1))
		p.want(`connection.blocked "the store is behind"`)
		start := time.Now()
		if p.srv.Close(); time.Since(start) != 0 {
			t.Errorf("Close took %v", time.Since(start))
		}
	})
}

// TestHeartbeatsPassAGate: a client whose answer waits for the store gets heartbeats.
func TestHeartbeatsPassAGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storetest.NewFaulty(memory.New())
		p := newRawPeer(t, newStoreServer(t, Options{}, f))
		p.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 10})
		p.open(1)
		f.Hold()
		p.method(1, &wire.QueueDeclare{Queue: "q", Durable: true})
		start := time.Now()
		p.nc.SetReadDeadline(start.Add(time.Minute))
		if f, err := p.frame(); err != nil || f.Type != wire.FrameHeartbeat || time.Since(start) > 10*time.Second {
			t.Errorf("got %v, %v after %v, want a heartbeat within 10s", f, err, time.Since(start))
		}
		f.Release(1)
		p.want("queue.declare-ok")
	})
}

// TestConfirmsDoNotOutliveTheirChannel: a closed channel gets no confirms, since its number
// may be another channel's.
func TestConfirmsDoNotOutliveTheirChannel(t *testing.T) {
	p, f := newStorePeer(t)
	p.method(1, &wire.ConfirmSelect{})
	p.want("confirm.select-ok")
	f.Hold()
	p.send(appendPublish(nil, 1))
	p.method(1, &wire.ChannelClose{})
	p.want("channel.close-ok")
	p.open(1)
	f.Release(9)
	p.method(1, &wire.BasicQos{})
	p.want("basic.qos-ok")
}

// TestLastConfirms: publishes that are durable at once are confirmed before their channel or
// connection closes.
func TestLastConfirms(t *testing.T) {
	for _, last := range []struct {
		channel uint16
		close   wire.Method
		want    string
	}{
		{1, &wire.ChannelClose{}, "channel.close-ok"},
		{0, &wire.ConnectionClose{}, "connection.close-ok"},
	} {
		p, _ := newStorePeer(t)
		p.method(1, &wire.ConfirmSelect{})
		p.want("confirm.select-ok")
		p.send(wire.AppendMethodFrame(appendPublish(appendPublish(nil, 1), 1), last.channel, last.close))
		p.want("basic.ack 2")
		p.want(last.want)
	}
}
