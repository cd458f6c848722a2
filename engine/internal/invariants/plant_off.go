//go:build !invariants

package invariants

// Planted reports whether the environment variable HARELAB_PLANT names a fault. The
// caller then makes that fault, so that a test can see a check find it. Only programs
// built with the tag invariants make faults.
func Planted(string) bool { return false }
