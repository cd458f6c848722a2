package amqp

import (
	"strconv"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/loadgen"
	"harelab/scenarios"
)

// An encoder makes publishings. Its results are valid until the next call, which is
// long enough: the client copies a body when it writes it.
type encoder struct {
	body    []byte
	headers map[*scenarios.Argument]amqp091.Table // tables of headers that messages share, by their first
}

func newEncoder() *encoder {
	return &encoder{headers: map[*scenarios.Argument]amqp091.Table{}}
}

// maxShared bounds the number of header tables that an encoder keeps.
const maxShared = 1024

func (e *encoder) encode(m *loadgen.Planned) amqp091.Publishing {
	if cap(e.body) < m.Size {
		e.body = make([]byte, m.Size)
	}
	e.body = e.body[:m.Size]
	body := loadgen.Body{Seq: m.Seq, Intended: m.At, Service: m.Service, Class: m.Class, Sequence: m.Sequence}
	body.Put(e.body)
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
