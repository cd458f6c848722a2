package wire

import "encoding/binary"

// ParseTable reads the table that b begins with and returns it with the octets
// that follow. The table shares no memory with b.
//
// Errors are 502 SYNTAX_ERROR. RabbitMQ drops the connection on a malformed table, and
// has no limits on depth and fields.
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

// cutTable splits b after the table that it begins with. body is the table without its
// length.
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

// checkTable returns the error that decodeTable would return, and makes no values.
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

// cutKey splits b after the key that it begins with. b must not be empty.
func cutKey(b []byte) (key, rest []byte, err *Error) {
	n := 1 + int(b[0])
	if n > len(b) {
		return nil, nil, Errorf(SyntaxError, "table key of %d octets, %d left", b[0], len(b)-1)
	}
	return b[1:n], b[n:], nil
}

// checkKey returns an error if a key is not UTF-8.
func checkKey(key []byte) *Error {
	if !validText(key) {
		return Errorf(SyntaxError, "table key %s is not UTF-8", erlangOctets(key))
	}
	return nil
}

// cutValue splits b after the tag and value that it begins with.
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

// valueSize returns the size in octets of the value that b begins with.
func valueSize(tag byte, b []byte) (int, *Error) {
	size, ok := fits(tag, b)
	switch {
	case ok:
		return int(size), nil
	case size == 0:
		return 0, Errorf(SyntaxError, "unknown type %q of a table value", tag)
	}
	return 0, Errorf(SyntaxError, "%s of %d octets in a table, %d left", tagName(tag), size, len(b))
}

// fits returns the size of the value that b begins with, and whether b is that long. It
// makes no error, which would allocate, so that lookups in unchecked octets can use it.
// The size is 0 for an unknown tag.
func fits(tag byte, b []byte) (size uint64, ok bool) {
	size = uint64(sizes[tag])
	switch size {
	case 0:
		return 0, false
	case counted:
		size = 4
		if len(b) >= 4 {
			size += uint64(binary.BigEndian.Uint32(b))
		}
	default:
		size--
	}
	return size, size <= uint64(len(b))
}

// sizes holds, for each tag, the size of its values plus 1, or counted if its values
// begin with their size, or 0 if there is no such tag.
var sizes = [256]uint8{
	'V': 0 + 1,
	't': 1 + 1, 'b': 1 + 1, 'B': 1 + 1,
	's': 2 + 1, 'u': 2 + 1,
	'I': 4 + 1, 'i': 4 + 1, 'f': 4 + 1,
	'D': 5 + 1,
	'l': 8 + 1, 'L': 8 + 1, 'd': 8 + 1, 'T': 8 + 1,
	'S': counted, 'x': counted, 'A': counted, 'F': counted,
}

const counted = 255

func errDepth() *Error {
	return Errorf(SyntaxError, "table nested more than %d deep", MaxTableDepth)
}

func errFields(what, parts string) *Error {
	return Errorf(SyntaxError, "%s of more than %d %s", what, MaxTableFields, parts)
}
