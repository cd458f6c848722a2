package sim

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"harelab/engine/broker"
	"harelab/engine/wire"
	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/scenarios"
)

// seqOf returns the number of the message with a body. The driver writes all bodies
// in a model's broker.
func seqOf(body []byte) int64 {
	seq, ok := loadgen.BodySeq(body)
	if !ok {
		panic(fmt.Sprintf("sim: a body of %d octets that the driver did not write", len(body)))
	}
	return seq
}

// publishNext publishes the message that is due. The broker runs its queues before
// the next event (R4).
func (d *driver) publishNext() {
	m := &d.message
	*m = Message{Tenant: -1, Confirmed: run.None}
	if !d.model.Source.Next(m) {
		return
	}
	seq := int64(len(d.out.Messages))
	d.out.Messages = append(d.out.Messages, run.Message{
		Seq: seq, Class: m.Class, Queue: -1, Tenant: m.Tenant, Worker: -1, Slot: -1, State: run.Left,
		Intended: m.Intended, Sent: m.Sent, Confirmed: m.Confirmed, Enqueued: run.None, Dispatched: run.None,
		Received: run.None, Started: run.None, Done: run.None, Acked: run.None, Service: m.Service,
	})
	d.copies = append(d.copies, copies{})
	if d.published != nil {
		d.published[seq] = *m
	}
	d.publishing = seq
	d.ledger.Published++
	result, err := d.channel.Publish(d.writer.publishing(m, seq, d.model.Sizes))
	d.conn.Batch().Flush()
	d.publishing = -1
	if err != nil {
		d.err = fmt.Errorf("message %d to exchange %q: %w", seq, m.Exchange, err)
		return
	}
	row := &d.out.Messages[seq]
	switch {
	case result.Confirm == broker.ConfirmNack:
		row.State, row.Confirmed = run.Refused, run.None
	case !result.Routed && m.Mandatory:
		row.State = run.Returned
	case !result.Routed:
		row.State = run.Unroutable
	}
	if row.Confirmed != run.None {
		d.ledger.Confirmed++
	}
	if d.feedback != nil {
		d.feedback.Published(seq, int(d.copies[seq].enqueued), d.now)
	}
}

// forward publishes a task's message again, unchanged, to the destination in its
// verdict.
func (d *driver) forward(t *task) {
	m, to := d.published[t.seq], t.verdict.To
	m.Exchange, m.RoutingKey, m.Expiration, m.Mandatory = to.Exchange, to.RoutingKey, to.Expiration, false
	if _, err := d.channel.Publish(d.writer.publishing(&m, t.seq, d.model.Sizes)); err != nil && d.err == nil {
		d.err = fmt.Errorf("message %d forwarded to exchange %q: %w", t.seq, to.Exchange, err)
	}
	d.conn.Batch().Flush()
}

// A writer encodes messages. Its results are valid until the next call.
type writer struct {
	p         broker.Publishing
	exchange  []byte
	key       []byte
	body      []byte
	templates map[propertiesKey]template
	lastKey   propertiesKey
	last      template
}

// propertiesKey determines a message's properties, but for the value of the cost.
type propertiesKey struct {
	tenant     string
	headers    *scenarios.Argument
	count      int
	expiration int64
	priority   uint8
	persistent bool
	cost       bool
}

// A template holds encoded properties with a place for the cost.
type template struct {
	bytes []byte
	view  wire.PropertyView // of bytes
	cost  int               // offset of the cost, a long long integer; 0: none
}

// maxTemplates bounds the number of templates that the writer keeps.
const maxTemplates = 4096

func (w *writer) publishing(m *Message, seq int64, sizes bool) *broker.Publishing {
	w.exchange = append(w.exchange[:0], m.Exchange...)
	w.key = append(w.key[:0], m.RoutingKey...)
	size := scenarios.MinSize
	if sizes {
		size = max(size, m.Size)
	}
	if cap(w.body) < size {
		w.body = make([]byte, size)
	}
	w.body = w.body[:size]
	body := loadgen.Body{Seq: seq, Intended: m.Intended, Service: m.Service, Class: m.Class, Sequence: m.Sequence}
	body.Put(w.body)
	w.p = broker.Publishing{
		Exchange: w.exchange, RoutingKey: w.key, Properties: w.properties(m), Body: w.body, Mandatory: m.Mandatory,
	}
	return &w.p
}

func (w *writer) properties(m *Message) wire.PropertyView {
	key := propertiesKey{
		tenant: m.TenantName, count: len(m.Headers), expiration: m.Expiration,
		priority: m.Priority, persistent: m.Persistent, cost: m.Cost != 0,
	}
	if key.count > 0 {
		key.headers = &m.Headers[0]
	}
	if key != w.lastKey || w.last.bytes == nil { // most messages have the key of the last one
		w.lastKey, w.last = key, w.template(key, m)
	}
	t := w.last
	if t.cost > 0 {
		binary.BigEndian.PutUint64(t.bytes[t.cost:], uint64(m.Cost))
	}
	return t.view
}

func (w *writer) template(key propertiesKey, m *Message) template {
	t, ok := w.templates[key]
	if !ok {
		t = encode(m)
		if w.templates == nil || len(w.templates) == maxTemplates {
			w.templates = make(map[propertiesKey]template)
		}
		w.templates[key] = t
	}
	return t
}

// encode encodes a message's properties. The cost is the last header, so its offset
// follows from the length of the headers.
func encode(m *Message) template {
	p := wire.Properties{Priority: m.Priority}
	if m.Persistent {
		p.DeliveryMode = 2
	}
	if m.Expiration > 0 {
		p.Expiration = strconv.FormatInt((m.Expiration+999)/1000, 10)
	}
	headers, err := table(m.Headers)
	if err != nil {
		panic("sim: a header of the scenario has no AMQP type: " + err.Error())
	}
	if m.TenantName != "" {
		headers.Set("tenant", m.TenantName)
	}
	var t template
	if m.Cost != 0 {
		headers.Set("x-cost", int64(0))
		upTo := wire.AppendProperties(nil, &wire.Properties{Headers: headers})
		t.cost = len(upTo) - 8
	}
	p.Headers = headers
	t.bytes = wire.AppendProperties(nil, &p)
	t.view = wire.ViewProperties(t.bytes)
	return t
}
