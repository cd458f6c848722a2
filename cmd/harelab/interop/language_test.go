package interop

import (
	"encoding/binary"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"harelab/engine/wire"
)

// The language of testdata/differential.txt.
//
// A paragraph is a conversation. Its first line is its name. The test sends the other
// lines one by one and compares the answers that arrive until both sides are silent:
//
//	a1 queue.declare queue=$q +x-max-length=1
//
// makes connection a send queue.declare on channel 1. Arguments are fields of the method;
// a name alone is a bit that is set, +name=value an entry of the method's table. A $ is
// replaced by a prefix that no other conversation has. A channel or connection that an
// exception closed is opened again at its next use. Publishing is
//
//	a1 publish EXCHANGE KEY BODY mandatory priority=2 +header=value
//
// where - is an empty name. REPLYTO stands for the last address for direct replies that
// arrived. Content can be sent in its parts:
//
//	a1 basic.publish exchange=EXCHANGE routingkey=KEY
//	a1 header size=5 class=60 priority=2
//	a1 body hello
//
// and "a1 frame TYPE HEX" is any frame, on a channel that need not be open. A line
//
//	b connect user=guest password=wrong framemax=4096
//
// is an explicit handshake; otherwise connections log in as guest, and w as the user
// weak. "a drop" breaks a connection off, "wait 100ms" waits. A ~ before a line marks
// answers that are known to differ, for the reason above the conversation.

// methods are the methods that a client may send, by name.
var methods = func() map[string]wire.Method {
	byName := make(map[string]wire.Method)
	for _, m := range []wire.Method{
		&wire.ConnectionUpdateSecret{}, &wire.ConnectionClose{},
		&wire.ChannelOpen{}, &wire.ChannelFlow{}, &wire.ChannelClose{}, &wire.AccessRequest{},
		&wire.ExchangeDeclare{}, &wire.ExchangeDelete{}, &wire.ExchangeBind{}, &wire.ExchangeUnbind{},
		&wire.QueueDeclare{}, &wire.QueueBind{}, &wire.QueuePurge{}, &wire.QueueDelete{}, &wire.QueueUnbind{},
		&wire.BasicQos{}, &wire.BasicConsume{}, &wire.BasicCancel{}, &wire.BasicPublish{}, &wire.BasicGet{},
		&wire.BasicAck{}, &wire.BasicReject{}, &wire.BasicNack{}, &wire.BasicRecover{}, &wire.BasicRecoverAsync{},
		&wire.ConfirmSelect{}, &wire.TxSelect{}, &wire.TxCommit{}, &wire.TxRollback{},
	} {
		byName[m.ID().String()] = m
	}
	return byName
}()

// encode returns the frames of a line and whether the server always answers them.
func encode(t *testing.T, channel uint16, words []string) (octets []byte, answered bool) {
	t.Helper()
	switch words[0] {
	case "header":
		var h contentHeader
		for _, w := range words[1:] {
			if !h.set(t, w) {
				set(t, reflect.ValueOf(&h.properties).Elem(), w)
			}
		}
		return h.frame(channel), false
	case "body":
		return wire.AppendBody(nil, channel, []byte(words[1]), 131072), false
	case "publish":
		m := &wire.BasicPublish{Exchange: strings.TrimPrefix(words[1], "-"), RoutingKey: strings.TrimPrefix(words[2], "-")}
		var ps wire.Properties
		for _, w := range words[4:] {
			if w == "mandatory" || w == "immediate" {
				set(t, reflect.ValueOf(m).Elem(), w)
			} else {
				set(t, reflect.ValueOf(&ps).Elem(), w)
			}
		}
		body := []byte(words[3])
		octets = wire.AppendMethodFrame(nil, channel, m)
		octets = wire.AppendHeaderFrame(octets, channel, uint64(len(body)), wire.AppendProperties(nil, &ps))
		return wire.AppendBody(octets, channel, body, 131072), false
	}
	prototype := methods[words[0]]
	if prototype == nil {
		t.Fatalf("unknown method %q", words[0])
	}
	m := reflect.New(reflect.TypeOf(prototype).Elem())
	answered = !slices.Contains(words, "nowait") &&
		!slices.Contains([]string{"basic.ack", "basic.reject", "basic.nack", "basic.recover-async", "basic.publish"}, words[0])
	for _, w := range words[1:] {
		set(t, m.Elem(), w)
	}
	return wire.AppendMethodFrame(nil, channel, m.Interface().(wire.Method)), answered
}

// A contentHeader is a header frame, which may be malformed.
type contentHeader struct {
	size       uint64
	class      uint16
	weight     uint16
	properties wire.Properties
}

func (h *contentHeader) set(t *testing.T, word string) bool {
	t.Helper()
	name, text, _ := strings.Cut(word, "=")
	n, err := strconv.ParseUint(text, 10, 64)
	switch {
	case err != nil:
		return false
	case name == "size":
		h.size = n
	case name == "class":
		h.class = uint16(n)
	case name == "weight":
		h.weight = uint16(n)
	default:
		return false
	}
	return true
}

func (h *contentHeader) frame(channel uint16) []byte {
	octets := wire.AppendHeaderFrame(nil, channel, h.size, wire.AppendProperties(nil, &h.properties))
	if h.class != 0 {
		binary.BigEndian.PutUint16(octets[7:], h.class)
	}
	binary.BigEndian.PutUint16(octets[9:], h.weight)
	return octets
}

// set sets the field of a struct that one argument of a line names.
func set(t *testing.T, v reflect.Value, word string) {
	t.Helper()
	name, text, valued := strings.Cut(word, "=")
	if name[0] == '+' {
		for _, table := range []string{"Arguments", "Headers"} {
			if f := v.FieldByName(table); f.IsValid() {
				f.Set(reflect.Append(f, reflect.ValueOf(wire.Field{Key: name[1:], Value: parse(t, text)})))
			}
		}
		return
	}
	f := v.FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, name) })
	switch {
	case !f.IsValid():
		t.Fatalf("%s has no field %q", v.Type(), name)
	case !valued:
		f.SetBool(true)
	case f.Kind() == reflect.String:
		f.SetString(text)
	case f.Kind() == reflect.Slice:
		f.SetBytes([]byte(text))
	default:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		f.SetUint(n)
	}
}

// parse reads a value of a table. A number is an int32; l:1, s:1 and b:1 are integers of
// other sizes, d:1.5 a double, T:1 a time, t:true a bit, V: void, F: an empty table, A:x,y
// an array; anything else is text.
func parse(t *testing.T, text string) any {
	t.Helper()
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return int32(n)
	}
	kind, rest, ok := strings.Cut(text, ":")
	if !ok || len(kind) != 1 {
		return text
	}
	n, _ := strconv.ParseFloat(rest, 64)
	switch kind {
	case "l":
		return int64(n)
	case "s":
		return int16(n)
	case "b":
		return int8(n)
	case "d":
		return n
	case "f":
		return float32(n)
	case "T":
		return wire.Timestamp(n)
	case "t":
		return rest == "true"
	case "x":
		return []byte(rest)
	case "V":
		return nil
	case "F":
		return wire.Table{}
	case "S":
		return rest
	case "A":
		var all []any
		for _, e := range strings.Split(rest, ",") {
			all = append(all, parse(t, e))
		}
		return all
	}
	t.Fatalf("unknown kind of value %q", text)
	return nil
}
