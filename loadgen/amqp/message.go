package amqp

import (
	"encoding/binary"
	"math"
	"strconv"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/loadgen"
	"harelab/scenarios"
)

// Bodies begin with the message's number (8 bytes, big endian), its intended
// time in microseconds (8), its class (2) and sequence (2), and its service
// time in microseconds (4, at most 71 minutes).
const (
	intendedAt = 8
	classAt    = 16
	sequenceAt = 18
	serviceAt  = 20
)

// An encoder makes publishings. What it returns is valid until the next call,
// which is long enough: the client copies on writing.
type encoder struct {
	body    []byte
	headers map[*scenarios.Argument]amqp091.Table // of headers that messages share
}

func newEncoder() *encoder {
	return &encoder{headers: map[*scenarios.Argument]amqp091.Table{}}
}

// maxShared bounds the header tables that are kept.
const maxShared = 1024

func (e *encoder) encode(m *loadgen.Planned) amqp091.Publishing {
	if cap(e.body) < m.Size {
		e.body = make([]byte, m.Size)
	}
	e.body = e.body[:m.Size]
	binary.BigEndian.PutUint64(e.body, uint64(m.Seq))
	binary.BigEndian.PutUint64(e.body[intendedAt:], uint64(m.At))
	binary.BigEndian.PutUint16(e.body[classAt:], uint16(m.Class))
	binary.BigEndian.PutUint16(e.body[sequenceAt:], uint16(m.Sequence))
	binary.BigEndian.PutUint32(e.body[serviceAt:], uint32(min(m.Service, math.MaxUint32)))
	p := amqp091.Publishing{Body: e.body, Priority: m.Priority, DeliveryMode: amqp091.Transient, Headers: e.table(m)}
	if m.Persistent {
		p.DeliveryMode = amqp091.Persistent
	}
	if m.Expiration > 0 {
		p.Expiration = strconv.FormatInt((m.Expiration+999)/1000, 10)
	}
	return p
}

func (e *encoder) table(m *loadgen.Planned) amqp091.Table {
	var t amqp091.Table
	if len(m.Headers) > 0 {
		key := &m.Headers[0]
		if t = e.headers[key]; t == nil {
			t = tableOf(m.Headers)
			if len(e.headers) < maxShared {
				e.headers[key] = t
			}
		}
	}
	if m.Cost == 0 {
		return t
	}
	own := amqp091.Table{"x-cost": m.Cost}
	for k, v := range t {
		own[k] = v
	}
	return own
}

// number returns the number of the message with a body; false when the body is
// none of ours.
func number(body []byte) (int64, bool) {
	if len(body) < scenarios.MinSize {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(body)), true
}
