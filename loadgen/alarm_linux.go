package loadgen

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// descriptor is a timerfd. The runtime's poller waits for it as for a socket, so
// waiting blocks no thread.
type descriptor struct {
	fd   int
	file *os.File
}

// newTimer returns a kernel timer, or nil if the system has none to give.
func newTimer() timer {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	return &descriptor{fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}
}

// set lets the timer expire in d, at once if d is not positive.
func (t *descriptor) set(d time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, d.Nanoseconds()))}
	// It cannot fail: the descriptor is open and the time is valid.
	_ = unix.TimerfdSettime(t.fd, 0, &spec, nil)
}

func (t *descriptor) wait() bool {
	var expirations [8]byte
	_, err := t.file.Read(expirations[:])
	return err == nil
}

func (t *descriptor) close() { t.file.Close() }
