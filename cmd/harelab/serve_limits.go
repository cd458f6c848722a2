package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/pflag"

	"harelab/engine"
	"harelab/engine/limits"
)

// limitFlags are the flags of `serve` about memory and disk.
type limitFlags struct {
	memory, diskFree string
}

func (l *limitFlags) add(f *pflag.FlagSet) {
	f.StringVar(&l.memory, "memory-limit", "60%", "memory above which publishers are blocked: a size, such as 2GiB, or a percentage of what the machine or the container has; 0: none")
	f.StringVar(&l.diskFree, "disk-free-limit", "50MB", "free space of the data folder's disk below which publishers are blocked: a size, or a percentage of the memory; 0: none")
}

func (l *limitFlags) fill(o *engine.Options) error {
	var errs []error
	for _, f := range []struct {
		flag, value string
		to          *int64
	}{
		{"memory-limit", l.memory, &o.MemoryLimit},
		{"disk-free-limit", l.diskFree, &o.DiskFreeLimit},
	} {
		var err error
		if *f.to, err = limits.Parse(f.value, limits.Memory()); err != nil {
			errs = append(errs, fmt.Errorf("--%s %w", f.flag, err))
		}
	}
	return errors.Join(errs...)
}

// limitRuntime makes Go's runtime collect garbage early where the process nears a limit of
// its memory, unless GOMEMLIMIT says when.
func limitRuntime(limit int64) {
	if limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit / 10 * 9)
	}
}
