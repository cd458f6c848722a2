//go:build race

package wire

// raceEnabled skips allocation tests: the race detector allocates.
const raceEnabled = true
