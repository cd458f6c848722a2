// Package invariants supports the engine's checks of itself. The checks are on under
// the build tag invariants and under the race detector; otherwise they are compiled
// away, together with their variables.
//
// A check is a statement below
//
//	if invariants.Enabled { ... }
//
// that calls [Failf]. A variable of a check is a [Value]. Locks that are held together
// report each lock and unlock with [Locking] and [Unlocked].
package invariants

import "fmt"

// Failf panics, because an invariant is broken: the program has a bug, and its state
// cannot be trusted. The text names the thing, its state, and the state that it should
// have.
func Failf(format string, args ...any) {
	panic("invariant broken: " + fmt.Sprintf(format, args...))
}
