package stat

import (
	"fmt"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// Codes of the findings that the load generators add to a run that left messages which
// it should have done; see loadgen.CheckLeft.
const (
	timedOut   = "timeout" // at its timeout
	leftBehind = "left"    // although nothing more would have become of them
)

func (s *Summary) found(code string) bool {
	return slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Code == code })
}

// Incomplete returns the finding that a run which should have done all its messages did
// not, or an empty string. A scenario whose expectation about messages that are left is
// met means to leave them.
func (s *Summary) Incomplete() string {
	for _, v := range s.Verdicts {
		q, _, err := metric.Cut(v.Text)
		if err == nil && v.Outcome == Met && (q.Metric == "left" || q.Metric == "unserved") && v.Want > 0 {
			return ""
		}
	}
	for _, f := range s.Findings {
		if f.Code == timedOut || f.Code == leftBehind {
			return f.Text
		}
	}
	return ""
}

// settledAtOnce are the metrics of what is known of a message before its work.
var settledAtOnce = []string{
	"published", "confirmed", "confirm", "refused", "returned", "unroutable", "schedule_lag", "left", "unserved", "ready", "unacked",
}

// unfinished says why an expectation that the figures of a run meet is not met after
// all: messages that it is about were left, and could still have changed the figure. It
// is empty if none could.
func unfinished(ds *dataset, s *Summary, e run.Expectation) string {
	m := e.Of.Def()
	left, late := s.found(leftBehind), s.found(timedOut)
	switch {
	case !left && !late || slices.Contains(settledAtOnce, m.Name):
		return ""
	case left && m.Kind == metric.Count: // nothing more would have become of them
		return ""
	case (e.Op == ">" || e.Op == ">=") && (m.Kind == metric.Count || m.Kind == metric.Span || e.Of.Stat == "max"):
		return "" // it can only have grown
	}
	rest := published(e.Of)
	n, all := 0, 0
	for _, row := range ds.ask(rest).every() {
		all++
		n += btoi(row.State == run.Left)
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s messages that it is about were not done", Count(n), Count(all))
}

// published returns the query for the messages that a query is about, before any
// of them reached a queue or worker.
func published(q metric.Query) metric.Query {
	out := metric.Query{}
	for _, l := range q.Selecting() {
		if l.Key == "class" || l.Key == "tenant" {
			out.Labels = append(out.Labels, l)
		}
	}
	return out
}

// nothing reports whether a count has nothing to count: no message of its classes and
// tenants was published.
func nothing(ds *dataset, q metric.Query) bool {
	return q.Def().Kind == metric.Count && q.Metric != "published" && len(ds.ask(published(q)).every()) == 0
}
