// Package race reports whether the race detector is on. The detector allocates and slows
// the program down, so tests that count allocations ask this package first.
package race
