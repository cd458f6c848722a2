package sweep

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"harelab/reports/stat"
)

// A box is a part of the grid: for each axis, the indexes of its values in the box.
type box [][]int

// Bounds on names of cells.
const (
	maxBoxes = 3   // boxes with a name; cells in no named box are counted
	maxNamed = 300 // cells that are grouped into boxes, since that takes time with their square
)

// with names cells by the settings that they have in common, to stand after "with":
// "fifo", "2 or 3 workers and a prefetch of 1", "fifo or with a prefetch of 16 or more".
// The name covers no other cell.
func (s *Sweep) with(cells [][]string) string {
	if len(cells) > maxNamed {
		return s.settings(s.boxOf(cells[0])) + " or in " + others(len(cells)-1)
	}
	bs := s.boxes(cells)
	var parts []string
	named := make(map[string]bool)
	for i, b := range bs {
		if i == maxBoxes-1 && len(bs) > maxBoxes {
			break
		}
		parts = append(parts, s.settings(b))
		s.each(b, func(k string) bool { named[k] = true; return true })
	}
	out := parts[0]
	for _, p := range parts[1:] {
		out += ", or with " + p
	}
	if n := len(cells) - len(named); n > 0 {
		out += ", or in " + others(n)
	}
	return out
}

func others(n int) string {
	if n == 1 {
		return "1 other cell"
	}
	return stat.Count(n) + " other cells"
}

// boxOf returns the box of one cell.
func (s *Sweep) boxOf(values []string) box {
	b := make(box, len(values))
	for i, v := range values {
		b[i] = []int{slices.Index(s.Axes[i].Values, v)}
	}
	return b
}

// settings names one box. Axes of which it has all values are left out: they do not
// matter.
func (s *Sweep) settings(b box) string {
	var parts []string
	for i, a := range s.Axes {
		if len(b[i]) < len(a.Values) || len(a.Values) == 1 && len(s.Axes) == 1 {
			parts = append(parts, s.setting(i, b[i]))
		}
	}
	if len(parts) == 0 {
		return "any setting"
	}
	return stat.List(parts, "and")
}

// setting names values of an axis, which are given by their indexes. Numbers are in
// ascending order, whatever the order of the axis.
func (s *Sweep) setting(axis int, at []int) string {
	a := s.Axes[axis]
	values := make([]string, len(at))
	for i, k := range at {
		values[i] = a.Values[k]
	}
	if !numeric(a.Values) {
		text := stat.List(values, "or")
		if slices.ContainsFunc(values, s.ambiguous) {
			return a.Name + "=" + text
		}
		return text
	}
	sorted := a.sorted()
	places := make([]int, len(values)) // in sorted
	for i, v := range values {
		places[i] = slices.Index(sorted, v)
	}
	slices.Sort(places)
	text := a.amount(sorted, places)
	switch {
	case a.counts(values):
		name := a.Name
		if text == "1" {
			name = strings.TrimSuffix(name, "s")
		}
		if amount, more, ok := strings.Cut(text, " or more"); ok {
			return amount + " or more " + name + more
		}
		return text + " " + name
	case text == noLimit:
		return "no " + a.Name + " limit"
	}
	article := "a "
	if strings.IndexAny(a.Name[:min(1, len(a.Name))], "aeiouAEIOU") == 0 {
		article = "an "
	}
	return article + a.Name + " of " + text
}

// sorted returns the values of an axis of numbers in ascending order.
func (a Axis) sorted() []string {
	return slices.SortedFunc(slices.Values(a.Values), func(x, y string) int { return cmp.Compare(a.size(x), a.size(y)) })
}

// noLimit is the name of a prefetch of 0.
const noLimit = "no limit"

// amount names numbers by their places among the sorted values of the axis: "2 or 3", "16
// or more", "5 to 50".
func (a Axis) amount(sorted []string, places []int) string {
	name := func(p int) string {
		if a.unlimited(sorted[p]) {
			return noLimit
		}
		return sorted[p]
	}
	n := len(places)
	least := 2 // values for "or more"
	if a.counts(sorted) {
		least = 4
	}
	if top := places[n-1] == len(sorted)-1 && places[n-1]-places[0] == n-1; top && n >= least && n < len(sorted) {
		return name(places[0]) + " or more"
	}
	var parts []string
	for i := 0; i < n; {
		end := i + 1
		for end < n && places[end] == places[end-1]+1 {
			end++
		}
		if end-i >= longRun {
			parts = append(parts, name(places[i])+" to "+name(places[end-1]))
			i = end
			continue
		}
		for ; i < end; i++ {
			parts = append(parts, name(places[i]))
		}
	}
	return stat.List(parts, "or")
}

