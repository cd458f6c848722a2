package wire

import (
	"flag"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

var (
	update = flag.Bool("update", false, "rewrite golden files")
	seed   = flag.Uint64("wire.seed", 0, "seed of random tests; 0 draws one")
)

// A source makes random values of all types that the wire can carry.
type source struct{ *rand.Rand }

// random returns a source whose seed is printed if the test fails.
func random(t *testing.T) source {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay with -wire.seed=%d", s)
		}
	})
	return source{rand.New(rand.NewPCG(s, 0))}
}

// text returns up to n octets of UTF-8; often none, and often n.
func (r source) text(n int) string {
	switch r.IntN(4) {
	case 0:
		return ""
	case 1:
		return strings.Repeat("x", n)
	}
	const letters = "abc.#*é漢 \x00\"\\"
	runes := []rune(letters)
	var s strings.Builder
	for range r.IntN(20) {
		c := runes[r.IntN(len(runes))]
		if s.Len()+len(string(c)) > n {
			break
		}
		s.WriteRune(c)
	}
	return s.String()
}

// octets returns up to n random octets, nil if none.
func (r source) octets(n int) []byte {
	var b []byte
	for range r.IntN(n + 1) {
		b = append(b, byte(r.Uint32()))
	}
	return b
}

func (r source) table(depth int) Table {
	var t Table
	for range r.IntN(5) {
		t = append(t, Field{r.text(MaxShortString), r.value(depth)})
	}
	return t
}

// value returns a table value of a random type, with at most depth levels below it.
func (r source) value(depth int) any {
	n := r.Uint64()
	kinds := 17
	if depth == 0 {
		kinds -= 2
	}
	switch r.IntN(kinds) {
	case 0:
		return n&1 != 0
	case 1:
		return int8(n)
	case 2:
		return uint8(n)
	case 3:
		return int16(n)
	case 4:
		return uint16(n)
	case 5:
		return int32(n)
	case 6:
		return uint32(n)
	case 7:
		return int64(n)
	case 8:
		return r.Float32()
	case 9:
		return r.NormFloat64()
	case 10:
		return Decimal{uint8(n), uint32(n >> 8)}
	case 11:
		return r.text(300)
	case 12:
		return r.octets(20)
	case 13:
		return Timestamp(n)
	case 14:
		return nil
	case 15:
		return r.table(depth - 1)
	}
	var a []any
	for range r.IntN(4) {
		a = append(a, r.value(depth-1))
	}
	return a
}

// method fills in the fields of an empty method.
func (r source) method(id MethodID) Method {
	m := newMethod(id)
	r.fill(reflect.ValueOf(m).Elem())
	return m
}

func (r source) fill(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Interface().(type) {
		case bool:
			f.SetBool(r.IntN(2) == 1)
		case string:
			f.SetString(r.text(MaxShortString))
		case []byte:
			f.SetBytes(r.octets(40))
		case Table:
			f.Set(reflect.ValueOf(r.table(3)))
		default:
			f.SetUint(r.Uint64() >> (64 - f.Type().Bits()))
		}
	}
}

// properties returns properties; each one is present half of the time.
func (r source) properties() Properties {
	var p Properties
	r.fill(reflect.ValueOf(&p).Elem())
	flags := p.Flags &^ noProperty
	p.Remove(^flags)
	p.Flags = flags
	return p
}
