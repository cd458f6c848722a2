package server

import (
	"context"
	"testing"

	"harelab/engine/store/memory"
	"harelab/engine/store/storetest"
	"harelab/engine/wire"
)

// TestShutdownDrains: a shutdown cancels consumers first, carries out nothing that comes
// after that, confirms what came before, and only then closes the connection.
func TestShutdownDrains(t *testing.T) {
	f := storetest.NewFaulty(memory.New())
	p := newRawPeer(t, newStoreServer(t, Options{}, f))
	p.helloAble(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072}, "consumer_cancel_notify")
	p.open(1)
	p.method(1, &wire.QueueDeclare{Queue: "q", Durable: true})
	p.want("queue.declare-ok")
	p.method(1, &wire.QueueDeclare{Queue: "work", Durable: true})
	p.want("queue.declare-ok")
	p.method(1, &wire.BasicConsume{Queue: "work"})
	p.want("basic.consume-ok")
	p.method(1, &wire.ConfirmSelect{})
	p.want("confirm.select-ok")
	f.Hold()
	p.send(wire.AppendMethodFrame(appendPublish(appendPublish(nil, 1), 1), 1, &wire.BasicQos{}))
	p.want("basic.qos-ok")

	done := make(chan error, 1)
	go func() { done <- p.srv.Shutdown(context.Background()) }()
	p.want("basic.cancel")
	p.send(appendPublish(nil, 1)) // too late: neither carried out nor confirmed
	f.Release(9)
	p.want("basic.ack 2")
	p.want(`connection.close 320 "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'" 0.0`)
	p.nc.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	v, _ := p.srv.opts.Broker.VHost("/")
	if q, _ := v.Queue("q"); q.Ready != 2 {
		t.Errorf("%d messages are ready, want the 2 that were confirmed", q.Ready)
	}
}
