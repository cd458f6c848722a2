//go:build !linux

package loadgen

// newTimer returns nil: Go's timers serve.
func newTimer() timer { return nil }
