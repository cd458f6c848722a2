package plot

import (
	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/judge"
)

// classColours returns the colour of each class. The first colour is for the class
// that stands out, or for the only class.
func classColours(in *arms.Set) map[string]Paint {
	classes, special := in.Classes(), emphasis(in)
	out := make(map[string]Paint)
	next := 1
	for _, name := range classes {
		if name == special || len(classes) == 1 {
			out[name] = classPaints[0]
			continue
		}
		out[name] = classPaints[min(next, len(classPaints)-1)]
		next++
	}
	return out
}

// emphasis returns the class that stands out: the focus of the report, or else the
// class by which its runs are judged, or else the one that waits longest for the work
// that it asks for. It is empty if no class waits longer than its work takes.
func emphasis(in *arms.Set) string {
	if in.Focus != "" {
		return in.Focus
	}
	summaries := arms.Summaries(in.Runs)
	if class := judge.Class(judge.Goals(summaries), summaries); class != "" {
		return class
	}
	worst, most := "", 1.0
	for _, s := range summaries {
		for _, c := range s.Classes {
			if c.Wait == nil || c.Service == nil || c.Service.Mean <= 0 {
				continue
			}
			if slowdown := c.Wait.P99 / c.Service.Mean; slowdown > most {
				worst, most = c.Name, slowdown
			}
		}
	}
	return worst
}

// classIndex returns the number of a class in a result, -1 if it has none of
// that name.
func classIndex(r *run.Result, name string) int32 {
	for i, c := range r.Classes {
		if c == name {
			return int32(i)
		}
	}
	return -1
}

// length returns the run time in seconds at which the last work of the runs ended,
// or that of the last event if there was no work. It is above 0.
func length(in *arms.Set) float64 {
	var work, event int64
	for _, r := range in.Runs {
		for i := range r.Result.Messages {
			m := &r.Result.Messages[i]
			work = max(work, m.Done)
			event = max(event, m.Intended, m.Sent, m.Enqueued, m.Received, m.Started)
		}
		for _, s := range r.Result.Spans {
			work = max(work, s.End)
		}
		event = max(event, r.Result.Length)
	}
	switch {
	case work > 0:
		return seconds(work)
	case event > 0:
		return seconds(event)
	}
	return 1
}
