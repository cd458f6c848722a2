package wire

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everyType has one field of each type. encoded holds its octets, written by hand after
// rabbit_binary_parser.
var (
	everyType = Table{
		{"t", true}, {"b", int8(-2)}, {"B", uint8(254)}, {"s", int16(-2)}, {"u", uint16(65534)},
		{"I", int32(-2)}, {"i", uint32(math.MaxUint32)}, {"l", int64(math.MinInt64)}, {"f", float32(1.5)}, {"d", -2.5},
		{"D", Decimal{2, 314}}, {"S", "text"}, {"x", []byte{0, 255}}, {"T", Timestamp(1 << 40)}, {"V", nil},
		{"A", []any{"a", nil, []any(nil)}}, {"F", Table{{"", false}}},
	}
	encoded = "\x00\x00\x00\x88" +
		"\x01tt\x01" + "\x01bb\xfe" + "\x01BB\xfe" + "\x01ss\xff\xfe" + "\x01uu\xff\xfe" +
		"\x01II\xff\xff\xff\xfe" + "\x01ii\xff\xff\xff\xff" + "\x01ll\x80\x00\x00\x00\x00\x00\x00\x00" +
		"\x01ff\x3f\xc0\x00\x00" + "\x01dd\xc0\x04\x00\x00\x00\x00\x00\x00" +
		"\x01DD\x02\x00\x00\x01\x3a" + "\x01SS\x00\x00\x00\x04text" + "\x01xx\x00\x00\x00\x02\x00\xff" +
		"\x01TT\x00\x00\x01\x00\x00\x00\x00\x00" + "\x01VV" +
		"\x01AA\x00\x00\x00\x0cS\x00\x00\x00\x01aVA\x00\x00\x00\x00" + "\x01FF\x00\x00\x00\x03\x00t\x00"
)

func TestTableOfEveryType(t *testing.T) {
	if got := AppendTable(nil, everyType); string(got) != encoded {
		t.Errorf("AppendTable = %q,\nwant %q", got, encoded)
	}
	got, rest, err := ParseTable([]byte(encoded + "rest"))
	if err != nil || string(rest) != "rest" {
		t.Fatalf("ParseTable: rest %q, error %v", rest, err)
	}
	if diff := cmp.Diff(everyType, got); diff != "" {
		t.Errorf("ParseTable (- want, + got):\n%s", diff)
	}
}

func TestTypeNames(t *testing.T) {
	want := strings.Fields("bool byte unsignedbyte short unsignedshort signedint unsignedint long float double " +
		"decimal longstr binary timestamp void array table")
	for i, f := range everyType {
		if got := TypeName(f.Value); got != want[i] {
			t.Errorf("TypeName(%#v) = %q, want %q", f.Value, got, want[i])
		}
		v, ok := TableLookup([]byte(encoded), f.Key)
		if got := v.TypeName(); !ok || got != want[i] || string(v.Type) != f.Key {
			t.Errorf("field %q: type %q, name %q, found %v, want %q", f.Key, v.Type, got, ok, want[i])
		}
	}
	if got := TypeName(7); got != "int" {
		t.Errorf("TypeName of an int = %q, want int", got)
	}
}

func TestTableReadOnlyForms(t *testing.T) {
	for _, c := range []struct {
		in   string
		want any
	}{
		{"L\xff\xff\xff\xff\xff\xff\xff\xfe", int64(-2)},
		{"t\x02", true},
	} {
		in := fmt.Sprintf("\x00\x00\x00%c\x01k%s", 2+len(c.in), c.in)
		got, _, err := ParseTable([]byte(in))
		if diff := cmp.Diff(Table{{"k", c.want}}, got); err != nil || diff != "" {
			t.Errorf("ParseTable(%q): error %v, (- want, + got):\n%s", in, err, diff)
		}
	}
}

func TestTableFirstOfEqualKeysCounts(t *testing.T) {
	table := Table{{"k", int32(1)}, {"j", nil}, {"k", int32(2)}}
	raw := AppendTable(nil, table)
	if got, _, err := ParseTable(raw); err != nil || !cmp.Equal(got, table) {
		t.Errorf("ParseTable = %v, error %v, want %v", got, err, table)
	}
	if v, ok := table.Get("k"); !ok || v != int32(1) {
		t.Errorf("Get = %v, %v, want 1", v, ok)
	}
	v, _ := TableLookup(raw, "k")
	if n, ok := v.Int64(); !ok || n != 1 {
		t.Errorf("TableLookup = %v, %v, want 1", n, ok)
	}
	table.Set("k", "x")
	table.Set("new", true)
	if want := (Table{{"k", "x"}, {"j", nil}, {"k", int32(2)}, {"new", true}}); !cmp.Equal(table, want) {
		t.Errorf("after Set: %v, want %v", table, want)
	}
	if v, ok := table.Get("none"); ok {
		t.Errorf("Get of no key = %v, want none", v)
	}
}

// nested returns a table with depth levels, the innermost empty.
func nested(depth int) []byte {
	b := []byte{0, 0, 0, 0}
	for range depth - 1 {
		b = append([]byte("\x01kF"), b...)
		b = append([]byte{0, 0, byte(len(b) >> 8), byte(len(b))}, b...)
	}
	return b
}

