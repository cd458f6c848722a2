package wire

import (
	"encoding/binary"
	"math"
)

// ParseTable reads the table that b begins with and returns it with the octets
// that follow. The table holds no part of b.
//
// Errors are 502 SYNTAX_ERROR. RabbitMQ drops the connection where a table is not
// well formed, and has no limits on depth and fields.
func ParseTable(b []byte) (t Table, rest []byte, err error) {
	body, rest, e := cutTable(b)
	if e == nil {
		t, e = decodeTable(body, 1)
	}
	if e != nil {
		return nil, nil, e
	}
	return t, rest, nil
}

// cutTable splits b after the table it begins with; body is the table without its length.
func cutTable(b []byte) (body, rest []byte, err *Error) {
	n, err := valueSize('F', b)
	if err != nil {
		return nil, nil, err
	}
	return b[4:n], b[n:], nil
}

// decodeTable reads the fields of a table at the given depth.
func decodeTable(b []byte, depth int) (t Table, err *Error) {
	if depth > MaxTableDepth {
		return nil, errDepth()
	}
	for len(b) > 0 {
		if len(t) == MaxTableFields {
			return nil, errFields("table", "fields")
		}
		key, rest, err := cutKey(b)
		if err != nil {
			return nil, err
		}
		if err := checkKey(key); err != nil {
			return nil, err
		}
		v, rest, err := cutValue(rest)
		if err != nil {
			return nil, err
		}
		value, err := v.decode(depth)
		if err != nil {
			return nil, err
		}
		t = append(t, Field{string(key), value})
		b = rest
	}
	return t, nil
}

func decodeArray(b []byte, depth int) (a []any, err *Error) {
	if depth > MaxTableDepth {
		return nil, errDepth()
	}
	for len(b) > 0 {
		if len(a) == MaxTableFields {
			return nil, errFields("array", "elements")
		}
		v, rest, err := cutValue(b)
		if err != nil {
			return nil, err
		}
		value, err := v.decode(depth)
		if err != nil {
			return nil, err
		}
		a = append(a, value)
		b = rest
	}
	return a, nil
}

// checkTable reports what decodeTable would, without making values.
func checkTable(b []byte, depth int) *Error {
	if depth > MaxTableDepth {
		return errDepth()
	}
	for n := 0; len(b) > 0; n++ {
		if n == MaxTableFields {
			return errFields("table", "fields")
		}
		key, rest, err := cutKey(b)
		if err != nil {
			return err
		}
		if err := checkKey(key); err != nil {
			return err
		}
		if b, err = checkValue(rest, depth); err != nil {
			return err
		}
	}
	return nil
}

