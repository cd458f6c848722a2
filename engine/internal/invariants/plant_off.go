//go:build !invariants

package invariants

// Planted reports whether the program is to make the named fault, so that a test sees it
// caught: the one that the environment variable HARELAB_PLANT names. Only programs built
// with the tag invariants make any.
func Planted(string) bool { return false }
