package main

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// results is stdout for subcommands. A failure to write there does not stop a
// command halfway: what it measures must be in its folder though nobody reads
// on, as with `harelab run | head -1`. The first failure is kept for the end.
type results struct {
	to  io.Writer
	mu  sync.Mutex
	err error
}

// Write reports success whatever becomes of p.
func (r *results) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		_, r.err = r.to.Write(p)
	}
	return len(p), nil
}

// failure is what kept results from being read. A reader that has gone has seen
// what it wanted.
func (r *results) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(r.err, syscall.EPIPE) {
		return nil
	}
	return r.err
}

// interactive reports whether f is a terminal whose lines can be redrawn.
func interactive(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}
