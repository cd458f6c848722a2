//go:build invariants

package server

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"harelab/engine/internal/invariants"
)

// TestOutboxBooks: each wrong count of an outbox is found at the latest by unlock.
func TestOutboxBooks(t *testing.T) {
	for _, tt := range []struct {
		fault func(*outbox)
		want  string
	}{
		{func(o *outbox) { o.unsent++; o.put(5) }, "106 octets are unsent, but its frames hold 105 and its writer 0"},
		{func(o *outbox) { f, _ := o.take(); o.sent(f.size + 1) }, "-1 octets are unsent, but its frames hold 0 and its writer -1"},
		{func(o *outbox) { o.fill.size--; o.hold() }, "segments of ahead hold 100 octets, its size says 99"},
		{func(o *outbox) { o.hold(); o.put(5); o.hold() }, "105 octets are unsent, but its frames hold 5 and its writer 0"},
		{func(o *outbox) { o.mu.Lock(); o.end(nil) }, "end without begin"},
		{func(o *outbox) { o.begin(1); o.end(make([]byte, 100)) }, "end is given another buffer than begin returned"},
		{func(o *outbox) { buf, _ := o.begin(1); o.end(buf[:99]) }, "end is given 99 octets, there were 100 already"},
		{func(o *outbox) { o.begin(1); o.unlock() }, "a buffer of begin was not given to end"},
		{func(o *outbox) { o.begin(1); o.begin(1) }, "lock order: outbox is locked by a goroutine that holds [outbox]"},
	} {
		o := newOutbox()
		o.put(100)
		got := invariants.Failure(func() { tt.fault(o) })
		if !strings.HasPrefix(got, "invariant broken: ") || !strings.Contains(got, tt.want) {
			t.Errorf("got %q, want %q", got, tt.want)
		}
		o.mu.Unlock() // the check failed with the lock held
	}
}

// TestPlantedFaultInAnOutboxIsFound: a wrong count ends any test that meets it.
func TestPlantedFaultInAnOutboxIsFound(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestMessagesArriveWhole$")
	cmd.Env = append(os.Environ(), "HARELAB_PLANT=outbox")
	out, err := cmd.CombinedOutput()
	if want := "panic: invariant broken: outbox: "; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("%v, want %q; the test said:\n%.4000s", err, want, out)
	}
}
