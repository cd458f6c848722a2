package wire

import "encoding/binary"

// A decoder reads the fields of a method from b. Its methods return no errors: past the
// end of b they read zeros, and the caller asks for the error once, with end.
type decoder struct {
	b   []byte
	cut bool   // a field reached past the end of b
	err *Error // the error of the first invalid string or table
}

// take returns the next n octets, or nil if there are fewer.
func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.cut, d.b = true, nil
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) octet() uint8 {
	if v := d.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (d *decoder) short() uint16 {
	if v := d.take(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

func (d *decoder) long() uint32 {
	if v := d.take(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

func (d *decoder) longlong() uint64 {
	if v := d.take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// bits reads one octet into up to eight bits, the first from the lowest bit.
func (d *decoder) bits(v ...*bool) {
	octet := d.octet()
	for i, p := range v {
		*p = octet>>i&1 != 0
	}
}

// shortBytes reads a short string. The result is a part of b.
func (d *decoder) shortBytes() []byte {
	s := d.take(uint64(d.octet()))
	if !validText(s) {
		d.fail(errUTF8())
	}
	return s
}

func (d *decoder) shortstr() string { return string(d.shortBytes()) }

func (d *decoder) longstr() []byte {
	return append([]byte(nil), d.take(uint64(d.long()))...)
}

func (d *decoder) table() Table {
	t, err := decodeTable(d.take(uint64(d.long())), 1)
	if err != nil {
		d.fail(err)
	}
	return t
}

func (d *decoder) fail(err *Error) {
	if d.err == nil {
		d.err = err
	}
}

// end returns the error of the method id with the arguments args, or nil. Octets left
// over are an error too, as in RabbitMQ.
func (d *decoder) end(id MethodID, args []byte) *Error {
	if d.cut || len(d.b) > 0 {
		return cannotDecode(id, args)
	}
	return d.err
}

// errUTF8 is the error of a short string that is not UTF-8. RabbitMQ names no
// method in it (rabbit_binary_parser, assert_utf8/1).
func errUTF8() *Error { return Errorf(FrameError, "Malformed UTF-8 in shortstr") }
