package broker

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/engine/wire"
)

// TestAddDeath: x-death of messages that come with an x-death, as RabbitMQ writes it.
func TestAddDeath(t *testing.T) {
	died := func(queue string) wire.Table {
		return wire.Table{{Key: "count", Value: int64(1)}, {Key: "reason", Value: "rejected"}, {Key: "queue", Value: queue}, {Key: "exchange", Value: "x"}}
	}
	known := func(queue string, count any) wire.Table {
		return wire.Table{{Key: "count", Value: count}, {Key: "queue", Value: queue}, {Key: "reason", Value: "rejected"}}
	}
	joined := wire.Table{{Key: "count", Value: int64(1)}, {Key: "exchange", Value: "x"}, {Key: "queue", Value: "q"}, {Key: "reason", Value: "rejected"}}
	for _, tt := range []struct {
		name          string
		before, after wire.Table
	}{
		{"the first sorts the headers and is kept",
			wire.Table{{Key: "z", Value: "1"}, {Key: "x-first-death-queue", Value: "mine"}, {Key: "a", Value: "2"}},
			wire.Table{{Key: "a", Value: "2"}, {Key: "x-death", Value: []any{died("q")}}, {Key: "x-first-death-exchange", Value: "x"},
				{Key: "x-first-death-queue", Value: "q"}, {Key: "x-first-death-reason", Value: "rejected"}, {Key: "z", Value: "1"}}},
		{"what is no list is replaced",
			wire.Table{{Key: "x-death", Value: int32(5)}},
			wire.Table{{Key: "x-death", Value: []any{died("q")}}}},
		{"one for the same queue and reason is counted",
			wire.Table{{Key: "x-death", Value: []any{known("q", int32(4))}}},
			wire.Table{{Key: "x-death", Value: []any{known("q", int64(5))}}}},
		{"others stay, and are turned",
			wire.Table{{Key: "x-death", Value: []any{known("p", int64(1)), known("r", int64(2))}}},
			wire.Table{{Key: "x-death", Value: []any{joined, known("r", int64(2)), known("p", int64(1))}}}},
		{"the same twice is one",
			wire.Table{{Key: "x-death", Value: []any{known("p", int64(1)), known("p", int64(2))}}},
			wire.Table{{Key: "x-death", Value: []any{joined, known("p", int64(1))}}}},
		{"without counts they are counted",
			wire.Table{{Key: "x-death", Value: []any{known("p", nil)[1:], known("p", nil)[1:]}}},
			wire.Table{{Key: "x-death", Value: []any{joined, known("p", int64(2))}}}},
		{"what is no table is dropped",
			wire.Table{{Key: "x-death", Value: []any{int32(1), known("p", int64(1))}}},
			wire.Table{{Key: "x-death", Value: []any{joined, known("p", int64(1))}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ps := wire.Properties{Headers: tt.before}
			addDeath(&ps, died("q"))
			if diff := cmp.Diff(tt.after, ps.Headers); diff != "" {
				t.Errorf("(- want, + got)\n%s", diff)
			}
		})
	}
}

func TestParseExpiration(t *testing.T) {
	for _, tt := range []struct {
		text    string
		want    int64
		problem string
	}{
		{"0", 0, ""},
		{"+60", 60, ""},
		{"315360000000", 315360000000, ""},
		{"", 0, "no_integer"},
		{"-", 0, "no_integer"},
		{"10x", 0, `{leftover_string,"x"}`},
		{"315360000001", 0, "{value_too_large,315360000001}"},
		{"-1", 0, "{value_negative,-1}"},
		{"999999999999999999", 0, "{value_too_large,999999999999999999}"},
		{"9999999999999999999", 0, "{value_too_large,\n                                           9999999999999999999}"},
		{"99999999999999999999", 0, "{value_too_large,\n                                            99999999999999999999}"},
		{"-99999999999999999999", 0, "{value_negative,\n                                             -99999999999999999999}"},
	} {
		got, err := parseExpiration(tt.text)
		want := ""
		if tt.problem != "" {
			want = "invalid expiration '" + tt.text + "': " + tt.problem
		}
		e, _ := err.(*Error)
		if got != tt.want || (e != nil) != (want != "") || e != nil && e.Text != want {
			t.Errorf("%q: %d, %v; want %d, %q", tt.text, got, err, tt.want, want)
		}
	}
}
