package wire

import (
	"encoding/binary"
	"math"
)

// AppendTable appends an encoded table to dst. It panics if t holds a value of a type
// that tables do not have or a key longer than 255 octets, or if t exceeds the limits;
// [EncodeTable] returns an error in these cases. A table that [ParseTable] returned can
// always be appended.
func AppendTable(dst []byte, t Table) []byte {
	e := encoder{b: dst}
	e.table(t)
	return e.must()
}

// EncodeTable is [AppendTable], but returns an error instead of panicking. With an error
// it returns dst unchanged.
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
