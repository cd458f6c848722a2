package server

import (
	"sync"

	"harelab/engine/broker"
	"harelab/engine/wire"
)

// A content is a basic.publish whose frames have not all come. Its parts refer to the inbox
// while all frames come in one chunk; own copies them before the inbox is overwritten. The
// buffer for the body grows with the octets that come, not with the size in the header.
type content struct {
	want    contentPart
	publish wire.PublishView
	size    uint64 // octets of the body according to the header
	props   wire.PropertyView
	pieces  *[]byte // the part of the body that has come; nil if it comes in one frame
}

// A contentPart is the kind of frame that has to come next.
type contentPart uint8

const (
	wantMethod contentPart = iota
	wantHeader
	wantBody
)

// keepBody is the size of the largest buffer that is kept for another body, in octets.
const keepBody = 1 << 20

// bodyBuffers pools buffers for bodies of several frames.
var bodyBuffers = sync.Pool{New: func() any { return new([]byte) }}

// own makes the content independent of the inbox.
func (t *content) own() {
	if t.want == wantMethod {
		return
	}
	x, k := len(t.publish.Exchange), len(t.publish.RoutingKey)
	head := make([]byte, 0, x+k+len(t.props.Raw()))
	head = append(head, t.publish.Exchange...)
	head = append(head, t.publish.RoutingKey...)
	head = append(head, t.props.Raw()...)
	t.publish.Exchange, t.publish.RoutingKey, t.props = head[:x:x], head[x:x+k:x+k], t.props.In(head[x+k:])
}

// add appends a piece of the body.
func (t *content) add(piece []byte) {
	if t.pieces == nil {
		t.pieces = bodyBuffers.Get().(*[]byte)
	}
	*t.pieces = append(*t.pieces, piece...)
}

// came returns the number of octets of the body that have come.
func (t *content) came() uint64 {
	if t.pieces == nil {
		return 0
	}
	return uint64(len(*t.pieces))
}

// reset forgets the content.
func (t *content) reset() {
	if t.pieces != nil && cap(*t.pieces) <= keepBody {
		*t.pieces = (*t.pieces)[:0]
		bodyBuffers.Put(t.pieces)
	}
	*t = content{}
}

// unexpected returns the exception for a frame of another kind than the one that has to
// come next (rabbit_command_assembler, unexpected_frame/4).
func (t *content) unexpected() *wire.Error {
	var e *wire.Error
	switch t.want {
	case wantMethod:
		return errWantMethod()
	case wantHeader:
		e = wire.Errorf(wire.UnexpectedFrame, "expected content header for class 60, got non content header frame instead")
	case wantBody:
		e = wire.Errorf(wire.UnexpectedFrame, "expected content body, got non content body frame instead")
	}
	e.Method = wire.MethodBasicPublish
	return e
}

// errWantMethod returns the exception for a content frame without a method before it.
func errWantMethod() *wire.Error {
	return wire.Errorf(wire.UnexpectedFrame, "expected method frame, got non method frame instead")
}

// publish carries out a basic.publish method, whose content follows.
func (ch *channel) publish(payload []byte) error {
	t, c := &ch.content, ch.conn
	c.guarded = true
	err := t.publish.Parse(payload)
	c.guarded = false
	if err != nil {
		return err
	}
	t.want = wantHeader
	if c.content != nil && c.content != ch {
		c.content.content.own() // frames of several channels alternate
	}
	c.content = ch
	return nil
}

// header carries out a content header frame.
func (ch *channel) header(payload []byte) error {
	t := &ch.content
	if t.want != wantHeader {
		return t.unexpected()
	}
	var h wire.HeaderView
	ch.conn.guarded = true
	err := h.Parse(payload)
	ch.conn.guarded = false
	if err != nil {
		return err
	}
	if err := ch.conn.srv.opts.Broker.CheckBodySize(h.BodySize); err != nil {
		return causedBy(err, wire.MethodBasicPublish)
	}
	t.size, t.props = h.BodySize, h.Properties
	if h.BodySize == 0 {
		return ch.published(nil)
	}
	t.want = wantBody
	if ch.conn.content != ch { // the method came in an earlier chunk
		t.own()
	}
	return nil
}

// body carries out a body frame.
func (ch *channel) body(piece []byte) error {
	t := &ch.content
	if t.want != wantBody || uint64(len(piece)) > t.size-t.came() {
		return t.unexpected()
	}
	if uint64(len(piece)) == t.size {
		return ch.published(piece)
	}
	t.add(piece)
	if t.came() < t.size {
		return nil
	}
	return ch.published(*t.pieces)
}

// published hands a complete message to the broker.
func (ch *channel) published(body []byte) error {
	c, t := ch.conn, &ch.content
	p := &c.publishing
	*p = broker.Publishing{
		Exchange:   t.publish.Exchange,
		RoutingKey: t.publish.RoutingKey,
		Properties: t.props,
		Body:       body,
		Mandatory:  t.publish.Mandatory,
		Immediate:  t.publish.Immediate,
	}
	c.publisher = true
	r, err := ch.broker.Publish(p)
	if err != nil {
		return causedBy(err, wire.MethodBasicPublish)
	}
	if p.Mandatory && !r.Routed {
		ch.returnMandatory(p)
	}
	switch r.Confirm {
	case broker.ConfirmAck:
		ch.settle().ack(r.Seq, r.Seq)
	case broker.ConfirmNack:
		ch.settle().nack(r.Seq, r.Seq)
	}
	if c.content == ch {
		c.content = nil
	}
	if t.pieces != nil {
		t.reset()
	}
	t.want = wantMethod
	return nil
}

// causedBy returns an exception that names the method with id, unless err names one.
func causedBy(err error, id wire.MethodID) error {
	e := asException(err)
	if e.Method != 0 {
		return e
	}
	named := *e
	named.Method = id
	return &named
}
