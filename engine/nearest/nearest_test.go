package nearest

import (
	"fmt"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	have := []string{"fair", "prefetch", "workers", "dispatch", "order", "rr", "rr-eager", "celery-initial", "celery-optimized"}
	for _, tt := range []struct{ rule, got, want string }{
		{"a byte too few", "prefech", "prefetch"},
		{"a byte too many", "workerss", "workers"},
		{"a wrong byte", "dispatsh", "dispatch"},
		{"neighbours swapped are one slip", "perfetch", "prefetch"},
		{"neighbours swapped in a short name", "fiar", "fair"},
		{"an abbreviation, however long the rest", "work", "workers"},
		{"of two it abbreviates, the first", "celery", "celery-initial"},
		{"an abbreviation comes before a slip", "rr-", "rr-eager"},
		{"one slip in two bytes", "rx", "rr"},
		{"a single byte abbreviates nothing", "r", ""},
		{"more than a third of the bytes", "colour", ""},
		{"upper case", "RR", "rr"},
		{"nothing typed", "", ""},
		{"no name is that long", strings.Repeat("o", 1000), ""},
	} {
		if got := Of(tt.got, have); got != tt.want {
			t.Errorf("%s: Of(%.20q) = %q, want %q", tt.rule, tt.got, got, tt.want)
		}
	}
	if got := Of("abcdefgh", []string{"abcdwxyh", "abcdefxh", "abcdefgx"}); got != "abcdefxh" {
		t.Errorf("of several near ones %q, want the first of the nearest, abcdefxh", got)
	}
}

func TestChoices(t *testing.T) {
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprintf("name-%02d", i))
	}
	for _, tt := range []struct {
		rule, got string
		have      []string
		want      string
	}{
		{"a suggestion and the list", "oder", []string{"order", "rr"}, `: did you mean "order"? (have order, rr)`},
		{"none is near", "colour", []string{"order", "rr"}, ` (have order, rr)`},
		{"there are none", "colour", nil, ` (have none)`},
		{"a long list is cut short, the suggestion may be beyond", "nmae-49", many,
			`: did you mean "name-49"? (have ` + strings.Join(many[:40], ", ") + `, ...)`},
	} {
		if got := Choices(tt.got, tt.have); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.rule, got, tt.want)
		}
	}
}

func ExampleChoices() {
	have := []string{"fair", "jsq", "rr"}
	fmt.Printf("unknown dispatch strategy %q%s\n", "fiar", Choices("fiar", have))
	// Output: unknown dispatch strategy "fiar": did you mean "fair"? (have fair, jsq, rr)
}
