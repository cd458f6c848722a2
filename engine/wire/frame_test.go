package wire

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
)

func TestNextFrame(t *testing.T) {
	big := strings.Repeat("x", MinFrameMax-FrameOverhead)
	for _, c := range []struct {
		name     string
		in       string
		frameMax uint32
		want     Frame
		n        int
		err      string // reply text
	}{
		{name: "nothing"},
		{name: "head cut short", in: "\x01\x00\x01\x00\x00\x00"},
		{name: "payload cut short", in: "\x03\x00\x01\x00\x00\x00\x02a"},
		{name: "end octet missing", in: "\x03\x00\x01\x00\x00\x00\x01a"},
		{name: "method", in: "\x01\x01\x02\x00\x00\x00\x04\x00\x3c\x00\x50\xce", n: 12,
			want: Frame{FrameMethod, 258, []byte("\x00\x3c\x00\x50")}},
		{name: "header", in: "\x02\x00\x01\x00\x00\x00\x01h\xce", n: 9, want: Frame{FrameHeader, 1, []byte("h")}},
		{name: "empty body", in: "\x03\x00\x01\x00\x00\x00\x00\xce", n: 8, want: Frame{FrameBody, 1, []byte{}}},
		{name: "heartbeat", in: "\x08\x00\x00\x00\x00\x00\x00\xce", n: 8, want: Frame{FrameHeartbeat, 0, []byte{}}},
		{name: "next frame is left", in: "\x03\x00\x01\x00\x00\x00\x01a\xce\x03\x00", n: 9, want: Frame{FrameBody, 1, []byte("a")}},
		{name: "largest", in: "\x03\x00\x01\x00\x00\x0f\xf8" + big + "\xce", n: MinFrameMax, want: Frame{FrameBody, 1, []byte(big)}},
		{name: "largest, tiny frame_max counts as the least", in: "\x03\x00\x01\x00\x00\x0f\xf8" + big + "\xce", frameMax: 1,
			n: MinFrameMax, want: Frame{FrameBody, 1, []byte(big)}},
		{name: "too large by one, and what is forgiven", in: "\x03\x00\x01\x00\x00\x10\x01",
			err: "FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,4097,4088}"},
		{name: "too large, frame_max 131072", in: "\x03\x00\x01\x00\x03\x0d\x40", frameMax: 131072,
			err: "FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,200000,131064}"},
		{name: "too large, highest size", in: "\x01\x00\x00\xff\xff\xff\xff", frameMax: math.MaxUint32,
			err: "FRAME_ERROR - type 1, all octets = <<>>: {frame_too_large,4294967295,2147483631}"},
		{name: "wrong end octet", in: "\x01\x00\x01\x00\x00\x00\x04\x00\x14\x00\x0a\x00",
			err: "FRAME_ERROR - type 1, all octets = <<0,20,0,10>>: {invalid_frame_end_marker,0}"},
		{name: "wrong end octet, long payload", in: "\x03\x00\x01\x00\x00\x00\x11abcdefghijklmnopq\xcf",
			err: `FRAME_ERROR - type 3, first 16 octets = <<"abcdefghijklmnop">>: {invalid_frame_end_marker,207}`},
		{name: "unknown type", in: "\x09\x00\x01\x00\x00\x00\x03abc\xce",
			err: `FRAME_ERROR - type 9, all octets = <<"abc">>: unknown_frame`},
		{name: "type 0", in: "\x00\x00\x01\x00\x00\x00\x00\xce", err: "FRAME_ERROR - type 0, all octets = <<>>: unknown_frame"},
		{name: "heartbeat on a channel", in: "\x08\x00\x01\x00\x00\x00\x00\xce", err: "UNEXPECTED_FRAME - type 8, all octets = <<>>"},
		{name: "heartbeat with payload", in: "\x08\x00\x00\x00\x00\x00\x02xx\xce",
			err: `FRAME_ERROR - type 8, all octets = <<"xx">>: unknown_frame`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, n, err := NextFrame([]byte(c.in), c.frameMax)
			if got := replyText(err); got != c.err {
				t.Fatalf("reply text %q, want %q", got, c.err)
			}
			if n != c.n || f.Type != c.want.Type || f.Channel != c.want.Channel || !bytes.Equal(f.Payload, c.want.Payload) {
				t.Errorf("NextFrame = %+v, %d, want %+v, %d", f, n, c.want, c.n)
			}
		})
	}
}

// replyText returns the reply text of an AMQP error, or "" for nil.
func replyText(err error) string {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.ReplyText()
	}
	if err != nil {
		return "not an AMQP error: " + err.Error()
	}
	return ""
}

// TestNextFrameAnyCut cuts a sequence of frames everywhere. The frames read must not
// depend on how the octets arrive.
func TestNextFrameAnyCut(t *testing.T) {
	r := random(t)
	var stream []byte
	var want []Frame
	for range 20 {
		f := Frame{byte(1 + r.IntN(3)), uint16(r.Uint32()), r.octets(30)}
		want = append(want, f)
		stream = AppendFrame(stream, f.Type, f.Channel, f.Payload)
	}
	for cut := range stream {
		var got []Frame
		at := 0
		for _, end := range []int{cut, len(stream)} {
			for {
				f, n, err := NextFrame(stream[at:end], MinFrameMax)
				if err != nil {
					t.Fatalf("cut at %d: %v", cut, err)
				}
				if n == 0 {
					break
				}
				at += n
				got = append(got, f)
			}
		}
		if len(got) != len(want) || at != len(stream) {
			t.Fatalf("cut at %d: %d frames in %d octets, want %d in %d", cut, len(got), at, len(want), len(stream))
		}
		for i, f := range got {
			if f.Type != want[i].Type || f.Channel != want[i].Channel || !bytes.Equal(f.Payload, want[i].Payload) {
				t.Fatalf("cut at %d: frame %d is %+v, want %+v", cut, i, f, want[i])
			}
		}
	}
}

func TestFramePayloadCannotGrowIntoNext(t *testing.T) {
	b := AppendFrame(AppendFrame(nil, FrameBody, 1, []byte("a")), FrameBody, 2, []byte("b"))
	f, n, err := NextFrame(b, MinFrameMax)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(f.Payload, "overwritten"...)
	if f, _, err := NextFrame(b[n:], MinFrameMax); err != nil || f.Channel != 2 || string(f.Payload) != "b" {
		t.Errorf("after an append to the first payload the second frame is %+v, error %v", f, err)
	}
}

func TestBuildInPlace(t *testing.T) {
	dst := []byte("before")
	dst = BeginFrame(dst, FrameHeader, 0xabcd)
	dst = append(dst, "payload"...)
	dst = EndFrame(dst, len("before"))
	if want := "before\x02\xab\xcd\x00\x00\x00\x07payload\xce"; string(dst) != want {
		t.Errorf("got %q, want %q", dst, want)
	}
	if got, want := AppendHeartbeat(nil), AppendFrame(nil, FrameHeartbeat, 0, nil); !bytes.Equal(got, want) {
		t.Errorf("AppendHeartbeat = %x, want %x", got, want)
	}
}
