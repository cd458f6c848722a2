package matchlab

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// threadTime returns the processor time of the calling thread so far. The calling
// goroutine is locked to the thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return CPUTime()
	}
	return time.Duration(t.Nano())
}

// threadDelay returns the time so far in which the calling thread was ready but the
// kernel ran other threads, or 0 if the kernel does not report it. The calling goroutine
// is locked to the thread.
func threadDelay() time.Duration {
	text, err := os.ReadFile("/proc/thread-self/schedstat")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text) // time run, time ready, slices of time
	if len(fields) < 2 {
		return 0
	}
	ns, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return time.Duration(ns)
}