func checkArray(b []byte, depth int) (err *Error) {
	if depth > MaxTableDepth {
		return errDepth()
	}
	for n := 0; len(b) > 0; n++ {
		if n == MaxTableFields {
			return errFields("array", "elements")
		}
		if b, err = checkValue(b, depth); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(b []byte, depth int) (rest []byte, err *Error) {
	v, rest, err := cutValue(b)
	if err != nil {
		return nil, err
	}
	switch v.Type {
	case 'F':
		err = checkTable(v.Raw[4:], depth+1)
	case 'A':
		err = checkArray(v.Raw[4:], depth+1)
	}
	return rest, err
}

// cutKey splits b, which is not empty, after the key it begins with.
func cutKey(b []byte) (key, rest []byte, err *Error) {
	n := 1 + int(b[0])
	if n > len(b) {
		return nil, nil, Errorf(SyntaxError, "table key of %d octets, %d left", b[0], len(b)-1)
	}
	return b[1:n], b[n:], nil
}

// checkKey reports a key that is not UTF-8.
func checkKey(key []byte) *Error {
	if !validText(key) {
		return Errorf(SyntaxError, "table key %s is not UTF-8", erlangOctets(key))
	}
	return nil
}

// cutValue splits b after the value it begins with, tag included.
func cutValue(b []byte) (v Value, rest []byte, err *Error) {
	if len(b) == 0 {
		return Value{}, nil, Errorf(SyntaxError, "table key without a value")
	}
	n, err := valueSize(b[0], b[1:])
	if err != nil {
		return Value{}, nil, err
	}
	return Value{Type: b[0], Raw: b[1 : 1+n]}, b[1+n:], nil
}

// valueSize returns how many octets the value at the beginning of b takes.
func valueSize(tag byte, b []byte) (int, *Error) {
	var size uint64
	switch tag {
	case 'V':
	case 't', 'b', 'B':
		size = 1
	case 's', 'u':
		size = 2
	case 'I', 'i', 'f':
		size = 4
	case 'D':
		size = 5
	case 'l', 'L', 'd', 'T':
		size = 8
	case 'S', 'x', 'A', 'F':
		size = 4
		if len(b) >= 4 {
			size += uint64(binary.BigEndian.Uint32(b))
		}
	default:
		return 0, Errorf(SyntaxError, "unknown type %q of a table value", tag)
	}
	if size > uint64(len(b)) {
		return 0, Errorf(SyntaxError, "%s of %d octets in a table, %d left", tagName(tag), size, len(b))
	}
	return int(size), nil
}

func errDepth() *Error {
	return Errorf(SyntaxError, "table nested more than %d deep", MaxTableDepth)
}

func errFields(what, parts string) *Error {
	return Errorf(SyntaxError, "%s of more than %d %s", what, MaxTableFields, parts)
}

// AppendTable appends an encoded table to dst. It panics if t holds a value of a
// type that tables do not have, a key over 255 octets, or passes the limits;
// [EncodeTable] returns an error then. What [ParseTable] returned can always be
// appended.
func AppendTable(dst []byte, t Table) []byte {
	e := encoder{b: dst}
	e.table(t)
	return e.must()
}

// EncodeTable is [AppendTable] with an error in place of a panic. On an error it
// returns dst as it was.
func EncodeTable(dst []byte, t Table) ([]byte, error) {
	e := encoder{b: dst}
	e.table(t)
	return e.result(len(dst))
}

func (e *encoder) table(t Table) { e.tableAt(t, 1) }

func (e *encoder) tableAt(t Table, depth int) {
	start, ok := e.beginNested("table", "fields", len(t), depth)
	if !ok {
		return
	}
	for i := range t {
		e.shortstr(t[i].Key)
		e.value(t[i].Value, depth)
	}
	e.endNested(start)
}

func (e *encoder) array(a []any, depth int) {
	start, ok := e.beginNested("array", "elements", len(a), depth)
	if !ok {
		return
	}
	for _, v := range a {
		e.value(v, depth)
	}
	e.endNested(start)
}

func (e *encoder) beginNested(what, parts string, n, depth int) (start int, ok bool) {
	if depth > MaxTableDepth {
		e.fail("table nested more than %d deep", MaxTableDepth)
		return 0, false
	}
	if n > MaxTableFields {
		e.fail("%s of %d %s, at most %d fit", what, n, parts, MaxTableFields)
		return 0, false
	}
	start = len(e.b)
	e.long(0)
	return start, true
}

func (e *encoder) endNested(start int) {
	n := uint64(len(e.b) - start - 4)
	if n > math.MaxUint32 {
		e.fail("table of %d octets, at most %d fit", n, uint32(math.MaxUint32))
		return
	}
	binary.BigEndian.PutUint32(e.b[start:], uint32(n))
}

// value appends a tag and a value of a table or array at the given depth.
func (e *encoder) value(v any, depth int) {
	tag := tagOf(v)
	if tag == 0 {
		e.fail("table value of type %T (have bool, int8 to int64, uint8 to uint32, float32, float64, Decimal, string, []byte, Timestamp, []any, Table, nil)", v)
		return
	}
	e.octet(tag)
	switch v := v.(type) {
	case bool:
		e.octet(bit(v))
	case int8:
		e.octet(uint8(v))
	case uint8:
		e.octet(v)
	case int16:
		e.short(uint16(v))
	case uint16:
		e.short(v)
	case int32:
		e.long(uint32(v))
	case uint32:
		e.long(v)
	case int64:
		e.longlong(uint64(v))
	case float32:
		e.long(math.Float32bits(v))
	case float64:
		e.longlong(math.Float64bits(v))
	case Decimal:
		e.octet(v.Scale)
		e.long(v.Value)
	case string:
		e.longstr([]byte(v))
	case []byte:
		e.longstr(v)
	case Timestamp:
		e.longlong(uint64(v))
	case []any:
		e.array(v, depth+1)
	case Table:
		e.tableAt(v, depth+1)
	}
}
