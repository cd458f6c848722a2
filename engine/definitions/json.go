package definitions

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"harelab/engine/wire"
)

// A value is a JSON value: an object, a list, a string, an int64, a float64, a bool or nil.
type value any

// An object keeps the order of its members.
type object []member

type member struct {
	name  string
	value value
}

func (o object) get(name string) (value, bool) {
	for i := range o {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return nil, false
}

// Bounds of one entry. A table cannot hold more.
const (
	maxDepth   = wire.MaxTableDepth
	maxMembers = wire.MaxTableFields
)

// readValue reads the next value, whose first token is given. It takes no memory beyond a
// small multiple of the text that it has read.
func readValue(d *json.Decoder, first json.Token, depth int) (value, error) {
	switch t := first.(type) {
	case json.Number:
		return number(t)
	case json.Delim:
		if depth == maxDepth {
			return nil, fmt.Errorf("deeper than %d levels", maxDepth)
		}
		if t == '{' {
			return readObject(d, depth)
		}
		return readList(d, depth)
	}
	return first, nil // a string, a bool or nil
}

func readObject(d *json.Decoder, depth int) (value, error) {
	o := object{}
	seen := make(map[string]bool)
	for d.More() {
		name, err := readName(d)
		if err != nil {
			return nil, err
		}
		switch {
		case seen[name]:
			return nil, fmt.Errorf("%q occurs twice", name)
		case len(o) == maxMembers:
			return nil, fmt.Errorf("more than %d members of an object", maxMembers)
		}
		seen[name] = true
		v, err := next(d, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", short(name), err)
		}
		o = append(o, member{name, v})
	}
	_, err := d.Token() // the closing brace
	return o, err
}

func readList(d *json.Decoder, depth int) (value, error) {
	list := []value{}
	for d.More() {
		if len(list) == maxMembers {
			return nil, fmt.Errorf("more than %d elements of a list", maxMembers)
		}
		v, err := next(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token() // the closing bracket
	return list, err
}

func readName(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", err
	}
	return t.(string), nil // the decoder refuses other names
}

func next(d *json.Decoder, depth int) (value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	return readValue(d, t, depth)
}

// number returns a number as RabbitMQ's JSON reader does: an integer unless it has a
// fraction or an exponent.
func number(n json.Number) (value, error) {
	if strings.ContainsAny(string(n), ".eE") {
		f, err := n.Float64()
		if err != nil {
			return nil, fmt.Errorf("number %.32s is out of range", n)
		}
		return f, nil
	}
	i, err := n.Int64()
	if err != nil {
		return nil, fmt.Errorf("number %.32s is out of range: give %d to %d", n, int64(-1<<63), int64(1<<63-1))
	}
	return i, nil
}

// describe names a value in an error: what it is, and the value itself if it is short.
func describe(v value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case object:
		return "an object"
	case []value:
		return "a list"
	case string:
		return strconv.Quote(short(v))
	}
	return fmt.Sprint(v)
}

// short returns at most the beginning of a text for an error.
func short(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// field returns the value of a table for a JSON value (rabbit_misc, to_amqp_table/1).
// RabbitMQ refuses null; here it is the void that Export writes as null.
func field(v value) (any, error) {
	switch v := v.(type) {
	case object:
		return table(v)
	case []value:
		list := make([]any, len(v))
		for i, e := range v {
			f, err := field(e)
			if err != nil {
				return nil, &pathError{fmt.Sprintf("[%d]", i), err}
			}
			list[i] = f
		}
		return list, nil
	}
	return v, nil
}

func table(o object) (wire.Table, error) {
	if len(o) == 0 {
		return nil, nil
	}
	t := make(wire.Table, len(o))
	for i, m := range o {
		if len(m.name) > wire.MaxShortString {
			return nil, &pathError{"." + short(m.name), fmt.Errorf("name of %d octets: give at most %d", len(m.name), wire.MaxShortString)}
		}
		f, err := field(m.value)
		if err != nil {
			return nil, &pathError{"." + m.name, err}
		}
		t[i] = wire.Field{Key: m.name, Value: f}
	}
	return t, nil
}

// A pathError is an error in a part of a value.
type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string { return e.path + ": " + e.err.Error() }

// whole returns the path of the innermost error, and its text.
func (e *pathError) whole() (path, text string) {
	var inner *pathError
	if errors.As(e.err, &inner) {
		p, text := inner.whole()
		return e.path + p, text
	}
	return e.path, e.err.Error()
}

// appendField appends a value of a table as JSON, as the management API writes it
// (rabbit_mgmt_format, amqp_table/1): numbers of all kinds as numbers, octets as text. An
// octet string that is no text becomes base64.
func appendField(b []byte, v any) []byte {
	switch v := v.(type) {
	case wire.Table:
		return appendTable(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendField(b, e)
		}
		return append(b, ']')
	case []byte:
		if !utf8.Valid(v) {
			return appendJSON(b, base64.StdEncoding.EncodeToString(v))
		}
		return appendJSON(b, string(v))
	case wire.Timestamp:
		return strconv.AppendUint(b, uint64(v), 10)
	case wire.Decimal:
		return append(b, decimal(v)...)
	}
	return appendJSON(b, v)
}

// decimal writes a decimal without an exponent.
func decimal(d wire.Decimal) string {
	digits := strconv.FormatUint(uint64(d.Value), 10)
	if d.Scale == 0 {
		return digits
	}
	if pad := int(d.Scale) + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	at := len(digits) - int(d.Scale)
	return digits[:at] + "." + digits[at:]
}

func appendTable(b []byte, t wire.Table) []byte {
	b = append(b, '{')
	seen := make(map[string]bool, len(t))
	for _, f := range t {
		if seen[f.Key] { // the first field with a key counts
			continue
		}
		if len(seen) > 0 {
			b = append(b, ',')
		}
		seen[f.Key] = true
		b = appendJSON(b, f.Key)
		b = append(b, ':')
		b = appendField(b, f.Value)
	}
	return append(b, '}')
}

// appendJSON appends a plain value. A number that JSON does not have becomes null.
func appendJSON(b []byte, v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return append(b, "null"...)
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

// appendValue appends a JSON value.
func appendValue(b []byte, v value) []byte {
	switch v := v.(type) {
	case object:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSON(b, m.name), ':')
			b = appendValue(b, m.value)
		}
		return append(b, '}')
	case []value:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e)
		}
		return append(b, ']')
	}
	return appendJSON(b, v)
}

// syntaxError says in which line of the text an error is.
func syntaxError(text []byte, d *json.Decoder, err error) string {
	at := d.InputOffset()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at = min(syntax.Offset, int64(len(text)))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		at, err = int64(len(text)), errors.New("the text ends too soon")
	}
	return fmt.Sprintf("line %d: %v", 1+bytes.Count(text[:at], []byte("\n")), err)
}
