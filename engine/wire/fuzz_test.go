package wire

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// The fuzz targets decode, encode and decode again. Committed inputs are in
// testdata/fuzz.

func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x00\x50\xce"), uint32(4096))
	f.Fuzz(func(t *testing.T, b []byte, frameMax uint32) {
		fr, n, err := NextFrame(b, frameMax)
		switch {
		case err != nil:
			checkReply(t, err)
		case n == 0:
			if len(b) >= frameHead && len(b) >= FrameOverhead+int(maxPayload(frameMax)) {
				t.Fatalf("%d octets are not enough for frames of %d", len(b), frameMax)
			}
		default:
			if n > len(b) || len(fr.Payload) > int(maxPayload(frameMax)) {
				t.Fatalf("frame of %d octets in %d, frame_max %d", n, len(b), frameMax)
			}
			if again := AppendFrame(nil, fr.Type, fr.Channel, fr.Payload); !bytes.Equal(again, b[:n]) {
				t.Fatalf("%x written again is %x", b[:n], again)
			}
		}
		readAll(fr)
	})
}

// readAll parses the payload of a frame of any type. It must not panic.
func readAll(f Frame) {
	switch f.Type {
	case FrameMethod:
		ParseMethod(f.Payload)
	case FrameHeader:
		new(HeaderView).Parse(f.Payload)
	}
}

func FuzzMethod(f *testing.F) {
	for _, id := range methodIDs {
		f.Add(newMethod(id).Append(nil))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := ParseMethod(payload)
		if id, ok := PeekMethod(payload); ok {
			switch id {
			case MethodBasicPublish, MethodBasicAck, MethodBasicNack, MethodBasicReject:
				if _, viewErr := view(id, payload); replyText(viewErr) != replyText(err) {
					t.Fatalf("view: %v, ParseMethod: %v", viewErr, err)
				}
			}
		}
		if err != nil {
			checkReply(t, err)
			return
		}
		again := m.Append(nil)
		m2, err := ParseMethod(again)
		if err != nil {
			t.Fatalf("%x written again: %v", payload, err)
		}
		if third := m2.Append(nil); !bytes.Equal(third, again) {
			t.Fatalf("%x is written as %x, then as %x", payload, again, third)
		}
	})
}

func FuzzProperties(f *testing.F) {
	p := Properties{Flags: ^noProperty, Headers: everyType}
	f.Add(AppendProperties(nil, &p))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := ViewProperties(raw)
		v.Headers()
		v.Expiration()
		v.UserID()
		v.ReplyTo()
		p, err := ParseProperties(raw)
		if err != nil {
			checkReply(t, err)
			return
		}
		checkAccessors(t, raw, &p)
		again := AppendProperties(nil, &p)
		p2, err := ParseProperties(again)
		if err != nil {
			t.Fatalf("%x written again: %v", raw, err)
		}
		if third := AppendProperties(nil, &p2); !bytes.Equal(third, again) {
			t.Fatalf("%x is written as %x, then as %x", raw, again, third)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add([]byte(encoded))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fields := 0
		for range Fields(raw) {
			fields++
		}
		table, rest, err := ParseTable(raw)
		checked := new(PropertyView).parse(append([]byte{0x20, 0}, raw[:len(raw)-len(rest)]...))
		if (checked == nil) != (err == nil) {
			t.Fatalf("ParseTable: %v, as headers: %v", err, checked)
		}
		if err != nil {
			checkReply(t, err)
			return
		}
		if fields != len(table) {
			t.Fatalf("Fields yields %d fields, want %d", fields, len(table))
		}
		again := AppendTable(nil, table)
		if len(again) != len(raw)-len(rest) {
			t.Fatalf("%x written again is %x", raw, again)
		}
		table2, rest, err := ParseTable(again)
		if err != nil || len(rest) != 0 {
			t.Fatalf("%x written again: error %v, rest %x", raw, err, rest)
		}
		if third := AppendTable(nil, table2); !bytes.Equal(third, again) {
			t.Fatalf("%x is written as %x, then as %x", raw, again, third)
		}
	})
}

// checkReply checks that an error can be reported to the peer: it closes the
// connection, and its text fits a short string.
func checkReply(t *testing.T, err error) {
	t.Helper()
	e, ok := err.(*Error)
	if !ok || !e.Hard() || e.Code.Name() == "UNKNOWN" {
		t.Fatalf("not a connection exception: %#v", err)
	}
	if text := e.ReplyText(); len(text) > MaxShortString || !utf8.ValidString(text) || strings.Contains(text, "%!") {
		t.Fatalf("reply text %q", text)
	}
	m := &ConnectionClose{ReplyCode: e.Code, ReplyText: e.ReplyText(), ClassID: e.Method.Class(), MethodID: e.Method.Method()}
	if got, err := ParseMethod(m.Append(nil)); err != nil || got.(*ConnectionClose).ReplyText != e.ReplyText() {
		t.Fatalf("connection.close of %v: %v", e, err)
	}
}
