package wire

import (
	"encoding/binary"
	"fmt"
)

// A MethodID is a method's class, in the upper 16 bits, and its number within the
// class, in the lower 16 bits.
type MethodID uint32

// Class returns the id of the method's class.
func (id MethodID) Class() uint16 { return uint16(id >> 16) }

// Method returns the id of the method within its class.
func (id MethodID) Method() uint16 { return uint16(id) }

// HasContent reports whether a content header and body follow the method.
func (id MethodID) HasContent() bool {
	switch id {
	case MethodBasicPublish, MethodBasicReturn, MethodBasicDeliver, MethodBasicGetOk:
		return true
	}
	return false
}

// String returns the method's name as AMQP 0-9-1 spells it, such as queue.declare-ok.
func (id MethodID) String() string {
	if name := id.name(); name != "" {
		return name
	}
	return fmt.Sprintf("method %d.%d", id.Class(), id.Method())
}

// A Method is the argument list of one method: a pointer to a struct of this
// package. The struct has the specification's fields in its order, but no reserved
// fields: these are written as zero and ignored when read.
type Method interface {
	// ID returns the method's id.
	ID() MethodID

	// Append appends the payload of the method's frame: class, method,
	// arguments. It panics if a string or table is too long or too deep, or holds a
	// value that the wire cannot carry; [EncodeMethod] returns an error in these cases.
	// A method that [ParseMethod] returned can always be appended.
	Append(dst []byte) []byte

	encode(e *encoder)
	decode(d *decoder)
}

// PeekMethod returns the method id in a method frame's payload, or false if the payload
// is too short for an id. The id may be one that AMQP does not have.
func PeekMethod(payload []byte) (MethodID, bool) {
	if len(payload) < 4 {
		return 0, false
	}
	return MethodID(binary.BigEndian.Uint32(payload)), true
}

// ParseMethod reads the payload of a method frame. The result is a pointer to a
// method's struct and shares no memory with payload.
//
// Errors are connection exceptions:
//
//	501 FRAME_ERROR      too short for a class and a method id
//	501 FRAME_ERROR      arguments cut short, or octets left over: cannot decode <<0>>
//	501 FRAME_ERROR      a short string that is not UTF-8
//	502 SYNTAX_ERROR     a table that is malformed or exceeds the limits
//	540 NOT_IMPLEMENTED  a class, or a method of a class, that this protocol does not have
//
// The texts of the first three are RabbitMQ's. In the other two cases RabbitMQ has an
// internal error and drops the connection; the codes here are those of AMQP 0-9-1
// (section 1.2) for illegal values in fields and for functionality that the server does
// not have.
func ParseMethod(payload []byte) (Method, error) {
	id, ok := PeekMethod(payload)
	if !ok {
		return nil, frameError(FrameMethod, payload, "unknown_frame")
	}
	m := newMethod(id)
	if m == nil {
		return nil, unknownMethod(id)
	}
	d := decoder{b: payload[4:]}
	m.decode(&d)
	if err := d.end(id, payload[4:]); err != nil {
		if err.Code == SyntaxError {
			err.Method = id
		}
		return nil, err
	}
	return m, nil
}

func unknownMethod(id MethodID) *Error {
	e := Errorf(NotImplemented, "unknown method %d in class %d", id.Method(), id.Class())
	if !hasClass(id.Class()) {
		e.Text = fmt.Sprintf("unknown class %d", id.Class())
	}
	e.Method = id
	return e
}

func hasClass(class uint16) bool {
	for _, id := range methodIDs {
		if id.Class() == class {
			return true
		}
	}
	return false
}

// EncodeMethod is m.Append(dst), but returns an error instead of panicking. With an
// error it returns dst unchanged.
func EncodeMethod(dst []byte, m Method) ([]byte, error) {
	e := encoder{b: dst}
	m.encode(&e)
	return e.result(len(dst))
}

// AppendMethodFrame appends the frame of a method to dst. It panics when [Method]'s
// Append does. A method cannot be split: the caller makes sure that the frame fits the
// peer's frame_max.
func AppendMethodFrame(dst []byte, channel uint16, m Method) []byte {
	start := len(dst)
	return EndFrame(m.Append(BeginFrame(dst, FrameMethod, channel)), start)
}
