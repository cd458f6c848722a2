//go:build !invariants && !race

package invariants

// Enabled reports whether invariants are checked. It is a constant, so that a statement
// below "if Enabled" costs nothing where it is false.
const Enabled = false

// A Value is a variable that exists only where invariants are checked. Its owner guards it.
type Value[V any] struct{}

// Get returns the value that was set last. Here, without checks, it returns the zero
// value.
func (*Value[V]) Get() (v V) { return v }

// Set changes the value.
func (*Value[V]) Set(V) {}

// Locking reports that the calling goroutine is about to take a lock. It fails if the
// goroutine holds one of the same rank or of a later one.
func Locking(Rank) {}

// Unlocked reports that the calling goroutine has released a lock. It fails if the
// goroutine did not hold one of that rank.
func Unlocked(Rank) {}
