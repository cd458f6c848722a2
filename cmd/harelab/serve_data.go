package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"harelab/engine"
	"harelab/engine/broker"
	"harelab/engine/store"
	"harelab/engine/store/pebble"
)

const dataHelp = `Durable queues and exchanges and persistent messages are kept in a folder, by default
$XDG_DATA_HOME/harelab, or ~/.local/share/harelab. A confirmed message is on the disk:
it survives kill -9 and a power cut. With --sync none the system writes it later, and
with --memory nothing is kept. The first line on stdout says which it is; it comes when
clients can connect. Started by systemd, harelab tells it so as well.

Ctrl-C or SIGTERM drains the broker: it cancels the consumers, confirms what was
published, closes the connections and then the folder. A second one ends it at once.`

// dataFlags are the flags of `serve` about what is kept, and about the end.
type dataFlags struct {
	dir             string
	memory          bool
	sync            string
	shutdownTimeout time.Duration
}

func (d *dataFlags) add(f *pflag.FlagSet) {
	f.StringVar(&d.dir, "data", "", "folder that keeps durable queues and persistent messages (default $XDG_DATA_HOME/harelab, or ~/.local/share/harelab)")
	f.BoolVar(&d.memory, "memory", false, "keep nothing: everything is gone when the broker ends")
	f.StringVar(&d.sync, "sync", "fsync", "when a message is confirmed: fsync, when it is on the disk; none, when the system has it, so that a power cut may lose it")
	f.DurationVar(&d.shutdownTimeout, "shutdown-timeout", 10*time.Second, "how long the end may take; clients have half of it to close their connections")
}

func (d *dataFlags) fill(o *engine.Options) error {
	var mistakes []error
	if d.memory && d.dir != "" {
		mistakes = append(mistakes, fmt.Errorf("--data %q: --memory keeps nothing: give one of them", d.dir))
	}
	if d.sync != "fsync" && d.sync != "none" {
		mistakes = append(mistakes, fmt.Errorf("--sync %q: give fsync or none", d.sync))
	}
	if d.shutdownTimeout <= 0 {
		mistakes = append(mistakes, fmt.Errorf("--shutdown-timeout %q: give a time above 0", d.shutdownTimeout))
	}
	if d.dir == "" && !d.memory {
		home, err := dataHome()
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("--data %q: %w: give a folder, or --memory", d.dir, err))
		}
		d.dir = home
	}
	if !d.memory {
		o.DiskFolder = d.dir
	}
	return errors.Join(mistakes...)
}

// dataHome returns the folder that is used without --data (XDG Base Directory
// Specification).
func dataHome() (string, error) {
	if home := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, "harelab"), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share", "harelab"), err
}

// open opens the folder. It returns nil with --memory.
func (d *dataFlags) open(log *slog.Logger, unwritten int, keepFree int64) (store.Store, error) {
	if d.memory {
		return nil, nil
	}
	if d.sync == "none" {
		log.Warn("--sync none: a power cut can lose confirmed messages", "data", d.dir)
	}
	s, err := pebble.Open(d.dir, pebble.Options{NoSync: d.sync == "none", Logger: log, Unwritten: unwritten, KeepFree: keepFree, Progress: openProgress(log)})
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w (give --data a folder that can be written, or --memory)", err)
	case errors.Is(err, pebble.ErrCorrupt):
		return nil, d.damaged(err)
	case err != nil:
		return nil, err
	}
	return s, nil
}

// damaged says what to do about data that cannot be read.
func (d *dataFlags) damaged(err error) error {
	return fmt.Errorf("%w: the data in %s is as it was: restore it from a copy, or move it away and start without it", err, d.dir)
}

// openProgress returns a function that logs once a second how far the store has come.
func openProgress(log *slog.Logger) func(done, total uint64) {
	next := time.Now().Add(time.Second)
	return func(done, total uint64) {
		if now := time.Now(); now.After(next) {
			next = now.Add(time.Second)
			log.Log(context.Background(), broker.LevelNotice, "opening the data", "keys", done, "of about", total)
		}
	}
}

// promise says in the first line what is kept.
func (d *dataFlags) promise() string {
	switch {
	case d.memory:
		return "in memory, nothing is kept"
	case d.sync == "none":
		return "data in " + d.dir + ", confirmed does not mean fsynced"
	}
	return "data in " + d.dir + ", confirmed means fsynced"
}