// longRun is the least number of neighbours on an axis that are named by the first and
// the last.
const longRun = 5

// unlimited reports whether a value of the axis means no limit.
func (a Axis) unlimited(v string) bool { return v == "0" && strings.Contains(a.Name, "prefetch") }

// size is the number that a value begins with, so that values can be put in order. No
// limit is the largest.
func (a Axis) size(v string) float64 {
	if a.unlimited(v) || !number(v) {
		return math.Inf(1)
	}
	end := 0
	for end < len(v) && strings.IndexByte("0123456789.eE", v[end]) >= 0 {
		end++
	}
	for end > 0 {
		if f, err := strconv.ParseFloat(v[:end], 64); err == nil {
			return f * scale(v[end:])
		}
		end--
	}
	return math.Inf(1)
}

// scale is the size of a unit beside others of its kind.
func scale(unit string) float64 {
	for _, u := range []struct {
		name string
		of   float64
	}{{"us", 1e-6}, {"µs", 1e-6}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}} {
		if unit == u.name {
			return u.of
		}
	}
	return 1
}

// counts reports whether the values are numbers of things that the axis names, as 3
// workers.
func (a Axis) counts(values []string) bool {
	plural := strings.HasSuffix(a.Name, "s") && !strings.HasSuffix(a.Name, "ss") && len(a.Name) > 3
	return plural && !slices.ContainsFunc(values, func(v string) bool { _, err := strconv.Atoi(v); return err != nil })
}

// ambiguous reports whether a value does not say by itself what it is: it is yes or no, or
// a value of two axes.
func (s *Sweep) ambiguous(v string) bool {
	if v == "" || number(v) || slices.Contains([]string{"true", "false", "on", "off", "yes", "no", "none"}, v) {
		return true
	}
	n := 0
	for _, a := range s.Axes {
		if slices.Contains(a.Values, v) {
			n++
		}
	}
	return n > 1
}

// boxes covers cells of the grid with few boxes that have no other cell in them, the
// largest first. It stops at more boxes than can be named. Boxes may overlap: fifo with
// any prefetch and a prefetch of 16 with any order share a cell.
func (s *Sweep) boxes(cells [][]string) []box {
	in := make(map[string]bool, len(cells))
	for _, c := range cells {
		in[strings.Join(c, "\x00")] = true
	}
	covered := make(map[string]bool)
	var out []box
	for len(covered) < len(in) && len(out) <= maxBoxes {
		var best box
		gain := 0
		for _, c := range cells {
			if covered[strings.Join(c, "\x00")] {
				continue
			}
			b := s.grow(c, in)
			if n := s.each(b, func(k string) bool { return !covered[k] }); n > gain {
				best, gain = b, n
			}
		}
		s.each(best, func(k string) bool { covered[k] = true; return true })
		out = append(out, best)
	}
	return out
}

// grow returns a box around a cell that has only cells of in and cannot be widened.
func (s *Sweep) grow(cell []string, in map[string]bool) box {
	b := s.boxOf(cell)
	for i := range s.Axes {
		for v := range s.Axes[i].Values {
			if slices.Contains(b[i], v) {
				continue
			}
			slab := slices.Clone(b)
			slab[i] = []int{v}
			if s.each(slab, func(k string) bool { return !in[k] }) == 0 {
				b[i] = slices.Sorted(slices.Values(append(slices.Clone(b[i]), v)))
			}
		}
	}
	return b
}

// each counts the cells of a box for which keep returns true.
func (s *Sweep) each(b box, keep func(key string) bool) int {
	n := 0
	values := make([]string, len(b))
	var walk func(axis int)
	walk = func(axis int) {
		if axis == len(b) {
			if keep(strings.Join(values, "\x00")) {
				n++
			}
			return
		}
		for _, v := range b[axis] {
			values[axis] = s.Axes[axis].Values[v]
			walk(axis + 1)
		}
	}
	walk(0)
	return n
}
