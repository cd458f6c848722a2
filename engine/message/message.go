// Package message holds published messages: immutable and shared, each in one piece of
// memory without pointers. It also holds their hidden keys, by which only dead letters
// are routed, and their stored form.
//
// The memory is pooled by size. This is the only package that uses unsafe, because the
// octets of a message lie right behind its struct.
package message

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"harelab/engine/internal/invariants"
	"harelab/engine/wire"
)

// A Message is a published message: its exchange and routing key, its properties and
// its body. It is immutable and shared: each queue that holds it and each Sink that
// keeps it has a reference. When the last one is released, the memory serves another
// message.
//
// The results of the methods are parts of the message's memory and valid as long as the
// caller has a reference. Only [New], [NewHiding] and [Decode] make messages: the octets
// lie right behind this struct, in one piece of memory without pointers, so that the
// garbage collector does not scan a backlog.
//
// Any number of goroutines may use a message, each with a reference.
type Message struct {
	refs     atomic.Int32
	size     uint32 // number of octets behind the struct: exchange and key, properties, body, hidden keys
	propsEnd uint32 // offset in these octets at which the properties end
	keyEnd   uint16 // offset in these octets at which exchange and routing key end, at most 512
	priority uint8
	flags    uint8  // size class, persistent, hidesKeys
	storeID  uint64 // the message's identity in the store, 0 if it is not there
}

// HeadBytes is the size of a message in memory without its parts, in octets.
const HeadBytes = int(unsafe.Sizeof(Message{}))

const (
	classMask  = 0x3F // index into classes, or unpooled
	unpooled   = 0x3F
	hidesKeys  = 0x40
	persistent = 0x80
)

// New returns a message with one reference that holds copies of all parts. exchange and
// routingKey are at most 255 octets long; the caller has checked that.
func New(exchange, routingKey []byte, properties *wire.PropertyView, body []byte) *Message {
	list := properties.Raw()
	keyEnd := 2 + len(exchange) + len(routingKey)
	m := allocMessage(keyEnd + len(list) + len(body))
	m.refs.Store(1)
	b := m.data()[:0]
	b = append(b, byte(len(exchange)))
	b = append(b, exchange...)
	b = append(b, byte(len(routingKey)))
	b = append(b, routingKey...)
	b = append(b, list...)
	copy(b[len(b):cap(b)], body)
	m.keyEnd = uint16(keyEnd)
	m.propsEnd = uint32(keyEnd + len(list))
	m.storeID = 0
	m.priority = properties.Priority()
	if mode, _ := properties.DeliveryMode(); mode == 2 {
		m.flags |= persistent
	}
	return m
}

// data returns the octets behind the struct. The caller must have a reference.
func (m *Message) data() []byte {
	if invariants.Enabled {
		m.mustLive()
	}
	return m.octets()
}

// octets is data without the check for a reference.
func (m *Message) octets() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(m), HeadBytes)), m.size)
}

// ExchangeAndKey returns the names of the exchange and the routing key that the
// message was published with, as two encoded short strings.
func (m *Message) ExchangeAndKey() []byte { return m.data()[:m.keyEnd:m.keyEnd] }

// Exchange returns the name of the exchange that the message was published to.
func (m *Message) Exchange() []byte { b := m.data(); return b[1 : 1+int(b[0])] }

// RoutingKey returns the routing key that the message was published with.
func (m *Message) RoutingKey() []byte { b := m.data(); return b[2+int(b[0]) : m.keyEnd] }

// Properties returns the encoded property flags and list, as they were published.
func (m *Message) Properties() []byte { return m.data()[m.keyEnd:m.propsEnd] }

// Body returns the message's body.
func (m *Message) Body() []byte {
	if m.flags&hidesKeys != 0 {
		return m.data()[m.propsEnd:m.hiddenAt()]
	}
	return m.data()[m.propsEnd:]
}

// Priority returns the message's priority, 0 if it has none.
func (m *Message) Priority() uint8 { return m.priority }

// Persistent reports whether the message asks to survive a restart (delivery mode 2).
func (m *Message) Persistent() bool { return m.flags&persistent != 0 }

// StoreID returns the message's identity in the store, 0 if it is not there.
func (m *Message) StoreID() uint64 { return m.storeID }

// SetStoreID gives the message an identity in the store. It is called before anybody
// else has a reference.
func (m *Message) SetStoreID(id uint64) { m.storeID = id }

// Share sets the number of references to n. The caller must have the only one.
func (m *Message) Share(n int) {
	if invariants.Enabled && m.refs.Load() != 1 {
		invariants.Failf("%s is shared with %d references, want 1", m.describe(), m.refs.Load())
	}
	m.refs.Store(int32(n))
}

// Retain adds a reference.
func (m *Message) Retain() {
	if invariants.Enabled {
		m.mustLive()
	}
	m.refs.Add(1)
}

// Release removes a reference. The caller must not use m afterwards. If it was the last
// one, Release takes the message's Size off the memory that is [Held].
func (m *Message) Release() {
	if freed := m.Unref(); freed != 0 {
		Hold(-int64(freed))
	}
}

// Unref is Release without the call of Hold. It returns the octets that the caller has to
// take off, 0 if there are other references.
func (m *Message) Unref() (freed int) {
	if n := m.refs.Add(-1); n > 0 {
		return 0
	} else if n < 0 {
		invariants.Failf("message: released more often than retained")
	}
	freed = m.Size()
	if invariants.Enabled {
		m.bury()
		return freed
	}
	if class := m.flags & classMask; class != unpooled {
		pools[class].Put(m)
	}
	return freed
}

// classes are the sizes of memory for messages, in octets, head included. They are size
// classes of Go's allocator, so that it does not round them up. A message of 100 octets
// with a short key takes 144.
var classes = [...]int{
	64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256,
	288, 320, 384, 448, 512, 640, 768, 1024, 1280, 1536, 2048,
	3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768,
}

var pools [len(classes)]sync.Pool

// classOf maps a size, in steps of 16 octets, to its class.
var classOf = func() (table [32768/16 + 1]uint8) {
	class := 0
	for i := range table {
		if 16*i > classes[class] {
			class++
		}
		table[i] = uint8(class)
	}
	return table
}()

// allocMessage returns a message with room for n octets. Only its size and class are set.
func allocMessage(n int) *Message {
	size := HeadBytes + n
	if size > classes[len(classes)-1] {
		return makeMessage(size, n, unpooled)
	}
	class := classOf[(size+15)/16]
	if m, _ := pools[class].Get().(*Message); m != nil {
		m.size, m.flags = uint32(n), class
		return m
	}
	return makeMessage(classes[class], n, class)
}

// makeMessage allocates size octets and returns them as a message. Go aligns all
// allocations of that size for the struct.
func makeMessage(size, n int, class uint8) *Message {
	m := (*Message)(unsafe.Pointer(unsafe.SliceData(make([]byte, size))))
	m.size, m.flags = uint32(n), class
	return m
}
