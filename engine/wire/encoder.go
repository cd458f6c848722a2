package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// An encoder appends the fields of methods, properties and tables to b. It keeps the
// first error; the octets that it appends after an error are useless.
type encoder struct {
	b   []byte
	err error
}

// must returns the buffer, or panics with the error.
func (e *encoder) must() []byte {
	if e.err != nil {
		panic(e.err)
	}
	return e.b
}

// result returns the buffer, or its first n octets and the error.
func (e *encoder) result(n int) ([]byte, error) {
	if e.err != nil {
		return e.b[:n], e.err
	}
	return e.b, nil
}

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf("wire: "+format, args...)
	}
}

func (e *encoder) method(id MethodID) { e.long(uint32(id)) }

func (e *encoder) octet(v uint8)     { e.b = append(e.b, v) }
func (e *encoder) short(v uint16)    { e.b = binary.BigEndian.AppendUint16(e.b, v) }
func (e *encoder) long(v uint32)     { e.b = binary.BigEndian.AppendUint32(e.b, v) }
func (e *encoder) longlong(v uint64) { e.b = binary.BigEndian.AppendUint64(e.b, v) }

// bits appends one octet with up to eight bits, the first as the lowest bit (AMQP 0-9-1
// section 4.2.5.2).
func (e *encoder) bits(v ...bool) {
	var octet uint8
	for i, set := range v {
		octet |= bit(set) << i
	}
	e.octet(octet)
}

func bit(set bool) uint8 {
	if set {
		return 1
	}
	return 0
}

func (e *encoder) shortstr(s string) {
	if len(s) > MaxShortString {
		e.fail("short string %.20q...: %d octets, at most %d fit", s, len(s), MaxShortString)
		return
	}
	e.octet(uint8(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) longstr(s []byte) {
	if uint64(len(s)) > math.MaxUint32 {
		e.fail("long string: %d octets, at most %d fit", len(s), uint32(math.MaxUint32))
		return
	}
	e.long(uint32(len(s)))
	e.b = append(e.b, s...)
}
