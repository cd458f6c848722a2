package server

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// TestConsumerTimeoutClosesTheChannel: the message returns to its queue, and the connection
// and its other channels live on.
func TestConsumerTimeoutClosesTheChannel(t *testing.T) {
	p := newProbe(t)
	_, err := p.QueueDeclare("slow", false, false, false, false, amqp.Table{"x-consumer-timeout": int32(30)})
	p.must(err)
	other, err := p.conn.Channel()
	p.must(err)
	closed := p.NotifyClose(make(chan *amqp.Error, 1))
	p.must(p.publish("", "slow", amqp.Publishing{Body: []byte("m")}))
	deliveries, err := p.Consume("slow", "t", false, false, false, false, nil)
	p.must(err)
	<-deliveries
	const want = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 30 ms. " +
		"This timeout value can be configured, see consumers doc guide to learn more"
	if e := <-closed; e == nil || e.Code != 406 || e.Reason != want {
		t.Errorf("channel closed by %v, want 406 %s", e, want)
	}
	d, ok, err := other.Get("slow", true)
	if err != nil || !ok || !d.Redelivered {
		t.Errorf("get: %t, redelivered %t, %v", ok, d.Redelivered, err)
	}
}
