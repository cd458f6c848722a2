package exchange

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"harelab/engine/topic"
	"harelab/engine/wire"
)

func init() {
	Register(Type{
		Name:        "headers",
		Doc:         "to the destinations whose arguments the message's headers match",
		ByArguments: true,
		Check:       checkHeaders,
		New:         func(Config) Exchange { return new(headers) },
	})
}

// headers tries the bindings of each destination in turn until one matches. Bind and
// Unbind copy the list of destinations, so the list that Route reads never changes.
type headers struct {
	groups atomic.Pointer[[]group]
}

// group holds the bindings of one destination.
type group struct {
	dest     topic.Dest
	patterns []pattern
}

// pattern is one binding: the fields that the headers must have, either all of them
// or at least one.
type pattern struct {
	identity []byte // binding key and arguments, encoded
	any      bool   // one field is enough
	fields   []field
}

// field is a header that a pattern requires. A void value requires its presence only.
type field struct {
	key   string
	value wire.Value
}

// checkHeaders reads x-match as RabbitMQ does (rabbit_exchange_type_headers,
// validate_binding/2).
func checkHeaders(_ string, args wire.Table) (refusal string) {
	v, ok := args.Get("x-match")
	if !ok {
		return ""
	}
	s, isString := v.(string)
	switch {
	case !isString:
		return fmt.Sprintf("Invalid x-match field type %s (value %s); expected longstr", wire.TypeName(v), wire.Term(v))
	case s == "all" || s == "any" || s == "all-with-x" || s == "any-with-x":
		return ""
	}
	return fmt.Sprintf("Invalid x-match field value %s; expected all, any, all-with-x, or any-with-x", wire.Term(s))
}

// newPattern compiles a binding. Without -with-x, arguments whose names begin with
// x- are not compared.
func newPattern(key string, args wire.Table) pattern {
	p := pattern{identity: identity(key, args)}
	match, _ := args.Get("x-match")
	mode, _ := match.(string)
	p.any = strings.HasPrefix(mode, "any")
	withX := strings.HasSuffix(mode, "-with-x")
	encoded := wire.AppendTable(nil, args)
	for k, v := range wire.Fields(encoded) {
		name := string(k)
		if name == "x-match" || !withX && strings.HasPrefix(name, "x-") {
			continue
		}
		p.fields = append(p.fields, field{name, v})
	}
	return p
}

func identity(key string, args wire.Table) []byte {
	return append(wire.AppendTable(nil, args), key...)
}

func (x *headers) Bind(key string, args wire.Table, d topic.Dest) {
	groups := slices.Clone(x.current())
	i := slices.IndexFunc(groups, func(g group) bool { return g.dest == d })
	if i < 0 {
		i = len(groups)
		groups = append(groups, group{dest: d})
	}
	groups[i].patterns = append(slices.Clip(groups[i].patterns), newPattern(key, args))
	x.groups.Store(&groups)
}

func (x *headers) Unbind(key string, args wire.Table, d topic.Dest) {
	id := identity(key, args)
	groups := slices.Clone(x.current())
	i := slices.IndexFunc(groups, func(g group) bool { return g.dest == d })
	if i < 0 {
		return
	}
	patterns := slices.DeleteFunc(slices.Clone(groups[i].patterns), func(p pattern) bool { return bytes.Equal(p.identity, id) })
	groups[i].patterns = patterns
	if len(patterns) == 0 {
		groups = slices.Delete(groups, i, i+1)
	}
	x.groups.Store(&groups)
}

func (x *headers) Route(dst []topic.Dest, m *Message) []topic.Dest {
	for _, g := range x.current() {
		for i := range g.patterns {
			if g.patterns[i].matches(m.Headers) {
				dst = append(dst, g.dest)
				break
			}
		}
	}
	return dst
}

func (x *headers) current() []group {
	if p := x.groups.Load(); p != nil {
		return *p
	}
	return nil
}

// matches reports whether an encoded table has the fields. A pattern without fields
// matches everything if it wants all, and nothing if it wants any.
func (p *pattern) matches(table []byte) bool {
	for i := range p.fields {
		v, ok := wire.TableLookup(table, p.fields[i].key)
		if ok = ok && p.fields[i].accepts(v); ok == p.any {
			return p.any
		}
	}
	return !p.any
}

// accepts compares values as RabbitMQ does (rabbit_exchange_type_headers,
// headers_match/2): as Erlang terms, whatever their types in the table. An integer 1
// therefore equals the float 1.0 and the timestamp 1, and text equals a binary value
// of the same octets. A void field accepts any value.
func (f *field) accepts(v wire.Value) bool {
	if f.value.Type == 'V' {
		return true
	}
	if want, ok := numberOf(f.value); ok {
		got, ok := numberOf(v)
		return ok && want.equals(got)
	}
	if want, ok := f.value.Bytes(); ok {
		got, ok := v.Bytes()
		return ok && bytes.Equal(got, want)
	}
	if want, ok := f.value.Bool(); ok {
		got, ok := v.Bool()
		return ok && got == want
	}
	return bytes.Equal(f.value.Raw, v.Raw) && (f.value.Type == v.Type || isEmptyList(f.value) && isEmptyList(v))
}

// isEmptyList reports whether a value is an empty array or an empty table, which are
// the same Erlang term.
func isEmptyList(v wire.Value) bool { return (v.Type == 'A' || v.Type == 'F') && len(v.Raw) == 4 }

// A number is an integer or a float.
type number struct {
	whole    int64 // unless fraction is set
	big      bool  // whole holds the bits of a uint64
	isFloat  bool
	fraction float64
}

func numberOf(v wire.Value) (n number, ok bool) {
	if whole, ok := v.Int64(); ok {
		return number{whole: whole}, true
	}
	switch {
	case v.Type == 'T' && len(v.Raw) == 8:
		whole := int64(binary.BigEndian.Uint64(v.Raw))
		return number{whole: whole, big: whole < 0}, true
	case v.Type == 'f' && len(v.Raw) == 4:
		return number{isFloat: true, fraction: float64(math.Float32frombits(binary.BigEndian.Uint32(v.Raw)))}, true
	case v.Type == 'd' && len(v.Raw) == 8:
		return number{isFloat: true, fraction: math.Float64frombits(binary.BigEndian.Uint64(v.Raw))}, true
	}
	return number{}, false
}

// equals compares numbers without rounding either.
func (n number) equals(m number) bool {
	switch {
	case n.isFloat && m.isFloat:
		return n.fraction == m.fraction
	case m.isFloat:
		return m.equals(n)
	case !n.isFloat:
		return n.whole == m.whole && n.big == m.big
	}
	const limit = 1 << 63
	f := n.fraction
	if m.big {
		return f >= limit && f < 2*limit && uint64(f) == uint64(m.whole) && math.Trunc(f) == f
	}
	return f >= -limit && f < limit && int64(f) == m.whole && math.Trunc(f) == f
}
