package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/term"

	"harelab/reports/terminal"
)

// results is stdout for subcommands. A failure to write does not stop a command halfway:
// what it measures must be in its folder even if the reader has gone, as with
// `harelab run | head -1`. The first failure is reported at the end.
type results struct {
	to    io.Writer
	style terminal.Style
	mu    sync.Mutex
	err   error
}

// Style returns the style of what is written; see [terminal.Styler].
func (r *results) Style() terminal.Style { return r.style }

// styleOf returns the style of text for f: as wide as COLUMNS says, or the terminal, and in
// colour on a terminal only, unless NO_COLOR (no-color.org), CLICOLOR=0 or TERM=dumb
// forbid it.
func styleOf(f *os.File) terminal.Style {
	var s terminal.Style
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		s.Columns = n
	} else if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
		s.Columns = n
	}
	s.Color = interactive(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("CLICOLOR") != "0"
	return s
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
