package wire

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
)

// TestDeliveriesAreMethodHeaderBody compares the one-call encoders with the same
// frames made one by one.
func TestDeliveriesAreMethodHeaderBody(t *testing.T) {
	r := random(t)
	for range 300 {
		exchange, key, tag := r.text(MaxShortString), r.text(MaxShortString), r.text(MaxShortString)
		where := AppendExchangeAndKey(nil, exchange, key)
		p := r.properties()
		properties := AppendProperties(nil, &p)
		body := r.octets(3 * MinFrameMax)
		channel, number, count, redelivered := uint16(r.Uint32()), r.Uint64(), r.Uint32(), r.IntN(2) == 1
		frameMax := uint32(MinFrameMax + r.IntN(MinFrameMax))

		for _, c := range []struct {
			got  []byte
			want Method
		}{
			{AppendDeliver([]byte("x"), channel, tag, number, redelivered, where, properties, body, frameMax),
				&BasicDeliver{tag, number, redelivered, exchange, key}},
			{AppendGetOk([]byte("x"), channel, number, redelivered, where, count, properties, body, frameMax),
				&BasicGetOk{number, redelivered, exchange, key, count}},
			{AppendReturn([]byte("x"), channel, NoRoute, tag, where, properties, body, frameMax),
				&BasicReturn{NoRoute, tag, exchange, key}},
		} {
			want := AppendMethodFrame([]byte("x"), channel, c.want)
			want = AppendHeaderFrame(want, channel, uint64(len(body)), properties)
			rest := body
			for len(rest) > 0 {
				n := min(len(rest), int(frameMax)-FrameOverhead)
				want = AppendFrame(want, FrameBody, channel, rest[:n])
				rest = rest[n:]
			}
			content := len(want) - len(AppendMethodFrame([]byte("x"), channel, c.want))
			if room := contentSize(properties, len(body), frameMax); room < content || room > content+FrameOverhead+2 {
				t.Fatalf("room for %d octets of content, %d needed", room, content)
			}
			if !bytes.Equal(c.got, want) {
				t.Fatalf("%v: got\n%x, want\n%x", c.want.ID(), c.got, want)
			}
		}
	}
}

func TestBodyFrames(t *testing.T) {
	const room = MinFrameMax - FrameOverhead
	for _, c := range []struct {
		size int
		want []int // payload sizes of the body frames
	}{
		{0, nil}, {1, []int{1}}, {room, []int{room}}, {room + 1, []int{room, 1}}, {2*room + 5, []int{room, room, 5}},
	} {
		for _, frameMax := range []uint32{0, 1, FrameOverhead, MinFrameMax} {
			b := AppendBody(nil, 9, bytes.Repeat([]byte("b"), c.size), frameMax)
			var got []int
			for len(b) > 0 {
				f, n, err := NextFrame(b, MinFrameMax)
				if err != nil || n == 0 || f.Type != FrameBody || f.Channel != 9 {
					t.Fatalf("body of %d: frame %+v of %d octets, error %v", c.size, f, n, err)
				}
				got = append(got, len(f.Payload))
				b = b[n:]
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("body of %d, frame_max %d: frames of %v, want %v", c.size, frameMax, got, c.want)
			}
		}
	}
	if got := AppendBody(nil, 9, make([]byte, 1<<20), math.MaxUint32); len(got) != 1<<20+FrameOverhead {
		t.Errorf("highest frame_max: %d octets, want one frame", len(got))
	}
}

// TestSplicedBody writes the head of a delivery and the body from another buffer, as a
// server does with large bodies.
func TestSplicedBody(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 1000)
	where := AppendExchangeAndKey(nil, "amq.topic", "a.b")
	want := AppendDeliver(nil, 3, "tag", 5, true, where, nil, body, MinFrameMax)

	got := AppendDeliverHead(nil, 3, "tag", 5, true, where, nil, uint64(len(body)))
	for rest := body; len(rest) > 0; {
		n := min(len(rest), MinFrameMax-FrameOverhead)
		got = AppendBodyFrameHead(got, 3, n)
		got = append(got, rest[:n]...)
		got = append(got, FrameEnd)
		rest = rest[n:]
	}
	if !bytes.Equal(got, want) {
		t.Error("the spliced delivery differs from AppendDeliver")
	}
}

func TestConfirms(t *testing.T) {
	for _, multiple := range []bool{false, true} {
		got := AppendAck([]byte("x"), 0xabcd, 1<<40, multiple)
		if want := AppendMethodFrame([]byte("x"), 0xabcd, &BasicAck{1 << 40, multiple}); !bytes.Equal(got, want) {
			t.Errorf("AppendAck = %x, want %x", got, want)
		}
		got = AppendNack([]byte("x"), 0xabcd, 1<<40, multiple)
		if want := AppendMethodFrame([]byte("x"), 0xabcd, &BasicNack{1 << 40, multiple, true}); !bytes.Equal(got, want) {
			t.Errorf("AppendNack = %x, want %x", got, want)
		}
	}
}

func TestLongNamesPanic(t *testing.T) {
	long := strings.Repeat("x", 256)
	mustPanic(t, func() { AppendExchangeAndKey(nil, long, "") })
	mustPanic(t, func() { AppendExchangeAndKey(nil, "", long) })
	mustPanic(t, func() { AppendDeliver(nil, 1, long, 1, false, []byte{0, 0}, nil, nil, 0) })
	mustPanic(t, func() { AppendReturn(nil, 1, NoRoute, long, []byte{0, 0}, nil, nil, 0) })
	mustPanic(t, func() { AppendMethodFrame(nil, 1, &BasicCancel{ConsumerTag: long}) })
	if got, err := EncodeMethod([]byte("dst"), &BasicCancel{ConsumerTag: long}); err == nil || string(got) != "dst" {
		t.Errorf("EncodeMethod = %q, error %v", got, err)
	}
}
