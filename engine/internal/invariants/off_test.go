//go:build !invariants && !race

package invariants

import (
	"testing"
	"unsafe"
)

// TestOffCostsNothing checks that checks that are off take no memory.
func TestOffCostsNothing(t *testing.T) {
	if size := unsafe.Sizeof(Value[int]{}); size != 0 {
		t.Errorf("a value takes %d octets, want none", size)
	}
	if n := testing.AllocsPerRun(10, func() { Locking(Queue); Locking(Queue); Unlocked(Channel) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
