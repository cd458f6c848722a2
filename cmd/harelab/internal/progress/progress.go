// Package progress shows the progress of the lab's experiments: a bar on a terminal,
// lines in a pipe.
package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"harelab/bench/lab"
	"harelab/loadgen"
	"harelab/loadgen/run"
)

// The intervals at which a bar on a terminal is redrawn and a pipe gets a line.
const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 5 * time.Second
)

// Control sequences of a terminal. A bar is cut off at the edge of a narrow terminal,
// since a wrapped bar could not be redrawn in place.
const (
	eraseLine = "\r\x1b[K"
	noWrap    = "\x1b[?7l"
	wrap      = "\x1b[?7h"
)

// New returns a lab.Watcher that shows progress on w: a bar if w is a terminal, else
// plain lines; nothing if quiet.
func New(w io.Writer, terminal, quiet bool) lab.Watcher {
	return &watcher{w: w, terminal: terminal, quiet: quiet, now: time.Now}
}

type watcher struct {
	w        io.Writer
	terminal bool
	quiet    bool
	now      func() time.Time

	arms  []*armState // running arms, in the order in which they began
	next  time.Time   // time of the next redraw of a bar
	drawn bool        // the current line is a bar
}

// An armState is a running arm.
type armState struct {
	place int              // index among the arms that were asked for
	label string           // for example "[2/4]"
	last  loadgen.Progress // the latest
	next  time.Time        // time of its next line
}

func (w *watcher) Plan(asked []lab.Arm, parallel int) {
	if text := announcement(asked, parallel); text != "" {
		w.line(text)
	}
}

func (w *watcher) Begin(i, n int, a lab.Arm) {
	s := &armState{place: i, label: fmt.Sprintf("[%d/%d]", i+1, n), next: w.now().Add(lineEvery),
		last: loadgen.Progress{Planned: -1, Left: -1}} // not known yet
	w.arms = append(w.arms, s)
	if a.Target.Kind == lab.Sim {
		return
	}
	repeat := ""
	if a.Repeat > 0 {
		repeat = fmt.Sprintf(", repeat %d", a.Repeat+1)
	}
	w.line(fmt.Sprintf("%s %s on %s%s, %s or more", s.label, a.Name(), a.Target, repeat, roughly(a.AtLeast())))
	for _, o := range a.Overloads() { // before the time is spent on it
		w.line("  note: " + o)
	}
}

func (w *watcher) arm(i int) *armState {
	return w.arms[slices.IndexFunc(w.arms, func(s *armState) bool { return s.place == i })]
}

func (w *watcher) Progress(i int, p loadgen.Progress) {
	s := w.arm(i)
	s.last = p
	now := w.now()
	switch {
	case w.terminal && !now.Before(w.next):
		w.next = now.Add(redrawEvery)
		w.redraw()
	case !w.terminal && !now.Before(s.next):
		s.next = now.Add(lineEvery)
		w.line("  " + s.label + " " + state(p))
	}
}

// redraw shows one arm with a bar, or several arms in brief.
func (w *watcher) redraw() {
	text := ""
	for _, s := range w.arms {
		if len(w.arms) == 1 {
			text = "  " + bar(s.last) + " " + state(s.last)
			break
		}
		text += "  " + s.label + " " + brief(s.last)
	}
	w.print(eraseLine + noWrap + text + wrap)
	w.drawn = true
}

func (w *watcher) End(i int, a lab.Arm, r *run.Result) {
	s := w.arm(i)
	w.arms = slices.DeleteFunc(w.arms, func(o *armState) bool { return o == s })
	if a.Target.Kind == lab.Sim {
		return
	}
	how := "done"
	if r.Partial {
		how = "cut short"
	}
	w.line(fmt.Sprintf("  %s %s after %s: %d published, %d delivered, %d lost", s.label, how,
		seconds(time.Duration(r.Length)*time.Microsecond), r.Ledger.Published, r.Ledger.Delivered, r.Ledger.Lost))
}

// line writes a line. It replaces a bar on the current line.
func (w *watcher) line(text string) {
	if w.drawn {
		w.print(eraseLine)
		w.drawn = false
	}
	w.print(text + "\n")
}

func (w *watcher) print(s string) {
	if !w.quiet {
		io.WriteString(w.w, s)
	}
}

// state describes a running arm in one line. A narrow terminal cuts the line off, so the
// time left comes early.
func state(p loadgen.Progress) string {
	published := fmt.Sprint(p.Published)
	if p.Planned >= 0 {
		published += fmt.Sprintf("/%d", p.Planned)
	}
	left := ""
	if p.Left >= 0 {
		left = "  " + seconds(p.Left) + " left"
	}
	return fmt.Sprintf("%s%s  published %s  delivered %d  done %d  depth %d  %.0f/s",
		seconds(p.Elapsed), left, published, p.Delivered, p.Done, p.Depth, p.Rate)
}

// brief describes a running arm in a line that several arms share.
func brief(p loadgen.Progress) string {
	s := fmt.Sprintf("%s  done %d", seconds(p.Elapsed), p.Done)
	if p.Planned >= 0 {
		s += fmt.Sprintf("/%d", p.Planned)
	}
	if p.Left >= 0 {
		s += "  " + seconds(p.Left) + " left"
	}
	return s
}

// bar draws the finished share of a run: of its time if that is known, else of its
// messages.
func bar(p loadgen.Progress) string {
	share := 0.0
	switch {
	case p.Left >= 0 && p.Elapsed+p.Left > 0:
		share = float64(p.Elapsed) / float64(p.Elapsed+p.Left)
	case p.Planned > 0:
		share = float64(p.Done) / float64(p.Planned)
	}
	return barOf(share)
}

func barOf(share float64) string {
	const width = 24
	full := max(0, min(width, int(share*width)))
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", width-full) + "]"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// OverBar returns a writer of lines to a terminal. Each Write takes the place of a bar
// that stands on the current line; the next redraw puts the bar below.
func OverBar(terminal io.Writer) io.Writer { return overBar{terminal} }

type overBar struct{ w io.Writer }

func (o overBar) Write(p []byte) (int, error) {
	if _, err := o.w.Write(append([]byte(eraseLine), p...)); err != nil {
		return 0, err
	}
	return len(p), nil
}
