package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/pflag"

	"harelab/engine"
	"harelab/engine/limits"
	"harelab/engine/store/pebble"
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

// pageAbove is the part of the memory limit that messages take before further ones are kept
// on the disk alone: the rest is for what is written, what is read, and garbage.
const pageAbove = 16

// page lets messages be paged out, if they are kept in a folder and there is a memory limit:
// transient ones to a folder in it, which holds nothing that a restart needs.
func (l *limitFlags) page(o *engine.Options) error {
	if o.Store == nil || o.MemoryLimit == 0 {
		return nil
	}
	dir := filepath.Join(o.DiskFolder, "spill")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	spill, err := pebble.Open(dir, pebble.Options{NoSync: true, Logger: o.Logger, CacheSize: spillCache, Unwritten: unwritten(o.MemoryLimit)})
	if err != nil {
		return err
	}
	o.Spill, o.PageAbove = spill, o.MemoryLimit/pageAbove
	return nil
}

// unwritten returns the octets of changes that a store may hold back: fewer if there is
// little memory.
func unwritten(limit int64) int {
	const most, least = 64 << 20, 4 << 20
	if limit == 0 {
		return most
	}
	return int(max(least, min(most, limit/32)))
}

// spillCache is the memory for blocks of the spill folder, in octets. They are read once,
// in order.
const spillCache = 4 << 20

// storeMemory is the memory that stores take besides Go's heap, in octets: blocks that were
// read, and tables that are not written yet.
const storeMemory = 96 << 20

// limitRuntime makes Go's runtime collect garbage early where the process nears a limit of
// its memory, unless GOMEMLIMIT says when.
func limitRuntime(o *engine.Options) {
	limit := o.MemoryLimit
	if limit == 0 || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if o.DiskFolder != "" {
		limit -= min(storeMemory, limit/4)
	}
	debug.SetMemoryLimit(limit / 10 * 9)
}
