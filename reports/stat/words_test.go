package stat

import (
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "a", "a b": "a or b", "a b c": "a, b or c"} {
		if got := List(strings.Fields(in), "or"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestUpper(t *testing.T) {
	for in, want := range map[string]string{"": "", "fair is": "Fair is", "über": "Über", "4 slots": "4 slots"} {
		if got := Upper(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
