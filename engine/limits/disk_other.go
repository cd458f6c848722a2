//go:build !linux && !darwin && !freebsd

package limits

import "errors"

// DiskFree is not implemented for this system.
func DiskFree(string) (octets int64, err error) {
	return 0, errors.New("limits: the free disk space is unknown on this system")
}
