//go:build !unix

package matchlab

import "time"

// CPUTime returns the time since the start, since this system does not report processor
// time.
func CPUTime() time.Duration { return time.Since(processStart) }
