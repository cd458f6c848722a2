package message

import (
	"encoding/binary"
	"fmt"

	"harelab/engine/wire"
)

// Hidden keys are the routing keys in the header BCC. Consumers must not see them, so
// the broker removes the header, but a dead letter is still routed by them. They lie
// behind the body, each after its length; the last four octets of the message are the
// length of all hidden keys. Few messages have any.

// NewHiding is [New] with hidden keys.
func NewHiding(exchange, routingKey []byte, properties *wire.PropertyView, body []byte, keys [][]byte) *Message {
	if len(keys) == 0 {
		return New(exchange, routingKey, properties, body)
	}
	long := append(make([]byte, 0, 2*len(body)), body...)
	for _, k := range keys {
		long = append(binary.BigEndian.AppendUint32(long, uint32(len(k))), k...)
	}
	long = binary.BigEndian.AppendUint32(long, uint32(len(long)-len(body)))
	m := New(exchange, routingKey, properties, long)
	m.flags |= hidesKeys
	return m
}

// hiddenAt returns the offset at which the hidden keys begin.
func (m *Message) hiddenAt() int {
	end := len(m.data()) - 4
	return end - int(binary.BigEndian.Uint32(m.data()[end:]))
}

// AppendHidden appends the hidden keys to keys. They are parts of the message's memory.
func (m *Message) AppendHidden(keys [][]byte) [][]byte {
	if m.flags&hidesKeys == 0 {
		return keys
	}
	b := m.data()
	for b = b[m.hiddenAt() : len(b)-4]; len(b) > 0; {
		n := 4 + binary.BigEndian.Uint32(b)
		keys, b = append(keys, b[4:n]), b[n:]
	}
	return keys
}

// checkHidden returns an error if the hidden keys of a stored message are damaged.
func (m *Message) checkHidden() error {
	b := m.data()[m.propsEnd:]
	if len(b) < 4 || uint64(binary.BigEndian.Uint32(b[len(b)-4:])) > uint64(len(b)-4) {
		return fmt.Errorf("hidden keys in %d octets do not end where they should", len(b))
	}
	for b = b[m.hiddenAt()-int(m.propsEnd) : len(b)-4]; len(b) > 0; {
		if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
			return fmt.Errorf("hidden key of which %d octets are left", len(b))
		}
		b = b[4+binary.BigEndian.Uint32(b):]
	}
	return nil
}
