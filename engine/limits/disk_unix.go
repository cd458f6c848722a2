//go:build linux || darwin || freebsd

package limits

import "syscall"

// DiskFree returns the octets that this process may still write to the file system that
// holds a folder.
func DiskFree(dir string) (octets int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
