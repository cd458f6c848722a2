package sweep

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// equal reports whether two figures are the same, apart from rounding.
func equal(a, b float64) bool { return a == b || math.Abs(a-b) <= 1e-9*math.Abs(b) }

// near is the largest relative distance from the best cell at which a cell is close
// behind it.
const near = 0.05

// Sentence names the best cells by the goal, and the worst. It names all cells that are
// equally good, grouped by the settings that they have in common.
func (s *Sweep) Sentence() string {
	ps := s.ranked()
	if len(ps) == 0 {
		return "No cell has " + s.Goal + "."
	}
	v, w := ps[0].mid(s.Goal), ps[len(ps)-1].mid(s.Goal)
	if len(ps) == 1 {
		return fmt.Sprintf("There is no choice: only %s was measured, where %s.", s.name([][]string{ps[0].values}, "and"), s.claim(v))
	}
	if equal(v, w) {
		return fmt.Sprintf("The settings make no difference to %s: it is %s in every cell.", s.Goal, s.format(v))
	}
	best := s.like(ps, v)
	are := "are equally good"
	if bs := s.boxes(best[:min(len(best), maxNamed)]); len(bs) == 1 && s.single(bs[0]) {
		are = "is best"
	}
	median := ""
	if n := s.repeats(); n > 1 {
		median = fmt.Sprintf(" (median of %d repeats)", n)
	}
	return fmt.Sprintf("%s %s: %s%s. Worst is %s: %s.",
		s.name(best, "and"), are, s.claim(v), median, s.name(s.like(ps, w), "or"), s.format(w))
}

// claim says in words that the goal has a value, as "99 % of quick wait 15 s at most".
func (s *Sweep) claim(v float64) string {
	value := s.format(v)
	q, err := metric.Parse(s.Goal)
	if err != nil {
		return s.Goal + " is " + value
	}
	of := "messages"
	if class := q.Only("class"); class != "" {
		of = class
	}
	percentile, ok := strings.CutPrefix(q.Stat, "p")
	words := goalWords(s.Goal)
	switch {
	case ok && q.Metric == "wait" && q.Stat != "p50" && (len(q.Labels) == 0 || len(q.Labels) == 1 && of == q.Only("class")):
		if v == 0 {
			return percentile + " % of " + of + " start at once"
		}
		return percentile + " % of " + of + " wait " + value + " at most"
	case words != "":
		return words + " is " + value
	}
	return s.Goal + " is " + value
}

// like returns the combinations in which the goal is v.
func (s *Sweep) like(ps []point, v float64) [][]string {
	var out [][]string
	for _, p := range ps {
		if equal(p.mid(s.Goal), v) {
			out = append(out, p.values)
		}
	}
	return out
}

// nearly names all cells that are close to the best, together with the best. It is empty
// if only the best cells are, or all.
func (s *Sweep) nearly() string {
	ps := s.ranked()
	if len(ps) == 0 {
		return ""
	}
	v := ps[0].mid(s.Goal)
	var close [][]string
	for _, p := range ps {
		if math.Abs(p.mid(s.Goal)-v) <= near*math.Abs(v) {
			close = append(close, p.values)
		}
	}
	if len(close) == len(s.like(ps, v)) || len(close) == len(ps) {
		return ""
	}
	return fmt.Sprintf("Within %.0f %% of the best: %s.", 100*near, s.name(close, "and"))
}

// idleAxes returns the axes along which the goal never changes.
func (s *Sweep) idleAxes() []string {
	var names []string
	for i, a := range s.Axes {
		if len(s.Axes) == 1 || len(a.Values) < 2 {
			continue
		}
		first, same := make(map[string]float64), true
		for _, p := range s.points() {
			v, k := p.mid(s.Goal), s.rest(p.values, i)
			if f, ok := first[k]; !ok {
				first[k] = v
			} else if !equal(v, f) {
				same = false
			}
		}
		if same {
			names = append(names, a.Name)
		}
	}
	return names
}

// A box is a part of the grid: for each axis, the indexes of its values in the box.
type box [][]int

// boxes covers cells of the grid with few boxes that have no other cell in them, the
// largest first. It stops at more boxes than can be named. Boxes may overlap:
// "order=fifo with any prefetch" and "prefetch=16 with any order" share a cell.
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
	b := make(box, len(cell))
	for i, v := range cell {
		b[i] = []int{slices.Index(s.Axes[i].Values, v)}
	}
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

// Bounds on names of cells.
const (
	maxBoxes = 3   // boxes with a name; cells in no named box are counted
	maxNamed = 300 // cells that are grouped into boxes, since that takes time with their square
)

// name names cells by the settings that they have in common, as "dispatch=fair with any
// prefetch".
func (s *Sweep) name(cells [][]string, and string) string {
	if len(cells) > maxNamed {
		return s.label(cells[0]) + " and " + strconv.Itoa(len(cells)-1) + " more"
	}
	bs := s.boxes(cells)
	var parts []string
	named := make(map[string]bool)
	for i, b := range bs {
		if i == maxBoxes-1 && len(bs) > maxBoxes {
			break
		}
		parts = append(parts, s.words(b, and))
		s.each(b, func(k string) bool { named[k] = true; return true })
	}
	if n := len(cells) - len(named); n > 0 {
		return strings.Join(parts, ", ") + " and " + strconv.Itoa(n) + " more"
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return strings.Join(parts[:len(parts)-1], ", ") + ", " + and + " " + parts[len(parts)-1]
}

// words names one box.
func (s *Sweep) words(b box, and string) string {
	var fixed, free []string
	for i, a := range s.Axes {
		if len(b[i]) == len(a.Values) && len(a.Values) > 1 {
			free = append(free, a.Name)
			continue
		}
		fixed = append(fixed, a.Name+"="+stat.List(a.runs(b[i]), and))
	}
	out := strings.Join(fixed, " ")
	if len(free) > 0 {
		out += " with any " + stat.List(free, "and")
	}
	return strings.TrimSpace(out)
}

// longRun is the least number of neighbours on an axis that are named by the first and
// the last.
const longRun = 5

// runs names the values with the given indexes, which are in order, as "1", "5 to 50".
func (a Axis) runs(at []int) []string {
	var out []string
	for i := 0; i < len(at); {
		end := i + 1
		for end < len(at) && at[end] == at[end-1]+1 {
			end++
		}
		if end-i >= longRun {
			out = append(out, a.Values[at[i]]+" to "+a.Values[at[end-1]])
			i = end
			continue
		}
		for ; i < end; i++ {
			out = append(out, a.Values[at[i]])
		}
	}
	return out
}

// single reports whether the box has, along each axis, either one value or all.
func (s *Sweep) single(b box) bool {
	for i, a := range s.Axes {
		if n := len(b[i]); n > 1 && n < len(a.Values) {
			return false
		}
	}
	return true
}
