package broker

import (
	"fmt"
	"testing"
	"time"

	"harelab/engine/wire"
)

// TestConsumerTimeout: which deliveries end their channel, and when. The script's queue t has
// a timeout of 100 ms, u one of 1 s by policy, and q none.
func TestConsumerTimeout(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(ch *Channel, advance func(ms int))
		want string // of the exceptions, time in ms and timeout
	}{
		{"settled in time", func(ch *Channel, advance func(int)) {
			get(t, ch, "t")
			advance(99)
			mustDo(t, ch.Ack(1, false))
			advance(1000)
		}, ""},
		{"not settled", func(ch *Channel, advance func(int)) {
			get(t, ch, "t")
			advance(99)
			advance(1)
		}, "100: 100 ms"},
		{"the second of two", func(ch *Channel, advance func(int)) {
			get(t, ch, "t")
			advance(50)
			get(t, ch, "t")
			mustDo(t, ch.Ack(1, false))
			advance(50)
			advance(49)
			advance(1)
		}, "150: 100 ms"},
		{"the shorter timeout of the later delivery", func(ch *Channel, advance func(int)) {
			get(t, ch, "u")
			advance(10)
			get(t, ch, "t")
			advance(100)
		}, "110: 100 ms"},
		{"by policy", func(ch *Channel, advance func(int)) {
			get(t, ch, "u")
			advance(999)
			advance(1)
		}, "1000: 1000 ms"},
		{"returned to the queue", func(ch *Channel, advance func(int)) {
			get(t, ch, "t")
			mustDo(t, ch.Nack(1, false, true))
			advance(1000)
		}, ""},
		{"a closed channel", func(ch *Channel, advance func(int)) {
			get(t, ch, "t")
			ch.Close()
			advance(1000)
		}, ""},
		{"a queue without a timeout", func(ch *Channel, advance func(int)) {
			get(t, ch, "q")
			advance(1_000_000)
		}, ""},
		{"a consumer", func(ch *Channel, advance func(int)) {
			_, err := ch.Consume(ConsumerSpec{Queue: "t"})
			mustDo(t, err)
			advance(100)
		}, "100: 100 ms"},
		{"a consumer without acknowledgements", func(ch *Channel, advance func(int)) {
			_, err := ch.Consume(ConsumerSpec{Queue: "t", NoAck: true})
			mustDo(t, err)
			advance(1000)
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			s.run(`
> a1 declare t x-consumer-timeout=100
> a1 declare u
> a1 declare q
> policy p ^[ut]$ queues consumer-timeout=1000
> a1 publish - t m
> a1 publish - t m
> a1 publish - u m
> a1 publish - q m
`)
			start, got := s.clock.Now(), ""
			conn := s.vhost().Connect(ConnOptions{ChannelEnded: func(ch *Channel, reason error) {
				at := (s.clock.Now() - start) / 1000
				var ms int
				const text = "delivery acknowledgement on channel 7 timed out. Timeout value used: %d ms. This timeout value can be configured, see consumers doc guide to learn more"
				e, ok := reason.(*Error)
				if !ok || e.Code != wire.PreconditionFailed {
					t.Fatalf("channel ended by %v", reason)
				}
				if _, err := fmt.Sscanf(e.Text, text, &ms); err != nil || e.Text != fmt.Sprintf(text, ms) {
					t.Errorf("text %q", e.Text)
				}
				got = fmt.Sprintf("%d: %d ms", at, ms)
			}})
			tt.do(conn.Channel(7, nil), func(ms int) { s.clock.advance(time.Duration(ms) * time.Millisecond) })
			if got != tt.want {
				t.Errorf("channel ended at %q, want %q", got, tt.want)
			}
			conn.Close()
		})
	}
}

func get(t *testing.T, ch *Channel, queue string) {
	t.Helper()
	r, ok, err := ch.Get(queue, false)
	if err != nil || !ok {
		t.Fatalf("get from %s: %t, %v", queue, ok, err)
	}
	r.Msg.Release()
}
