package wire

import (
	"encoding/binary"
	"iter"
	"math"
)

// A Value is a table value read in place. Its methods return no value if Raw is too
// short for the type, so a Value may be made of unchecked octets.
type Value struct {
	Type byte   // the tag, such as 'S'; see [Table]
	Raw  []byte // the octets after the tag; those of a string, array or table begin with its length
}

// TypeName returns RabbitMQ's word for the value's type, such as longstr.
func (v Value) TypeName() string { return tagName(v.Type) }

// Int64 returns the value of an integer of any size.
func (v Value) Int64() (n int64, ok bool) {
	if size, ok := fits(v.Type, v.Raw); !ok || size != uint64(len(v.Raw)) {
		return 0, false
	}
	switch v.Type {
	case 'b':
		return int64(int8(v.Raw[0])), true
	case 'B':
		return int64(v.Raw[0]), true
	case 's':
		return int64(int16(binary.BigEndian.Uint16(v.Raw))), true
	case 'u':
		return int64(binary.BigEndian.Uint16(v.Raw)), true
	case 'I':
		return int64(int32(binary.BigEndian.Uint32(v.Raw))), true
	case 'i':
		return int64(binary.BigEndian.Uint32(v.Raw)), true
	case 'l', 'L':
		return int64(binary.BigEndian.Uint64(v.Raw)), true
	}
	return 0, false
}

// Bytes returns the octets of a long string or binary value, a part of Raw.
func (v Value) Bytes() (b []byte, ok bool) {
	if v.Type != 'S' && v.Type != 'x' || len(v.Raw) < 4 {
		return nil, false
	}
	return v.Raw[4:], true
}

// Bool returns the value of a bool.
func (v Value) Bool() (b, ok bool) {
	if v.Type != 't' || len(v.Raw) != 1 {
		return false, false
	}
	return v.Raw[0] != 0, true
}

// Any returns the value as [ParseTable] would return it. It shares no memory with Raw.
func (v Value) Any() (any, error) {
	if size, err := valueSize(v.Type, v.Raw); err != nil {
		return nil, err
	} else if size != len(v.Raw) {
		return nil, Errorf(SyntaxError, "%s of %d octets, want %d", v.TypeName(), len(v.Raw), size)
	}
	value, err := v.decode(1)
	if err != nil {
		return nil, err
	}
	return value, nil
}

// decode returns the value, as part of a table at the given depth. The size of Raw must
// be right.
func (v Value) decode(depth int) (any, *Error) {
	b := v.Raw
	switch v.Type {
	case 't':
		return b[0] != 0, nil
	case 'b':
		return int8(b[0]), nil
	case 'B':
		return b[0], nil
	case 's':
		return int16(binary.BigEndian.Uint16(b)), nil
	case 'u':
		return binary.BigEndian.Uint16(b), nil
	case 'I':
		return int32(binary.BigEndian.Uint32(b)), nil
	case 'i':
		return binary.BigEndian.Uint32(b), nil
	case 'l', 'L':
		return int64(binary.BigEndian.Uint64(b)), nil
	case 'f':
		return math.Float32frombits(binary.BigEndian.Uint32(b)), nil
	case 'd':
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	case 'D':
		return Decimal{Scale: b[0], Value: binary.BigEndian.Uint32(b[1:])}, nil
	case 'S':
		return string(b[4:]), nil
	case 'x':
		return append([]byte(nil), b[4:]...), nil
	case 'T':
		return Timestamp(binary.BigEndian.Uint64(b)), nil
	case 'A':
		return asAny(decodeArray(b[4:], depth+1))
	case 'F':
		return asAny(decodeTable(b[4:], depth+1))
	}
	return nil, nil // 'V'
}

func asAny[T any](v T, err *Error) (any, *Error) { return v, err }

// TableLookup returns the value of the first field with the given key in an encoded
// table, which begins with its four octets of length. It finds no field after a
// malformed one. It does not allocate.
func TableLookup(encodedTable []byte, key string) (v Value, ok bool) {
	for b := tableFields(encodedTable); len(b) > 0; {
		var k []byte
		if k, v, b, ok = cutField(b); !ok {
			break
		}
		if string(k) == key {
			return v, true
		}
	}
	return Value{}, false
}

// Fields yields the keys and values of an encoded table, which begins with its four
// octets of length, as parts of the table. It ends at a malformed field.
func Fields(encodedTable []byte) iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		for b := tableFields(encodedTable); len(b) > 0; {
			key, v, rest, ok := cutField(b)
			if !ok || !yield(key, v) {
				return
			}
			b = rest
		}
	}
}

// tableFields returns the fields of an encoded table without its length, or nothing if
// the length exceeds b.
func tableFields(b []byte) []byte {
	size, ok := fits('F', b)
	if !ok {
		return nil
	}
	return b[4:size]
}

// cutField splits b after the field that it begins with. b must not be empty.
func cutField(b []byte) (key []byte, v Value, rest []byte, ok bool) {
	n := 1 + int(b[0])
	if n >= len(b) {
		return nil, Value{}, nil, false
	}
	key, v.Type, rest = b[1:n], b[n], b[n+1:]
	size, ok := fits(v.Type, rest)
	if !ok {
		return nil, Value{}, nil, false
	}
	v.Raw = rest[:size]
	return key, v, rest[size:], true
}
