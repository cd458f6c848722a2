// Package limits reads how much memory and disk space a process may take, and how much it
// takes. It measures only; whoever calls it decides what follows.
package limits

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"
)

// Memory returns the octets of memory that there are for this process: those of the
// machine, or fewer if its control group (version 1 or 2) allows fewer. 0: unknown.
func Memory() int64 {
	whole := uint64(math.MaxInt64)
	for _, read := range []memlimit.Provider{memlimit.FromSystem, memlimit.FromCgroup} {
		if n, err := read(); err == nil && n > 0 {
			whole = min(whole, n)
		}
	}
	if whole == math.MaxInt64 {
		return 0
	}
	return int64(whole)
}

// Parse reads an amount: octets ("536870912"), a size ("512MiB", "2GB"), or a percentage of
// whole ("60%"). It returns 0, no limit, for "0", and for a percentage if whole is 0.
func Parse(s string, whole int64) (octets int64, err error) {
	if number, ok := strings.CutSuffix(s, "%"); ok {
		percent, err := strconv.ParseFloat(number, 64)
		if err != nil || !(percent > 0 && percent <= 100) {
			return 0, fmt.Errorf("%q is no percentage (want more than 0%% and at most 100%%)", s)
		}
		return int64(float64(whole) * (percent / 100)), nil
	}
	n, err := humanize.ParseBytes(s)
	if err != nil || n > math.MaxInt64 {
		return 0, fmt.Errorf("%q is no amount (want for example 512MiB, 2GB or 60%%)", s)
	}
	return int64(n), nil
}

// Format writes octets for people, for example "512 MiB".
func Format(octets int64) string { return humanize.IBytes(uint64(max(0, octets))) }

// Resident returns the octets of memory that the process takes from the system. Where the
// system does not tell (other than Linux), it is what Go's runtime has taken and not given
// back.
func Resident() int64 {
	if b, err := os.ReadFile("/proc/self/statm"); err == nil { // proc(5): size, resident, ... in pages
		if fields := bytes.Fields(b); len(fields) > 1 {
			if pages, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
				return pages * int64(os.Getpagesize())
			}
		}
	}
	taken := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(taken)
	return int64(taken[0].Value.Uint64() - taken[1].Value.Uint64())
}
