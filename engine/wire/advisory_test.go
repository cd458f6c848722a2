package wire

import (
	"math"
	"runtime"
	"strings"
	"testing"
)

// TestAdvisories reads inputs with which published advisories broke other AMQP
// codecs. Each input is small and demands much memory, or breaks out of its frame.
func TestAdvisories(t *testing.T) {
	method := func(args string) func() error {
		return func() error { _, err := ParseMethod([]byte(args)); return err }
	}
	frame := func(b string, frameMax uint32) func() error {
		return func() error { _, _, err := NextFrame([]byte(b), frameMax); return err }
	}
	header := func(b string) func() error {
		return func() error { return new(HeaderView).Parse([]byte(b)) }
	}
	const declare = "\x00\x32\x00\x0a\x00\x00\x01q\x00" // queue.declare up to its table
	for _, c := range []struct {
		name string
		run  func() error
		text string
	}{
		{"frame above frame_max before tune (CVE-2026-79921)", frame("\x01\x00\x00\x00\x00\x20\x01", 8192),
			"FRAME_ERROR - type 1, all octets = <<>>: {frame_too_large,8193,8184}"},
		{"frame above frame_max after tune (CVE-2026-79921)", frame("\x03\x00\x01\x00\x02\x00\x01", 131072),
			"FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,131073,131064}"},
		{"frame size wraps to a small one", frame("\x03\x00\x01\xff\xff\xff\xf8", math.MaxUint32),
			"FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,4294967288,2147483631}"},
		{"long string length over the frame (CVE-2026-77411)", method("\x00\x0a\x00\x14\x80\x00\x00\x00x"),
			"FRAME_ERROR - cannot decode <<128,0,0,0,120>>"},
		{"long string length that is negative as int32 (CVE-2026-77412)", method("\x00\x0a\x00\x14\xff\xff\xff\xff"),
			"FRAME_ERROR - cannot decode <<255,255,255,255>>"},
		{"table length that is negative as int32", method(declare + "\xff\xff\xff\xff"),
			"FRAME_ERROR - cannot decode <<0,0,1,113,0,255,255,255,255>>"},
		{"string in a table longer than the table", method(declare + "\x00\x00\x00\x07\x01kS\x7f\xff\xff\xff"),
			"SYNTAX_ERROR - longstr of 2147483651 octets in a table, 4 left"},
		{"array in a table longer than the table", method(declare + "\x00\x00\x00\x07\x01kA\xff\xff\xff\xff"),
			"SYNTAX_ERROR - array of 4294967299 octets in a table, 4 left"},
		{"binary in headers longer than the frame", header("\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x20\x00\x00\x00\x00\x07\x01kx\xff\xff\xff\xf0"),
			"SYNTAX_ERROR - binary of 4294967284 octets in a table, 4 left"},
		{"endless property flags", header("\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" + strings.Repeat("\x00\x01", 5000)),
			"SYNTAX_ERROR - property flags 0x0001: class basic has no property for the lowest two bits"},
		{"deep headers", header("\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x20\x00" + string(nested(8000))),
			"SYNTAX_ERROR - table nested more than 64 deep"},
		{"unknown frame type (GHSA-5fp7-wg2f-hhgp)", frame("\x04\xff\xff\x00\x00\x00\x00\xce", 131072),
			"FRAME_ERROR - type 4, all octets = <<>>: unknown_frame"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			if took := memory(func() { err = c.run() }); took > 1<<16 {
				t.Errorf("took %d octets of memory", took)
			}
			if got := replyText(err); got != c.text {
				t.Errorf("got %q, want %q", got, c.text)
			}
		})
	}
}

// memory returns the number of bytes that f allocates.
func memory(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A body size of 2^64-1 is only a number here (CVE-2026-77410). The caller refuses it,
// and allocates only for octets that arrived.
func TestBodySizeIsNotTrusted(t *testing.T) {
	payload := []byte("\x00\x3c\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00")
	var v HeaderView
	if took := memory(func() {
		if err := v.Parse(payload); err != nil {
			t.Error(err)
		}
	}); took > 1<<16 {
		t.Errorf("took %d octets of memory", took)
	}
	if v.BodySize != math.MaxUint64 {
		t.Errorf("BodySize = %d", v.BodySize)
	}
}

// A short string of 256 octets must not be sent as one of 0 with 256 octets of the
// caller's choice after it (CVE-2026-77408).
func TestShortStringLengthDoesNotWrap(t *testing.T) {
	key := strings.Repeat("k", MaxShortString+1)
	if got, err := EncodeMethod(nil, &BasicPublish{RoutingKey: key}); err == nil || len(got) != 0 {
		t.Errorf("EncodeMethod = %d octets, error %v", len(got), err)
	}
	if got, err := EncodeProperties(nil, &Properties{UserID: key}); err == nil || len(got) != 0 {
		t.Errorf("EncodeProperties = %d octets, error %v", len(got), err)
	}
	if got, err := EncodeTable(nil, Table{{key, nil}}); err == nil || len(got) != 0 {
		t.Errorf("EncodeTable = %d octets, error %v", len(got), err)
	}
}

// A frame_max of 1 must not make a frame of each octet (CVE-2026-77403).
func TestTinyFrameMaxDoesNotFragment(t *testing.T) {
	body := make([]byte, 100_000)
	for _, frameMax := range []uint32{0, 1, 8, 9} {
		got := len(AppendBody(nil, 1, body, frameMax))
		frames := (len(body) + MinFrameMax - FrameOverhead - 1) / (MinFrameMax - FrameOverhead)
		if want := len(body) + frames*FrameOverhead; got != want {
			t.Errorf("frame_max %d: %d octets, want %d", frameMax, got, want)
		}
	}
}

// The memory that the decoder allocates is bounded by the size of the frame. An array of
// voids, one octet each, is the worst case.
func TestDecodedSizeIsBounded(t *testing.T) {
	var body []byte
	for len(body) < 120_000 {
		body = append(body, array(MaxTableFields)[4:]...)
	}
	n := len(body)
	raw := append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, body...)
	took := memory(func() {
		if _, _, err := ParseTable(raw); err != nil {
			t.Error(err)
		}
	})
	if limit := uint64(64 * n); took > limit {
		t.Errorf("a table of %d octets took %d octets of memory, want at most %d", n, took, limit)
	}
}
