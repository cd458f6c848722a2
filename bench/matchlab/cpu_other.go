//go:build !unix

package matchlab

import "time"

// CPUTime returns the time since the start; processor time is not to be had here.
func CPUTime() time.Duration { return time.Since(processStart) }
