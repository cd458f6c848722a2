//go:build unix

package matchlab

import (
	"syscall"
	"time"
)

// CPUTime returns the processor time of the process so far. On a shared machine it says
// more than the clock, since it leaves out what other processes took.
func CPUTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return time.Since(processStart)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
