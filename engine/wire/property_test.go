package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
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

// checkAccessors compares the properties read in place, checked and unchecked, with p.
func checkAccessors(t *testing.T, raw []byte, p *Properties) {
	t.Helper()
	var checked PropertyView
	if err := checked.Parse(raw); err != nil {
		t.Fatal(err)
	}
	unchecked := ViewProperties(raw)
	if diff := cmp.Diff(checked, unchecked, cmp.AllowUnexported(PropertyView{})); diff != "" {
		t.Fatalf("views differ (- checked, + unchecked):\n%s", diff)
	}
	moved := unchecked.In(bytes.Clone(raw))
	checkView(t, &checked, p)
	checkView(t, &moved, p)
	if !bytes.Equal(checked.Raw(), raw) {
		t.Fatalf("Raw = %x, want %x", checked.Raw(), raw)
	}
}

func checkView(t *testing.T, v *PropertyView, p *Properties) {
	t.Helper()
	if v.Flags() != p.Flags {
		t.Fatalf("Flags = %#x, want %#x", v.Flags(), p.Flags)
	}
	mode, hasMode := v.DeliveryMode()
	if v.Priority() != p.Priority || mode != p.DeliveryMode || hasMode != (p.Flags&FlagDeliveryMode != 0) {
		t.Fatalf("Priority = %d, DeliveryMode = %d, %t, want those of %+v", v.Priority(), mode, hasMode, p)
	}
	for _, text := range []struct {
		name string
		flag PropertyFlags
		get  func() ([]byte, bool)
	}{
		{"Expiration", FlagExpiration, v.Expiration}, {"UserID", FlagUserID, v.UserID}, {"ReplyTo", FlagReplyTo, v.ReplyTo},
	} {
		if got, ok := text.get(); ok != (p.Flags&text.flag != 0) || string(got) != *p.text(text.flag) {
			t.Fatalf("%s = %q, %t, want that of %+v", text.name, got, ok, p)
		}
	}
	headers := v.Headers()
	if (headers != nil) != (p.Flags&FlagHeaders != 0) {
		t.Fatalf("Headers = %x, want those of %+v", headers, p)
	}
	if headers == nil {
		return
	}
	got, rest, err := ParseTable(headers)
	if diff := cmp.Diff(p.Headers, got); err != nil || len(rest) != 0 || diff != "" {
		t.Fatalf("Headers: error %v, rest %q (- want, + got):\n%s", err, rest, diff)
	}
}

// TestViewOfUncheckedOctets cuts a property list everywhere. The view must find the
// properties before the cut and none after it, and must not panic.
func TestViewOfUncheckedOctets(t *testing.T) {
	p := Properties{Flags: ^noProperty, Headers: everyType, CorrelationID: "c", MessageID: strings.Repeat("m", 255)}
	raw := AppendProperties(nil, &p)
	found := 0
	for n := range raw {
		v := ViewProperties(raw[:n])
		now := bits.OnesCount16(uint16(v.Flags()))
		if now < found || now > 14 {
			t.Fatalf("cut at %d: %d properties, %d before", n, now, found)
		}
		found = now
		v.Headers()
		v.Expiration()
		v.UserID()
		v.ReplyTo()
	}
	if found != 13 {
		t.Errorf("all but the last octet: %d properties, want 13", found)
	}
	v := ViewProperties([]byte("\xff\xff"))
	if v.Flags() != 0 || v.Headers() != nil || v.Priority() != 0 {
		t.Errorf("flags without a list: %+v", v)
	}
}

// TestEmptyPropertyView: the zero value, and a view after an error, are lists without
// properties.
func TestEmptyPropertyView(t *testing.T) {
	var v PropertyView
	if !bytes.Equal(v.Raw(), []byte{0, 0}) || v.Flags() != 0 || v.Headers() != nil {
		t.Errorf("the zero view has %x, %#x, %x", v.Raw(), v.Flags(), v.Headers())
	}
	raw := AppendProperties(nil, &Properties{Priority: 3, UserID: "guest"})
	if err := v.Parse(raw); err != nil || v.Priority() != 3 {
		t.Fatalf("Parse: %v, %+v", err, v)
	}
	if err := v.Parse(raw[:len(raw)-1]); err == nil || v.Priority() != 0 || v.Flags() != 0 {
		t.Errorf("Parse of a list cut short: %v, %+v", err, v)
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
	if v.ClassID != ClassBasic || v.BodySize != 0x0102030405060708 || string(v.Properties.Raw()) != "\x10\x00\x02" {
		t.Errorf("got %+v", v)
	}
	if got, want := AppendHeaderFrame(nil, 7, v.BodySize, v.Properties.Raw()), AppendFrame(nil, FrameHeader, 7, []byte(payload)); !bytes.Equal(got, want) {
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
			if got := err.(*Error).Method; got != c.method || v.BodySize != 0 || v.Properties.raw != nil {
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
