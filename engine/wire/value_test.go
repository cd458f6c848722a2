package wire

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestValuesAgreeWithParseTable reads random tables in place and as values.
func TestValuesAgreeWithParseTable(t *testing.T) {
	r := random(t)
	for range 300 {
		want := r.table(3)
		var got Table
		for key, v := range Fields(AppendTable(nil, want)) {
			value, err := v.Any()
			if err != nil {
				t.Fatalf("field %q: %v", key, err)
			}
			got = append(got, Field{string(key), value})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("Fields (- want, + got):\n%s", diff)
		}
	}
}

func TestValueInt64(t *testing.T) {
	raw := AppendTable(nil, Table{
		{"int8", int8(-1)}, {"uint8", uint8(255)}, {"int16", int16(-1)}, {"uint16", uint16(65535)},
		{"int32", int32(-1)}, {"uint32", uint32(math.MaxUint32)}, {"int64", int64(-1)},
		{"text", "1"}, {"double", 1.0}, {"bool", true}, {"timestamp", Timestamp(1)}, {"void", nil},
	})
	want := map[string]int64{
		"int8": -1, "uint8": 255, "int16": -1, "uint16": 65535, "int32": -1, "uint32": math.MaxUint32, "int64": -1,
	}
	for key, v := range Fields(raw) {
		n, ok := v.Int64()
		if w, wantOK := want[string(key)]; n != w || ok != wantOK {
			t.Errorf("%s: Int64() = %d, %v, want %d, %v", key, n, ok, w, wantOK)
		}
	}
}

func TestValueBytesAndBool(t *testing.T) {
	raw := AppendTable(nil, Table{{"S", "text"}, {"x", []byte("octets")}, {"t", true}, {"f", false}, {"I", int32(1)}})
	for _, c := range []struct {
		key        string
		text       string
		isText     bool
		on, isBool bool
	}{
		{key: "S", text: "text", isText: true},
		{key: "x", text: "octets", isText: true},
		{key: "t", on: true, isBool: true},
		{key: "f", isBool: true},
		{key: "I"},
	} {
		v, ok := TableLookup(raw, c.key)
		if !ok {
			t.Fatalf("field %q: not found", c.key)
		}
		if b, ok := v.Bytes(); string(b) != c.text || ok != c.isText {
			t.Errorf("%s: Bytes() = %q, %v, want %q, %v", c.key, b, ok, c.text, c.isText)
		}
		if on, ok := v.Bool(); on != c.on || ok != c.isBool {
			t.Errorf("%s: Bool() = %v, %v, want %v, %v", c.key, on, ok, c.on, c.isBool)
		}
	}
}

// TestViewsOfUncheckedOctets cuts a table everywhere. Lookups must find the fields
// before the cut and none after it, and must not panic.
func TestViewsOfUncheckedOctets(t *testing.T) {
	raw := []byte(encoded)
	for n := range raw {
		if v, ok := TableLookup(raw[:n], "t"); ok {
			t.Fatalf("cut at %d: found %v in a table longer than its octets", n, v)
		}
		short := append([]byte{0, 0, byte(max(n-4, 0) >> 8), byte(max(n-4, 0))}, raw[min(n, 4):n]...)
		fields := 0
		for range Fields(short) {
			fields++
		}
		if fields > len(everyType) {
			t.Fatalf("cut at %d: %d fields", n, fields)
		}
		for _, typ := range "tbBsuIilLfdDSxTAFVz" {
			v := Value{byte(typ), raw[:min(n, 12)]}
			v.Int64()
			v.Bytes()
			v.Bool()
			if _, err := v.Any(); err == nil {
				if size, e := valueSize(v.Type, v.Raw); e != nil || size != len(v.Raw) {
					t.Fatalf("Any took %q of %d octets", typ, len(v.Raw))
				}
			}
		}
	}
}
