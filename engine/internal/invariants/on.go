//go:build invariants || race

package invariants

import "fmt"

// Enabled reports whether invariants are checked. It is a constant, so that a statement
// below "if Enabled" costs nothing where it is false.
const Enabled = true

// A Value is a variable that exists only where invariants are checked. Its owner guards it.
type Value[V any] struct{ v V }

// Get returns the value that was set last; the zero value where invariants are not checked.
func (v *Value[V]) Get() V { return v.v }

// Set changes the value.
func (v *Value[V]) Set(to V) { v.v = to }

// Failure calls f and returns the text of its panic, or "" if f returns. Tests use it to
// see a check fail.
func Failure(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}
