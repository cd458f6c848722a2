//go:build (invariants || race) && (amd64 || arm64)

package invariants

// goroutine returns a number that no other running goroutine has: the address of the
// runtime's descriptor of the calling goroutine.
func goroutine() uintptr
