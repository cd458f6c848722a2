package wire

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPropertiesRoundTrip(t *testing.T) {
	r := random(t)
	for range 1000 {
		want := r.properties()
		raw := AppendProperties(nil, &want)
		got, err := ParseProperties(raw)
		if err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("properties differ (- written, + read):\n%s", diff)
		}
		if again, err := EncodeProperties([]byte("x"), &got); err != nil || !bytes.Equal(again[1:], raw) {
			t.Fatalf("EncodeProperties = %x, error %v, want %x", again, err, raw)
		}
		checkAccessors(t, raw, &want)
	}
}

// checkAccessors compares what is read in place with p.
func checkAccessors(t *testing.T, raw []byte, p *Properties) {
	t.Helper()
	for f := FlagContentType; f > noProperty; f >>= 1 {
		got, ok := Property(raw, f)
		if ok != (p.Flags&f != 0) {
			t.Fatalf("Property(%#x) is there: %v, want %v", f, ok, !ok)
		}
		if s := p.text(f); ok && s != nil && string(got) != *s {
			t.Fatalf("Property(%#x) = %q, want %q", f, got, *s)
		}
	}
	if v, _ := PropertyPriority(raw); v != p.Priority {
		t.Fatalf("PropertyPriority = %d, want %d", v, p.Priority)
	}
	if v, _ := PropertyDeliveryMode(raw); v != p.DeliveryMode {
		t.Fatalf("PropertyDeliveryMode = %d, want %d", v, p.DeliveryMode)
	}
	if v, _ := PropertyTimestamp(raw); v != Timestamp(p.Timestamp) {
		t.Fatalf("PropertyTimestamp = %d, want %d", v, p.Timestamp)
	}
	if v, _ := PropertyExpiration(raw); string(v) != p.Expiration {
		t.Fatalf("PropertyExpiration = %q, want %q", v, p.Expiration)
	}
	if v, _ := PropertyUserID(raw); string(v) != p.UserID {
		t.Fatalf("PropertyUserID = %q, want %q", v, p.UserID)
	}
	if v, _ := PropertyReplyTo(raw); string(v) != p.ReplyTo {
		t.Fatalf("PropertyReplyTo = %q, want %q", v, p.ReplyTo)
	}
	if v, ok := PropertyHeaders(raw); ok {
		got, rest, err := ParseTable(v)
		if diff := cmp.Diff(p.Headers, got); err != nil || len(rest) != 0 || diff != "" {
			t.Fatalf("PropertyHeaders: error %v, rest %q (- want, + got):\n%s", err, rest, diff)
		}
	}
}

// TestPropertyOfUncheckedOctets cuts a property list everywhere: what is before
// the cut is found, nothing after it, and nothing panics.
func TestPropertyOfUncheckedOctets(t *testing.T) {
	p := Properties{Flags: ^noProperty, Headers: everyType, CorrelationID: "c", MessageID: strings.Repeat("m", 255)}
	raw := AppendProperties(nil, &p)
	found := 0
	for n := range raw {
		now := 0
		for f := FlagContentType; f > noProperty; f >>= 1 {
			if _, ok := Property(raw[:n], f); ok {
				now++
			}
		}
		if now < found || now > 14 {
			t.Fatalf("cut at %d: %d properties, %d before", n, now, found)
		}
		found = now
	}
	if found != 13 {
		t.Errorf("all but the last octet: %d properties, want 13", found)
	}
	for _, f := range []PropertyFlags{0, 1, 2, FlagPriority | FlagDeliveryMode, 0xffff} {
		if v, ok := Property([]byte("\xff\xff"), f); ok {
			t.Errorf("Property(%#x) = %q", f, v)
		}
	}
}

func TestPropertiesLiteralNeedsNoFlags(t *testing.T) {
	p := Properties{ContentType: "text/plain", DeliveryMode: 2, Flags: FlagReplyTo | 3}
	raw := AppendProperties(nil, &p)
	if want := "\x92\x00\x0atext/plain\x02\x00"; string(raw) != want {
		t.Errorf("AppendProperties = %q, want %q", raw, want)
	}
	p.Remove(FlagReplyTo | FlagContentType)
	if raw := AppendProperties(nil, &p); string(raw) != "\x10\x00\x02" {
		t.Errorf("after Remove: %q, want the delivery mode alone", raw)
	}
}

