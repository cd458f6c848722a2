package sweep

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// manyValues is the largest number of values of an axis that the text lists.
const manyValues = 20

// text says what was swept, and adds details to the sentence above it.
func (s *Sweep) text() string {
	var axes []string
	for _, a := range s.Axes {
		values := strings.Join(a.Values, ", ")
		if n := len(a.Values); n > manyValues {
			values = fmt.Sprintf("%d values, %s to %s", n, a.Values[0], a.Values[n-1])
		}
		axes = append(axes, fmt.Sprintf("%s (%s)", a.Name, values))
	}
	goal := s.Goal
	if words := goalWords(s.Goal); words != "" {
		goal += ", " + words
	}
	parts := []string{
		s.nearly(), s.price(),
		fmt.Sprintf("%s on %s over %s: %d cells, judged by %s.", s.Scenario, s.Target, stat.List(axes, "and"), len(s.points()), goal),
		s.sameLoad(),
	}
	if idle := s.idleAxes(); len(idle) == 1 {
		parts = append(parts, fmt.Sprintf("%s does not change %s in any cell.", stat.Upper(idle[0]), s.Goal))
	}
	for _, a := range s.Axes {
		if a.Name == "prefetch" && slices.Contains(a.Values, "0") {
			parts = append(parts, "A prefetch of 0 means no limit.")
		}
	}
	if s.Title != "" {
		parts = append([]string{s.Title + "."}, parts...)
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}

// clearRatio is the least ratio between figures of two cells that the text mentions.
const clearRatio = 1.2

// price says which other classes wait longer in the best cell than in the cell that is
// best for them.
func (s *Sweep) price() string {
	q, err := metric.Parse(s.Goal)
	ps := s.ranked()
	if err != nil || len(q.Labels) == 0 || s.highIsGood() || len(ps) == 0 {
		return ""
	}
	var parts []string
	for _, m := range s.siblings() {
		of := *s
		of.Goal = m
		least := of.ranked()
		if v := ps[0].mid(m); len(least) > 0 && v > clearRatio*least[0].mid(m) {
			parts = append(parts, fmt.Sprintf("%s is %s in the best cell, but %s in %s", m, of.format(v), of.format(least[0].mid(m)), of.name(of.like(least, least[0].mid(m)), "or")))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "The price: " + strings.Join(parts, "; ") + "."
}

// sameLoad says which cells have the same load. It is empty if that is not known.
func (s *Sweep) sameLoad() string {
	if axes := s.loadAxes(); len(axes) > 0 {
		return fmt.Sprintf("%s; cells with the same %s have the same arrivals and service times.", changesLoad(axes), stat.List(axes, "and"))
	}
	if slices.ContainsFunc(s.Cells, func(c Cell) bool { return c.Load == "" }) {
		return ""
	}
	return "All cells have the same arrivals and service times, so they differ only in these settings."
}

func changesLoad(axes []string) string {
	change := " changes"
	if len(axes) > 1 {
		change = " change"
	}
	return stat.Upper(stat.List(axes, "and")) + change + " the load"
}

// loadAxes returns the axes along which the load changes.
func (s *Sweep) loadAxes() []string {
	var names []string
	for i, a := range s.Axes {
		loads := make(map[string]string)
		for _, c := range s.Cells {
			k := strconv.Itoa(c.Repeat) + " " + s.rest(c.Values, i)
			if l, ok := loads[k]; ok && c.Load != "" && l != c.Load {
				names = append(names, a.Name)
				break
			}
			if c.Load != "" {
				loads[k] = c.Load
			}
		}
	}
	return names
}

// goalWords says a metric in words, as "the 99th percentile of the wait". It is empty if
// there are no words for the metric.
func goalWords(name string) string {
	q, err := metric.Parse(name)
	if err != nil {
		return ""
	}
	what, ok := map[string]string{
		"wait": "wait", "queued": "time in the queue", "held": "time held by a worker before the start", "sojourn": "time from the intended instant to the end of the work",
		"slowdown": "slowdown", "confirm": "time to the confirm", "service": "service time",
	}[q.Metric]
	if !ok {
		return ""
	}
	of, ok := map[string]string{
		"mean": "the mean ", "p50": "the median ", "max": "the longest ", "p90": "the 90th percentile of the ", "p95": "the 95th percentile of the ", "p99": "the 99th percentile of the ",
	}[q.Stat]
	if !ok {
		return ""
	}
	for _, l := range q.Labels {
		if l.Key != "class" || l.Not {
			return ""
		}
		what += " of " + l.Value
	}
	return of + what
}
