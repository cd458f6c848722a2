package main

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// results is stdout for subcommands. A failure to write does not stop a command halfway:
// what it measures must be in its folder even if the reader has gone, as with
// `harelab run | head -1`. The first failure is reported at the end.
type results struct {
	to  io.Writer
	mu  sync.Mutex
	err error
}

// Write reports success even if p could not be written.
func (r *results) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		_, r.err = r.to.Write(p)
	}
	return len(p), nil
}

// failure returns the first error of writing. A reader that has gone is no failure: it
// has read what it wanted.
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
