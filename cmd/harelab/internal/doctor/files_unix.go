//go:build unix

package doctor

import "syscall"

// openFiles is the limit of open files, 0 when it cannot be seen.
func openFiles() uint64 {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 0
	}
	return uint64(r.Cur)
}
