//go:build unix

package doctor

import "syscall"

// openFiles returns the limit of open files, or 0 if it is not visible.
func openFiles() uint64 {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 0
	}
	return uint64(r.Cur)
}