func TestEncodePropertiesRefuses(t *testing.T) {
	for _, p := range []*Properties{
		{CorrelationID: strings.Repeat("c", 256)},
		{Headers: Table{{"k", uint64(1)}}},
	} {
		got, err := EncodeProperties([]byte("dst"), p)
		if err == nil || string(got) != "dst" {
			t.Errorf("EncodeProperties(%+v) = %q, error %v", p, got, err)
		}
		mustPanic(t, func() { AppendProperties(nil, p) })
	}
}

func TestHeaderView(t *testing.T) {
	payload := "\x00\x3c\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x10\x00\x02"
	var v HeaderView
	if err := v.Parse([]byte(payload)); err != nil {
		t.Fatal(err)
	}
	if v.ClassID != ClassBasic || v.BodySize != 0x0102030405060708 || string(v.Properties) != "\x10\x00\x02" {
		t.Errorf("got %+v", v)
	}
	if got, want := AppendHeaderFrame(nil, 7, v.BodySize, v.Properties), AppendFrame(nil, FrameHeader, 7, []byte(payload)); !bytes.Equal(got, want) {
		t.Errorf("AppendHeaderFrame = %x, want %x", got, want)
	}
	if got, want := AppendHeaderFrame(nil, 7, 0, nil), AppendHeaderFrame(nil, 7, 0, []byte{0, 0}); !bytes.Equal(got, want) {
		t.Errorf("AppendHeaderFrame without properties = %x, want %x", got, want)
	}
}

func TestHeaderViewRefuses(t *testing.T) {
	head := func(class, weight uint16, properties string) []byte {
		b := binary.BigEndian.AppendUint16(nil, class)
		b = binary.BigEndian.AppendUint16(b, weight)
		b = binary.BigEndian.AppendUint64(b, 5)
		return append(b, properties...)
	}
	for _, c := range []struct {
		name   string
		in     []byte
		text   string
		method MethodID
	}{
		{"too short", []byte("\x00\x3c"), "FRAME_ERROR - type 2, all octets = <<0,60>>: unknown_frame", 0},
		{"class of another kind", head(50, 0, "\x00\x00"),
			"UNEXPECTED_FRAME - expected content header for class 60, got one for class 50 instead", MethodBasicPublish},
		{"weight not 0", head(60, 1, "\x00\x00"),
			"UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead", MethodBasicPublish},
		{"no flags", head(60, 0, "\x00"), "SYNTAX_ERROR - property flags of 2 octets, 1 left", MethodBasicPublish},
		{"more flags follow", head(60, 0, "\x10\x01\x02\x00\x00"),
			"SYNTAX_ERROR - property flags 0x1001: class basic has no property for the lowest two bits", MethodBasicPublish},
		{"flag without property", head(60, 0, "\x00\x02"),
			"SYNTAX_ERROR - property flags 0x0002: class basic has no property for the lowest two bits", MethodBasicPublish},
		{"list cut short", head(60, 0, "\x80\x00\x05text"), "SYNTAX_ERROR - property flags 0x8000: list cut short", MethodBasicPublish},
		{"list missing", head(60, 0, "\x00\x40"), "SYNTAX_ERROR - property flags 0x0040: list cut short", MethodBasicPublish},
		{"timestamp cut short", head(60, 0, "\x00\x40\x00\x00"), "SYNTAX_ERROR - property flags 0x0040: list cut short", MethodBasicPublish},
		{"headers cut short", head(60, 0, "\x20\x00\x00\x00\x00\x01"), "SYNTAX_ERROR - property flags 0x2000: list cut short", MethodBasicPublish},
		{"octets left over", head(60, 0, "\x00\x00\x01"), "SYNTAX_ERROR - 1 octets after the property list", MethodBasicPublish},
		{"headers not a table", head(60, 0, "\x20\x00\x00\x00\x00\x03\x01kz"),
			"SYNTAX_ERROR - unknown type 'z' of a table value", MethodBasicPublish},
		{"text not UTF-8", head(60, 0, "\x80\x00\x01\xff"), "FRAME_ERROR - Malformed UTF-8 in shortstr", MethodBasicPublish},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := HeaderView{BodySize: 1}
			err := v.Parse(c.in)
			if got := replyText(err); got != c.text {
				t.Fatalf("Parse: %q, want %q", got, c.text)
			}
			if got := err.(*Error).Method; got != c.method || v.BodySize != 0 || v.Properties != nil {
				t.Errorf("method %v, view %+v, want %v and an empty one", got, v, c.method)
			}
			if len(c.in) >= headerHead && c.text[:10] != "UNEXPECTED" {
				if _, err := ParseProperties(c.in[headerHead:]); replyText(err) != c.text {
					t.Errorf("ParseProperties: %v", err)
				}
			}
		})
	}
}
