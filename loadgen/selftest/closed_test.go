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
	t.Log("\n" + out.String())
}
