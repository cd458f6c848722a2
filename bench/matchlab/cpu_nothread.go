//go:build !linux

package matchlab

import "time"

// threadTime returns the time since the start. The processor time of the process would
// include other threads.
func threadTime() time.Duration { return time.Since(processStart) }

// threadDelay returns 0, since this system does not report it.
func threadDelay() time.Duration { return 0 }
