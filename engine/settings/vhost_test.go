package settings

import (
	"testing"

	"harelab/engine/wire"
)

func TestVHostLimits(t *testing.T) {
	for _, tt := range []struct {
		limits wire.Table
		want   string
	}{
		{nil, ""},
		{args("max-queues", int64(3), "max-connections", int32(-1)), ""},
		{args("max-connections", "x"), "Validation failed\n\nmax-connections should be a number, actually was <<\"x\">>\n"},
		{args("foo", int64(1)), "Validation failed\n\nUnrecognised terms [{<<\"foo\">>,1}] in limits\n"},
	} {
		l, err := ParseVHostLimits(tt.limits)
		wantError(t, err, tt.want)
		if again, err2 := ParseVHostLimits(l.Table()); err == nil && (err2 != nil || len(again.Table()) != len(tt.limits)) {
			t.Errorf("%v is written as %v, %v", tt.limits, again.Table(), err2)
		}
	}
	l, _ := ParseVHostLimits(args("max-queues", int64(3), "max-connections", int32(-1)))
	if n, ok := l.Queues(); n != 3 || !ok {
		t.Error("no limit of queues")
	}
	if _, ok := l.Connections(); ok {
		t.Error("a negative limit is one")
	}
}
