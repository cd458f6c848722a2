package sweep

import (
	"fmt"
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/plot"
	"harelab/reports/stat"
)

// maxSpans is the largest number of spans of work of a run that lanes show whole. Of
// longer runs they show a section.
const maxSpans = 400

// lanes draws the best and the worst cell at work. Of long runs it draws the time around
// the longest wait of the worst cell, the same time in both.
func (s *Sweep) lanes() func(width float64) *plot.Figure {
	runs, note := s.extremesInView()
	in := arms.NewSet(runs)
	if class := s.goal().Only("class"); class != "" {
		in.Focus = class // the runs' own question may be another
	}
	i := slices.IndexFunc(plot.Charts(), func(c plot.Chart) bool { return c.Name == "lanes" })
	return func(width float64) *plot.Figure {
		if len(runs) == 0 {
			return nil
		}
		f := plot.Charts()[i].Draw(in, width)
		if f != nil && note != "" {
			f.Note = note + " " + f.Note
		}
		if idle := s.idleFinding(); f != nil && idle != "" {
			f.Alt = idle
		}
		return f
	}
}

// extremesInView returns the runs of the best and the worst cell. Of long runs it
// returns the section around the longest wait of the class that the goal is about, with a note that says which.
func (s *Sweep) extremesInView() (runs []*arms.Run, note string) {
	if !slices.ContainsFunc(s.Extremes, func(r *arms.Run) bool { return len(r.Result.Spans) > maxSpans }) {
		return s.Extremes, ""
	}
	worst := s.Extremes[len(s.Extremes)-1].Result
	class := s.goal().Only("class")
	w, of := aroundLongestWait(worst, class), " of "+class
	if w.to <= w.from || class == "" {
		w, of = aroundLongestWait(worst, ""), ""
	}
	note = fmt.Sprintf("The time around the longest wait%s in the worst cell.", of)
	if w.from > 0 {
		note = fmt.Sprintf("The time around the longest wait%s in the worst cell; 0 is %s into the run.", of, stat.Brief(float64(w.from)/1e6))
	}
	for _, r := range s.Extremes {
		runs = append(runs, arms.Summarize(w.of(r.Result))...)
	}
	return runs, note
}

// idleFinding says for how long a slot of the best and of the worst cell was idle while
// a message waited for it. It is empty if the two hardly differ.
func (s *Sweep) idleFinding() string {
	ps := s.ranked()
	if len(ps) == 0 {
		return ""
	}
	best, worst := ps[0], ps[len(ps)-1]
	a, b := best.mid("idle_while_waiting"), worst.mid("idle_while_waiting")
	if math.IsNaN(a+b) || max(a, b) <= clearRatio*min(a, b) {
		return ""
	}
	return fmt.Sprintf("Time of the whole run in which a slot was free while a message waited that it could serve: %s %s, %s %s.",
		s.label(best.values), stat.Brief(a), s.label(worst.values), stat.Brief(b))
}

// A section is a part of a run, in microseconds.
type section struct{ from, to int64 }

// aroundLongestWait returns the time from the arrival to the start of the message of a
// class that waited longest, and a quarter of its wait before and after. It is about all
// messages if class is empty, and without a length if none of the class waited.
func aroundLongestWait(r *run.Result, class string) section {
	w, longest := section{0, r.Length}, int64(-1)
	for i := range r.Messages {
		m := &r.Messages[i]
		if class != "" && r.Classes[m.Class] != class {
			continue
		}
		if m.State == run.Done && m.Started-m.Intended > longest {
			longest = m.Started - m.Intended
			w = section{max(m.Intended-longest/4, 0), m.Started + longest/4}
		}
	}
	return w
}

// of returns the part of r in the section, with times that begin at 0.
func (w section) of(r *run.Result) *run.Result {
	out := *r
	out.Length, out.Warmup = w.to-w.from, 0
	out.Messages, out.Spans, out.Series = nil, nil, nil
	for _, m := range r.Messages {
		if m.Intended >= w.to || m.State == run.Done && m.Done <= w.from {
			continue
		}
		for _, at := range []*int64{&m.Intended, &m.Sent, &m.Confirmed, &m.Enqueued, &m.Dispatched, &m.Received, &m.Started, &m.Done, &m.Acked} {
			if *at != run.None {
				*at = min(max(*at, w.from), w.to) - w.from
			}
		}
		out.Messages = append(out.Messages, m)
	}
	for _, s := range r.Spans {
		if s.Start < w.to && s.End > w.from {
			s.Start, s.End = max(s.Start, w.from)-w.from, min(s.End, w.to)-w.from
			out.Spans = append(out.Spans, s)
		}
	}
	return &out
}
