package message

import (
	"encoding/binary"
	"fmt"

	"harelab/engine/wire"
)

// AppendHead appends the head of a message's stored form to dst: the offsets at which
// the parts of its octets end. [Message.Octets] is the rest of the stored form, which
// need not be copied.
func (m *Message) AppendHead(dst []byte) []byte {
	keyEnd := m.keyEnd
	if m.flags&hidesKeys != 0 {
		keyEnd |= storedHiding
	}
	dst = binary.BigEndian.AppendUint16(dst, keyEnd)
	return binary.BigEndian.AppendUint32(dst, m.propsEnd)
}

// Octets returns all octets of a message. They are valid as long as the caller has a
// reference.
func (m *Message) Octets() []byte { return m.data() }

// Decode returns a copy of the message whose head and octets are b, with one reference
// and no identity in the store. It returns an error if b is damaged.
func Decode(b []byte) (*Message, error) {
	const head = 2 + 4
	if len(b) < head {
		return nil, fmt.Errorf("message of %d octets, want at least %d", len(b), head)
	}
	keyEnd, propsEnd, b := uint32(binary.BigEndian.Uint16(b)), binary.BigEndian.Uint32(b[2:]), b[head:]
	hiding := keyEnd&storedHiding != 0
	keyEnd &^= storedHiding
	if keyEnd < 2 || keyEnd > propsEnd || uint64(propsEnd) > uint64(len(b)) || 2+uint32(b[0]) > keyEnd {
		return nil, fmt.Errorf("message of %d octets whose parts end at %d and %d", len(b), keyEnd, propsEnd)
	}
	exchange, key := b[1:1+b[0]], b[2+b[0]:keyEnd]
	properties := wire.ViewProperties(b[keyEnd:propsEnd])
	m := New(exchange, key, &properties, b[propsEnd:])
	if hiding {
		if err := m.checkHidden(); err != nil {
			m.Release()
			return nil, err
		}
		m.flags |= hidesKeys
	}
	return m, nil
}

// storedHiding is a flag in the stored keyEnd for a message that has hidden keys. keyEnd
// itself is at most 512.
const storedHiding = 1 << 15
