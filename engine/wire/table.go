package wire

import "fmt"

const (
	// MaxTableDepth is the greatest number of nested tables and arrays, the outermost
	// table included. RabbitMQ accepts 10,000 levels, but each level costs the reader a
	// stack frame.
	MaxTableDepth = 64

	// MaxTableFields is the greatest number of fields of one table, and of elements of
	// one array.
	MaxTableFields = 4096
)

// A Table is a field table: arguments, headers, client and server properties.
// It keeps the order of fields. If a key occurs more than once, the first field counts,
// as in RabbitMQ (rabbit_misc, table_lookup/2).
//
// The Go types of values, their tags on the wire (RabbitMQ's, which differ from the
// specification's) and RabbitMQ's names for them are
//
//	t bool       bool           f float32    float
//	b int8       byte           d float64    double
//	B uint8      unsignedbyte   D Decimal    decimal
//	s int16      short          S string     longstr
//	u uint16     unsignedshort  x []byte     binary
//	I int32      signedint      T Timestamp  timestamp
//	i uint32     unsignedint    A []any      array
//	l int64      long           F Table      table
//	                            V nil        void
//
// Tag L is read as l. No other type can be encoded, not even int and uint64: the caller
// should choose the size on the wire.
type Table []Field

// A Field is one entry of a [Table].
type Field struct {
	Key   string
	Value any
}

// A Timestamp is a time in seconds since 1970, UTC.
type Timestamp uint64

// A Decimal is the number Value / 10^Scale.
type Decimal struct {
	Scale uint8
	Value uint32
}

// Get returns the value of the first field with the given key.
func (t Table) Get(key string) (value any, ok bool) {
	for i := range t {
		if t[i].Key == key {
			return t[i].Value, true
		}
	}
	return nil, false
}

// Set sets the value of the first field with the given key, or appends a field.
func (t *Table) Set(key string, value any) {
	for i := range *t {
		if (*t)[i].Key == key {
			(*t)[i].Value = value
			return
		}
	}
	*t = append(*t, Field{key, value})
}

// TypeName returns RabbitMQ's name for the type of a table value, as in the reply text
// "expected integer, got longstr". For a value that a table cannot hold it returns the
// Go type.
func TypeName(v any) string {
	if tag := tagOf(v); tag != 0 {
		return tagName(tag)
	}
	return fmt.Sprintf("%T", v)
}

// Integer returns the value of an integer of any size. It returns false for any other
// type, even for a Timestamp.
func Integer(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case int8:
		return int64(v), true
	case uint8:
		return int64(v), true
	case int16:
		return int64(v), true
	case uint16:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

// tagOf returns the tag of a value's type, or 0 if a table cannot hold the type.
func tagOf(v any) byte {
	switch v.(type) {
	case bool:
		return 't'
	case int8:
		return 'b'
	case uint8:
		return 'B'
	case int16:
		return 's'
	case uint16:
		return 'u'
	case int32:
		return 'I'
	case uint32:
		return 'i'
	case int64:
		return 'l'
	case float32:
		return 'f'
	case float64:
		return 'd'
	case Decimal:
		return 'D'
	case string:
		return 'S'
	case []byte:
		return 'x'
	case Timestamp:
		return 'T'
	case []any:
		return 'A'
	case Table:
		return 'F'
	case nil:
		return 'V'
	}
	return 0
}

// tagName returns RabbitMQ's name for a tag (rabbit_binary_parser, parse_table/1).
func tagName(tag byte) string {
	switch tag {
	case 't':
		return "bool"
	case 'b':
		return "byte"
	case 'B':
		return "unsignedbyte"
	case 's':
		return "short"
	case 'u':
		return "unsignedshort"
	case 'I':
		return "signedint"
	case 'i':
		return "unsignedint"
	case 'l', 'L':
		return "long"
	case 'f':
		return "float"
	case 'd':
		return "double"
	case 'D':
		return "decimal"
	case 'S':
		return "longstr"
	case 'x':
		return "binary"
	case 'T':
		return "timestamp"
	case 'A':
		return "array"
	case 'F':
		return "table"
	case 'V':
		return "void"
	}
	return "unknown"
}
