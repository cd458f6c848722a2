package progress

import (
	"fmt"
	"io"
	"time"

	"harelab/bench/lab"
)

// A Sweep shows a sweep's progress.
type Sweep struct {
	w               io.Writer
	terminal, quiet bool
	now             func() time.Time
	next            time.Time // time of the next line or redraw
	drawn           bool      // the current line is a bar
}

// NewSweep returns a Sweep that shows progress on w: a bar if w is a terminal, else plain
// lines; nothing if quiet.
func NewSweep(w io.Writer, terminal, quiet bool) *Sweep {
	return &Sweep{w: w, terminal: terminal, quiet: quiet, now: time.Now}
}

// Plan announces the time that the arms of the cells will take, if it is long.
func (s *Sweep) Plan(left []lab.Arm, parallel int) {
	if text := announcement(left, parallel); text != "" && !s.quiet {
		fmt.Fprintln(s.w, text)
	}
}

// Show shows p unless it has just shown another state. It always shows the last one.
func (s *Sweep) Show(p lab.SweepProgress) {
	last := p.Done == p.Total
	now := s.now()
	if s.quiet || !last && now.Before(s.next) {
		return
	}
	line := fmt.Sprintf("%d of %d cells", p.Done, p.Total)
	if p.Left >= 0 && !last {
		line += "  " + roughly(p.Left) + " left"
	}
	line += "  " + p.Label
	if p.Under != nil {
		line += ": " + brief(*p.Under)
	}
	if !s.terminal {
		s.next = now.Add(lineEvery)
		fmt.Fprintln(s.w, line)
		return
	}
	s.next = now.Add(redrawEvery)
	fmt.Fprint(s.w, eraseLine, noWrap, "  ", barOf(float64(p.Done)/float64(p.Total)), " ", line, wrap)
	s.drawn = true
}

// End erases the bar.
func (s *Sweep) End() {
	if s.drawn {
		fmt.Fprint(s.w, eraseLine)
		s.drawn = false
	}
}
