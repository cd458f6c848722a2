package lab

import (
	"fmt"
	"io"
	"strings"
	"time"

	"harelab/loadgen"
	"harelab/loadgen/run"
)

// How often progress is shown: a terminal is redrawn, a pipe gets a line.
const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 5 * time.Second
)

// NewWatcher returns a Watcher that shows progress on w: a bar that is redrawn
// when terminal is true, plain lines otherwise, nothing when quiet.
func NewWatcher(w io.Writer, terminal, quiet bool) Watcher {
	return &watcher{w: w, terminal: terminal, quiet: quiet, now: time.Now}
}

type watcher struct {
	w        io.Writer
	terminal bool
	quiet    bool
	now      func() time.Time

	label string
	next  time.Time // when to show the next state
	drawn bool      // a bar stands on the current line
}

func (w *watcher) Begin(a Arm, i, n int) {
	w.label = fmt.Sprintf("[%d/%d] %s on %s", i+1, n, a.Name(), a.Target)
	if a.Repeat > 0 {
		w.label += fmt.Sprintf(", repeat %d", a.Repeat+1)
	}
	w.next = w.now().Add(lineEvery)
	if w.terminal {
		w.next = w.now().Add(redrawEvery)
	}
	if a.Target.Kind != Sim {
		w.print(w.label + "\n")
	}
}

func (w *watcher) Progress(p loadgen.Progress) {
	now := w.now()
	if w.quiet || now.Before(w.next) {
		return
	}
	if w.terminal {
		w.next = now.Add(redrawEvery)
		w.print("\r\x1b[K  " + bar(p) + " " + state(p))
		w.drawn = true
		return
	}
	w.next = now.Add(lineEvery)
	w.print("  " + state(p) + "\n")
}

func (w *watcher) End(a Arm, r *run.Result) {
	if w.drawn {
		w.print("\r\x1b[K")
		w.drawn = false
	}
	if a.Target.Kind == Sim {
		return
	}
	how := "done"
	if r.Partial {
		how = "cut short"
	}
	w.print(fmt.Sprintf("  %s after %s: %d published, %d delivered, %d lost\n", how,
		seconds(time.Duration(r.Length)*time.Microsecond), r.Ledger.Published, r.Ledger.Delivered, r.Ledger.Lost))
}

func (w *watcher) print(s string) {
	if !w.quiet {
		io.WriteString(w.w, s)
	}
}

// state is one line about a run under way.
func state(p loadgen.Progress) string {
	published := fmt.Sprint(p.Published)
	if p.Planned >= 0 {
		published += fmt.Sprintf("/%d", p.Planned)
	}
	s := fmt.Sprintf("%s  published %s  delivered %d  done %d  depth %d  %.0f/s",
		seconds(p.Elapsed), published, p.Delivered, p.Done, p.Depth, p.Rate)
	if p.Left >= 0 {
		s += "  " + seconds(p.Left) + " left"
	}
	return s
}

// bar draws how much of the run is over, by time where that can be told, else
// by messages.
func bar(p loadgen.Progress) string {
	const width = 24
	share := 0.0
	switch {
	case p.Left >= 0 && p.Elapsed+p.Left > 0:
		share = float64(p.Elapsed) / float64(p.Elapsed+p.Left)
	case p.Planned > 0:
		share = float64(p.Done) / float64(p.Planned)
	}
	full := min(width, int(share*width))
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", width-full) + "]"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
