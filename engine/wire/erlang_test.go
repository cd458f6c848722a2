package wire

import "testing"

// The expected texts were printed by Erlang/OTP 25 with io_lib:format("~p").
func TestTerm(t *testing.T) {
	for _, tt := range []struct {
		v    any
		want string
	}{
		{nil, "undefined"},
		{true, "true"},
		{int8(-5), "-5"},
		{Timestamp(1 << 63), "9223372036854775808"},
		{"all", `<<"all">>`},
		{"", "<<>>"},
		{"a\"b", `<<"a\"b">>`},
		{[]byte{0, 20}, "<<0,20>>"},
		{Decimal{Scale: 2, Value: 314}, "{2,314}"},
		{[]any{}, "[]"},
		{[]any{int32(1), "x"}, `[{signedint,1},{longstr,<<"x">>}]`},
		{Table{{Key: "k", Value: nil}, {Key: "t", Value: Table{}}}, `[{<<"k">>,void,undefined},{<<"t">>,table,[]}]`},
		{0.0, "0.0"},
		{1.5, "1.5"},
		{float32(0.5), "0.5"},
		{-2.0, "-2.0"},
		{100.0, "100.0"},
		{1000.0, "1.0e3"},
		{1234.5, "1234.5"},
		{120000.0, "1.2e5"},
		{123400.0, "1.234e5"},
		{0.01, "0.01"},
		{12345678.0, "12345678.0"},
		{0.000123456, "1.23456e-4"},
		{0.001, "0.001"},
		{0.0001, "0.0001"},
		{0.00012, "1.2e-4"},
		{1e22, "1.0e22"},
		{1.5e-300, "1.5e-300"},
	} {
		if got := Term(tt.v); got != tt.want {
			t.Errorf("Term(%T %v) = %s, want %s", tt.v, tt.v, got, tt.want)
		}
	}
}
