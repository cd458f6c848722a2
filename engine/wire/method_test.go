package wire

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryMethodRoundTrips(t *testing.T) {
	r := random(t)
	for _, id := range methodIDs {
		for range 50 {
			m := r.method(id)
			payload := m.Append(nil)
			if got, ok := PeekMethod(payload); !ok || got != id {
				t.Fatalf("PeekMethod(%v) = %v, %v", id, got, ok)
			}
			got, err := ParseMethod(payload)
			if err != nil {
				t.Fatalf("%v: %v\nof %#v", id, err, m)
			}
			if diff := cmp.Diff(m, got); diff != "" {
				t.Fatalf("%v differs (- written, + read):\n%s", id, diff)
			}
			if again, err := EncodeMethod([]byte("x"), got); err != nil || !bytes.Equal(again[1:], payload) {
				t.Fatalf("%v: EncodeMethod = %x, error %v, want %x", id, again, err, payload)
			}
		}
	}
}

// TestMethodValuesAreCopies overwrites a payload after parsing it.
func TestMethodValuesAreCopies(t *testing.T) {
	r := random(t)
	for _, id := range methodIDs {
		payload := r.method(id).Append(nil)
		m, err := ParseMethod(payload)
		if err != nil {
			t.Fatal(err)
		}
		want := m.Append(nil)
		for i := range payload {
			payload[i] = 0xee
		}
		if got := m.Append(nil); !bytes.Equal(got, want) {
			t.Errorf("%v changed with the payload", id)
		}
	}
}

// TestMethodOfWrongLength cuts each method everywhere and lengthens it. RabbitMQ's
// decoder accepts neither.
func TestMethodOfWrongLength(t *testing.T) {
	r := random(t)
	for _, id := range methodIDs {
		payload := r.method(id).Append(nil)
		for n := range payload {
			_, err := ParseMethod(payload[:n])
			text := replyText(err)
			switch {
			case n < 4 && !strings.HasPrefix(text, "FRAME_ERROR - type 1, all octets = <<"):
				t.Fatalf("%v cut to %d of %d octets: %q", id, n, len(payload), text)
			case n >= 4 && !strings.HasPrefix(text, "FRAME_ERROR - cannot decode <<"):
				t.Fatalf("%v cut to %d of %d octets: %q", id, n, len(payload), text)
			}
		}
		_, err := ParseMethod(append(payload, 0))
		if text := replyText(err); !strings.HasPrefix(text, "FRAME_ERROR - cannot decode <<") {
			t.Errorf("%v with an octet more: %q", id, text)
		}
	}
}

func TestParseMethodRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload string
		text    string
		method  MethodID
	}{
		{"no class and method", "\x00\x14\x00", "FRAME_ERROR - type 1, all octets = <<0,20,0>>: unknown_frame", 0},
		{"arguments cut short", "\x00\x32\x00\x0a\x00", "FRAME_ERROR - cannot decode <<0>>", MethodQueueDeclare},
		{"short string over the end", "\x00\x14\x00\x0a\x05ab", "FRAME_ERROR - cannot decode <<5,97,98>>", MethodChannelOpen},
		{"octets left over", "\x00\x55\x00\x0a\x00\x07", "FRAME_ERROR - cannot decode <<0,7>>", MethodConfirmSelect},
		{"empty method with arguments", "\x00\x5a\x00\x0a\x00", "FRAME_ERROR - cannot decode <<0>>", MethodTxSelect},
		{"unknown method", "\x00\x3c\x00\xfa", "NOT_IMPLEMENTED - unknown method 250 in class 60", 60<<16 | 250},
		{"unknown class", "\x00\x63\x00\x0a\x00", "NOT_IMPLEMENTED - unknown class 99", 99<<16 | 10},
		{"queue name not UTF-8", "\x00\x32\x00\x1e\x00\x00\x02\xff\xfe\x00", "FRAME_ERROR - Malformed UTF-8 in shortstr", 0},
		{"table of an unknown type", "\x00\x32\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x04\x01az\x00",
			"SYNTAX_ERROR - unknown type 'z' of a table value", MethodQueueDeclare},
		{"table over the end", "\x00\x32\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x04\x01at",
			"FRAME_ERROR - cannot decode <<0,0,0,0,0,0,0,4,1,97,116>>", MethodQueueDeclare},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := ParseMethod([]byte(c.payload))
			if got := replyText(err); m != nil || got != c.text {
				t.Fatalf("ParseMethod = %v, %q, want %q", m, got, c.text)
			}
			if got := err.(*Error); got.Method != c.method || !got.Hard() {
				t.Errorf("method %v, hard %v, want %v, true", got.Method, got.Hard(), c.method)
			}
		})
	}
}

