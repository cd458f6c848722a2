// Package invariants holds what the engine's checks of itself need. They are on under
// the build tag invariants and under the race detector; otherwise they are compiled
// away, with what they remember.
//
// A check is a statement below
//
//	if invariants.Enabled { ... }
//
// that ends in [Failf]. What it must remember is a [Value]. Locks that are taken
// together announce themselves with [Locking] and [Unlocked].
package invariants

import "fmt"

// Failf panics: an invariant is broken, so the program has a bug and its state cannot be
// trusted. The text names the thing, what was found and what would have been right.
func Failf(format string, args ...any) {
	panic("invariant broken: " + fmt.Sprintf(format, args...))
}