// nestedArrays returns a table with depth levels, all but the first arrays.
func nestedArrays(depth int) []byte {
	var b []byte
	for range depth - 1 {
		b = append([]byte{'A', 0, 0, byte(len(b) >> 8), byte(len(b))}, b...)
	}
	b = append([]byte{0}, b...)
	return append([]byte{0, 0, byte(len(b) >> 8), byte(len(b))}, b...)
}

// wide returns a table with n void fields without a key.
func wide(n int) []byte {
	body := strings.Repeat("\x00V", n)
	return append([]byte{0, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

// array returns a table with one array of n voids.
func array(n int) []byte {
	a := append([]byte{0, 'A', 0, 0, byte(n >> 8), byte(n)}, strings.Repeat("V", n)...)
	return append([]byte{0, 0, byte(len(a) >> 8), byte(len(a))}, a...)
}

func TestParseTableRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		text string // the reply text after SYNTAX_ERROR
	}{
		{"nothing", nil, "table of 4 octets in a table, 0 left"},
		{"no length", []byte("\x00\x00\x00"), "table of 4 octets in a table, 3 left"},
		{"length over the end", []byte("\x00\x00\x00\x02\x00"), "table of 6 octets in a table, 5 left"},
		{"highest length", []byte("\xff\xff\xff\xff\x00"), "table of 4294967299 octets in a table, 5 left"},
		{"key over the end", []byte("\x00\x00\x00\x02\x02a"), "table key of 2 octets, 1 left"},
		{"key without value", []byte("\x00\x00\x00\x02\x01a"), "table key without a value"},
		{"key not UTF-8", []byte("\x00\x00\x00\x03\x01\xffV"), "table key <<255>> is not UTF-8"},
		{"unknown type", []byte("\x00\x00\x00\x03\x01az"), "unknown type 'z' of a table value"},
		{"value cut short", []byte("\x00\x00\x00\x05\x01aI\x00\x00"), "signedint of 4 octets in a table, 2 left"},
		{"string over the end", []byte("\x00\x00\x00\x08\x01aS\x00\x00\x00\x02x"), "longstr of 6 octets in a table, 5 left"},
		{"inner table over the end", []byte("\x00\x00\x00\x08\x01aF\x00\x00\x00\x02x"), "table of 6 octets in a table, 5 left"},
		{"array element over the end", []byte("\x00\x00\x00\x0a\x01aA\x00\x00\x00\x03I\x00\x00"), "signedint of 4 octets in a table, 2 left"},
		{"65 levels", nested(65), "table nested more than 64 deep"},
		{"65 levels of arrays", nestedArrays(65), "table nested more than 64 deep"},
		{"10000 levels of arrays", nestedArrays(10000), "table nested more than 64 deep"},
		{"10000 levels", nested(10000), "table nested more than 64 deep"},
		{"4097 fields", wide(4097), "table of more than 4096 fields"},
		{"4097 elements", array(4097), "array of more than 4096 elements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := ParseTable(c.in)
			if text := replyText(err); got != nil || text != "SYNTAX_ERROR - "+c.text {
				t.Errorf("ParseTable = %v, %q, want %q", got, text, c.text)
			}
			raw := append([]byte{0x20, 0}, c.in...) // as headers
			if err := new(PropertyView).Parse(raw); err == nil {
				t.Error("as headers it is taken")
			}
		})
	}
}

func TestTableLimitsAreReached(t *testing.T) {
	for name, in := range map[string][]byte{"depth": nested(64), "array depth": nestedArrays(64), "fields": wide(4096), "elements": array(4096)} {
		got, rest, err := ParseTable(in)
		if err != nil || len(rest) != 0 {
			t.Errorf("%s: error %v, rest %d", name, err, len(rest))
			continue
		}
		if again := AppendTable(nil, got); !bytes.Equal(again, in) {
			t.Errorf("%s: written again it differs", name)
		}
		if err := new(PropertyView).Parse(append([]byte{0x20, 0}, in...)); err != nil {
			t.Errorf("%s: as headers: %v", name, err)
		}
	}
}

func TestEncodeTableRefuses(t *testing.T) {
	deep := Table(nil)
	for range MaxTableDepth {
		deep = Table{{"k", deep}}
	}
	deepArray := any(nil)
	for range MaxTableDepth {
		deepArray = []any{deepArray}
	}
	for _, c := range []struct {
		name string
		in   Table
		want string
	}{
		{"int", Table{{"k", 1}}, "wire: table value of type int "},
		{"nested type", Table{{"k", []any{map[string]any{}}}}, "wire: table value of type map[string]interface {} "},
		{"long key", Table{{strings.Repeat("k", 256), nil}}, `wire: short string "kkkkkkkkkkkkkkkkkkkk"...: 256 octets, at most 255 fit`},
		{"deep", deep, "wire: table nested more than 64 deep"},
		{"deep array", Table{{"k", deepArray}}, "wire: table nested more than 64 deep"},
		{"wide", make(Table, MaxTableFields+1), "wire: table of 4097 fields, at most 4096 fit"},
		{"wide array", Table{{"k", make([]any, MaxTableFields+1)}}, "wire: array of 4097 elements, at most 4096 fit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := EncodeTable([]byte("dst"), c.in)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || string(got) != "dst" {
				t.Errorf("EncodeTable = %q, error %v, want dst as it was and %q", got, err, c.want)
			}
			mustPanic(t, func() { AppendTable(nil, c.in) })
			mustPanic(t, func() { (&QueueDeclare{Arguments: c.in}).Append(nil) })
		})
	}
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}
