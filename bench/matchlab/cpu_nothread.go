//go:build !linux

package matchlab

import "time"

// threadTime returns the time since the start: that of the process would count
// what other threads took.
func threadTime() time.Duration { return time.Since(processStart) }

// threadDelay returns 0: what the kernel gave to others is not to be had here.
func threadDelay() time.Duration { return 0 }
