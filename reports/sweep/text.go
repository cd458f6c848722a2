package sweep

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"harelab/reports/judge"
	"harelab/reports/stat"
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
	parts := []string{
		s.expected(), s.hidden(), s.nearly(), s.price(),
		fmt.Sprintf("%s on %s over %s: %d cells, judged by %s, %s.", s.Scenario, s.Target, stat.List(axes, "and"), len(s.points()), s.Goal, s.goal().Label()),
		s.sameLoad(),
	}
	for _, a := range s.Axes {
		if slices.ContainsFunc(a.Values, a.unlimited) {
			parts = append(parts, fmt.Sprintf("A %s of 0 means no limit.", a.Name))
		}
	}
	if s.Title != "" {
		parts = append([]string{s.Title + "."}, parts...)
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}

// clearRatio is the least ratio between figures of two cells that the text mentions.
const clearRatio = 1.2

// price says which other classes are clearly worse in the best cell than in the cell that
// is best for them.
func (s *Sweep) price() string {
	ps := s.ranked()
	if len(s.goal().Labels) == 0 || len(ps) == 0 {
		return ""
	}
	var parts []string
	for _, m := range s.siblings() {
		of := *s
		of.Goal = m
		g, best := s.goalOf(m), of.ranked()
		if len(best) == 0 {
			continue
		}
		v, least := ps[0].mid(m), best[0].mid(m)
		if !math.IsNaN(v) && judge.Clear(g.Query, v, least) {
			parts = append(parts, fmt.Sprintf("%s with %s", g.Change(least, v), s.with(of.like(best, least))))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("The price of the best cell, with %s: %s.", s.with([][]string{ps[0].values}), strings.Join(parts, "; "))
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
