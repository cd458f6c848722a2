//go:build !linux && !darwin && !freebsd

package limits

import "errors"

// DiskFree returns an error: this system has no statfs that the package knows.
func DiskFree(string) (octets int64, err error) {
	return 0, errors.New("limits: the free disk space is unknown on this system")
}
