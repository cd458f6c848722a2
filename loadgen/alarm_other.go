//go:build !linux

package loadgen

// newTimer returns nil: the Alarm uses Go's timers.
func newTimer() timer { return nil }
