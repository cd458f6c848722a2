package broker

import (
	"testing"

	"harelab/engine/message"
	"harelab/engine/wire"
)

// TestDeletedQueueRoutesNothing: a publish that found its queue just before the queue
// was deleted is not routed, so that a mandatory one is returned.
func TestDeletedQueueRoutesNothing(t *testing.T) {
	s := newScript(t)
	s.run("> a1 declare q\n")
	v := s.conns["a"].vhost
	q, ok := v.queues.GetString("q")
	if !ok {
		t.Fatal("no queue q")
	}
	op := &operation{broker: s.broker, batch: new(Batch)}
	op.begin()
	v.removeQueue(op, q)
	m := message.New(nil, []byte("q"), new(wire.PropertyView), []byte("body"))
	op.queues = []*Queue{q}
	if op.enqueue(m, -1) {
		t.Error("a deleted queue took a message")
	}
}
