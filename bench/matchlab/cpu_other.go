//go:build !unix

package matchlab

import "time"

// cpuTime returns the time since the start; processor time is not to be had here.
func cpuTime() time.Duration { return time.Since(processStart) }