func TestMethodIDs(t *testing.T) {
	if !slices.IsSorted(methodIDs) {
		t.Error("methodIDs is not sorted")
	}
	for _, id := range methodIDs {
		m := newMethod(id)
		goName := strings.ReplaceAll(strings.ReplaceAll(id.String(), ".", ""), "-", "")
		if got := reflect.TypeOf(m).Elem().Name(); m.ID() != id || !strings.EqualFold(got, goName) {
			t.Errorf("newMethod(%v) is a %s with id %v", id, got, m.ID())
		}
	}
	for _, c := range []struct {
		id            MethodID
		class, method uint16
		name          string
		content       bool
	}{
		{MethodConnectionStart, 10, 10, "connection.start", false},
		{MethodQueueDeclareOk, 50, 11, "queue.declare-ok", false},
		{MethodExchangeUnbindOk, 40, 51, "exchange.unbind-ok", false},
		{MethodBasicPublish, 60, 40, "basic.publish", true},
		{MethodBasicGetOk, 60, 71, "basic.get-ok", true},
		{MethodBasicRecoverAsync, 60, 100, "basic.recover-async", false},
		{99<<16 | 7, 99, 7, "method 99.7", false},
	} {
		if c.id.Class() != c.class || c.id.Method() != c.method || c.id.String() != c.name || c.id.HasContent() != c.content {
			t.Errorf("%d: got %d.%d %q, content %v, want %d.%d %q, %v", uint32(c.id),
				c.id.Class(), c.id.Method(), c.id, c.id.HasContent(), c.class, c.method, c.name, c.content)
		}
	}
}

// TestViewsAgreeWithParseMethod reads the same payloads, whole and damaged, with views
// and with ParseMethod.
func TestViewsAgreeWithParseMethod(t *testing.T) {
	r := random(t)
	for range 500 {
		for _, id := range []MethodID{MethodBasicPublish, MethodBasicAck, MethodBasicNack, MethodBasicReject} {
			payload := r.method(id).Append(nil)
			if r.IntN(2) == 0 {
				payload[4+r.IntN(len(payload)-4)] = byte(r.Uint32())
			}
			if r.IntN(4) == 0 {
				payload = payload[:4+r.IntN(len(payload)-4)]
			}
			m, err := ParseMethod(payload)
			got, viewErr := view(id, payload)
			if replyText(viewErr) != replyText(err) {
				t.Fatalf("%v %x: view error %v, want %v", id, payload, viewErr, err)
			}
			if err == nil && !reflect.DeepEqual(got, m) {
				t.Fatalf("%v %x: view %+v, want %+v", id, payload, got, m)
			}
		}
	}
}

// view reads a payload with the view of its method and returns it as a method.
func view(id MethodID, payload []byte) (Method, error) {
	switch id {
	case MethodBasicPublish:
		var v PublishView
		err := v.Parse(payload)
		return &BasicPublish{string(v.Exchange), string(v.RoutingKey), v.Mandatory, v.Immediate}, err
	case MethodBasicAck:
		var v AckView
		err := v.Parse(payload)
		return &BasicAck{v.DeliveryTag, v.Multiple}, err
	case MethodBasicNack:
		var v NackView
		err := v.Parse(payload)
		return &BasicNack{v.DeliveryTag, v.Multiple, v.Requeue}, err
	}
	var v RejectView
	err := v.Parse(payload)
	return &BasicReject{v.DeliveryTag, v.Requeue}, err
}

// TestReservedFieldsAreIgnored reads the reserved fields that clients of older protocol
// versions set: tickets, an out-of-band string, the insist bit.
func TestReservedFieldsAreIgnored(t *testing.T) {
	for _, c := range []struct {
		payload string
		want    Method
	}{
		{"\x00\x14\x00\x0a\x010", &ChannelOpen{}},
		{"\x00\x0a\x00\x28\x01/\x03cap\x01", &ConnectionOpen{VirtualHost: "/"}},
		{"\x00\x32\x00\x1e\x00\x65\x01q\xff", &QueuePurge{Queue: "q", NoWait: true}},
	} {
		got, err := ParseMethod([]byte(c.payload))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("ParseMethod(%q) = %+v, error %v, want %+v", c.payload, got, err, c.want)
		}
	}
}
