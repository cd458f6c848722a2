package broker

import (
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"harelab/engine/wire"
)

// A Message is what was published: where to, its properties and its body. It is
// immutable and shared: each queue that holds it and each Sink that keeps it has a
// reference, and when the last is released its memory serves another message.
//
// The methods' results are parts of the message's one buffer and valid as long as
// the caller has a reference.
type Message struct {
	refs       atomic.Int32
	keyEnd     uint16 // where exchange and routing key end in buf, at most 512
	priority   uint8
	persistent bool
	propsEnd   uint32 // where the properties end in buf
	class      uint8  // index into messageClasses, or unpooled
	record     uint64 // the message's identity in the store, 0 if it is not there
	buf        []byte // exchange and routing key as short strings, properties, body
}

// newMessage returns a message with one reference that holds copies of all parts.
// The names are at most 255 octets, which who parsed or checked them knows.
func newMessage(exchange, routingKey, properties, body []byte) *Message {
	keyEnd := 2 + len(exchange) + len(routingKey)
	m := allocMessage(keyEnd + len(properties) + len(body))
	b := m.buf[:0]
	b = append(b, byte(len(exchange)))
	b = append(b, exchange...)
	b = append(b, byte(len(routingKey)))
	b = append(b, routingKey...)
	b = append(b, properties...)
	m.buf = append(b, body...)
	m.keyEnd = uint16(keyEnd)
	m.propsEnd = uint32(keyEnd + len(properties))
	m.record = 0
	m.priority, _ = wire.PropertyPriority(properties)
	mode, _ := wire.PropertyDeliveryMode(properties)
	m.persistent = mode == 2
	m.refs.Store(1)
	return m
}

// ExchangeAndKey returns the names of the exchange and the routing key that the
// message was published with, as two encoded short strings.
func (m *Message) ExchangeAndKey() []byte { return m.buf[:m.keyEnd:m.keyEnd] }

// Exchange returns the name of the exchange that the message was published to.
func (m *Message) Exchange() []byte { return m.buf[1 : 1+int(m.buf[0])] }

// RoutingKey returns the routing key that the message was published with.
func (m *Message) RoutingKey() []byte { return m.buf[2+int(m.buf[0]) : m.keyEnd] }

// Properties returns the property flags and list, encoded, as they came.
func (m *Message) Properties() []byte { return m.buf[m.keyEnd:m.propsEnd] }

// Body returns the message's body.
func (m *Message) Body() []byte { return m.buf[m.propsEnd:] }

// Priority returns the message's priority, 0 if it has none.
func (m *Message) Priority() uint8 { return m.priority }

// Persistent reports whether the message asks to survive a restart (delivery mode 2).
func (m *Message) Persistent() bool { return m.persistent }

// Retain adds a reference.
func (m *Message) Retain() { m.refs.Add(1) }

// Release takes a reference away. After that the caller must not use m.
func (m *Message) Release() {
	if n := m.refs.Add(-1); n > 0 {
		return
	} else if n < 0 {
		panic("broker: message released more often than retained")
	}
	if m.class != unpooled {
		messageClasses[m.class].pool.Put(m)
	}
}

// A message and its buffer are one piece of memory, in sizes that fill Go's own
// size classes: 160 octets hold a message of 100 with a short key.
const (
	messageHead = int(unsafe.Sizeof(Message{}))
	unpooled    = 0xFF
)

type messageClass struct {
	size int // octets of buffer
	pool *sync.Pool
}

var messageClasses = [...]messageClass{
	{size: 96 - messageHead, pool: pooled[[96 - messageHead]byte]()},
	{size: 128 - messageHead, pool: pooled[[128 - messageHead]byte]()},
	{size: 160 - messageHead, pool: pooled[[160 - messageHead]byte]()},
	{size: 192 - messageHead, pool: pooled[[192 - messageHead]byte]()},
	{size: 256 - messageHead, pool: pooled[[256 - messageHead]byte]()},
	{size: 320 - messageHead, pool: pooled[[320 - messageHead]byte]()},
	{size: 416 - messageHead, pool: pooled[[416 - messageHead]byte]()},
	{size: 512 - messageHead, pool: pooled[[512 - messageHead]byte]()},
	{size: 768 - messageHead, pool: pooled[[768 - messageHead]byte]()},
	{size: 1152 - messageHead, pool: pooled[[1152 - messageHead]byte]()},
	{size: 1536 - messageHead, pool: pooled[[1536 - messageHead]byte]()},
	{size: 2304 - messageHead, pool: pooled[[2304 - messageHead]byte]()},
	{size: 4864 - messageHead, pool: pooled[[4864 - messageHead]byte]()},
	{size: 9472 - messageHead, pool: pooled[[9472 - messageHead]byte]()},
	{size: 18432 - messageHead, pool: pooled[[18432 - messageHead]byte]()},
	{size: 32768 - messageHead, pool: pooled[[32768 - messageHead]byte]()},
}

// room is the memory that buffers of type A, an array of octets, are part of.
type room[A any] struct {
	Message
	data A
}

func pooled[A any]() *sync.Pool {
	return &sync.Pool{New: func() any {
		r := new(room[A])
		r.buf = unsafe.Slice((*byte)(unsafe.Pointer(&r.data)), unsafe.Sizeof(r.data))
		return &r.Message
	}}
}

// allocMessage returns a message with a buffer of n octets and nothing else set.
func allocMessage(n int) *Message {
	class, _ := slices.BinarySearchFunc(messageClasses[:], n, func(c messageClass, n int) int { return c.size - n })
	if class == len(messageClasses) {
		return &Message{class: unpooled, buf: make([]byte, n)}
	}
	m := messageClasses[class].pool.Get().(*Message)
	m.class = uint8(class)
	return m
}
