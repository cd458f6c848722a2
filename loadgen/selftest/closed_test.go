package selftest

import (
	"strings"
	"testing"
)

// The broker in virtual time does what queueing theory says.
func TestClosedForms(t *testing.T) {
	if testing.Short() {
		t.Skip("millions of messages")
	}
	var out strings.Builder
	failed, err := RunClosedForms(&out)
	if err != nil {
		t.Fatal(err)
	}
	if failed > 0 {
		t.Errorf("%d failed", failed)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 80+len("\n") {
			t.Errorf("a line of %d columns: %s", len(line)-1, line)
		}
	}
	t.Log("\n" + out.String())
}
