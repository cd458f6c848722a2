package matchlab

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"harelab/bench/workload"
	"harelab/engine/topic"
	"harelab/reports/plot"
	"harelab/reports/stat"
)

// worthwhile is the ratio of times below which another strategy is worth choosing.
const worthwhile = 0.8

// Advice returns sentences that say which strategy to choose when. The first one is the
// general choice. All follow from the figures.
func (r *Results) Advice() []string {
	advice := []string{r.choice()}
	for _, c := range r.Contenders() {
		advice = append(advice, r.betterOn(c)...)
	}
	for _, s := range topic.Strategies() {
		if s.Combinatorial && slices.Contains(r.Contenders(), s.Name) {
			advice = append(advice, fmt.Sprintf("Do not use %s if strangers choose binding keys: its work multiplies with every '#'.", s.Name))
		}
	}
	return advice
}

// choice names the strategy to choose in general: the base or, if the default was not
// measured, the strategy that is best on most workloads.
func (r *Results) choice() string {
	n := len(r.Workloads())
	choose, best, within := r.base(), 0, 0
	for _, c := range r.Contenders() {
		b, w := r.standing(c)
		if c == choose || choose != topic.Default && b > best {
			choose, best, within = c, b, w
		}
	}
	advice := fmt.Sprintf("Choose %s: %s", choose, standingWords(best, within, n))
	if choose == topic.Default {
		return advice + ", and no binding key makes it slow."
	}
	return advice + fmt.Sprintf(" (%s was not measured).", topic.Default)
}

// standingWords says on how many of n workloads no other is faster, and, unless that is
// all of them, on how many a contender takes at most twice the fastest time.
func standingWords(best, within, n int) string {
	const fastest, twice = "no other is faster", "it takes at most twice the fastest time"
	switch {
	case n == 1 && best == 1:
		return fastest
	case n == 1 && within == 1:
		return twice
	case within == 0:
		return "it takes more than twice the fastest time"
	case best == n:
		return fmt.Sprintf("on all %d workloads %s", n, fastest)
	case best == 0:
		return fmt.Sprintf("on %d of %d workloads %s", within, n, twice)
	case within == n:
		return fmt.Sprintf("on %d of %d workloads %s, on all %s", best, n, fastest, twice)
	}
	return fmt.Sprintf("on %d of %d workloads %s, on %d %s", best, n, fastest, within, twice)
}

// standing returns the number of workloads on which no other is faster than a contender,
// and the number on which it takes at most twice the time of the fastest.
func (r *Results) standing(contender string) (best, within int) {
	for _, w := range r.Workloads() {
		m := r.Of(contender, w)
		if m == nil {
			continue
		}
		if r.cell(contender, w).Best {
			best++
		}
		if Median(m.CPU) <= 2*Median(r.fastest(w).CPU) {
			within++
		}
	}
	return best, within
}

// betterOn returns a sentence for each workload on which a contender is the fastest and
// worth choosing instead of the default, with the interval of the ratio.
func (r *Results) betterOn(contender string) (sentences []string) {
	for _, w := range r.Workloads() {
		m, base := r.Of(contender, w), r.Of(topic.Default, w)
		if m == nil || base == nil || m != r.fastest(w) {
			continue
		}
		times := speedup(base, m)
		if yes, _ := differ(m.CPU, base.CPU); yes && times.Lo > 1 && 1/times.Center < worthwhile {
			sentences = append(sentences, fmt.Sprintf("%s (%s), %s is %s times as fast as %s (%s to %s).",
				stat.Upper(when(w)), w, contender, timesText(times.Center), topic.Default, timesText(times.Lo), timesText(times.Hi)))
		}
	}
	return sentences
}

// when begins a sentence about a workload.
func when(name string) string {
	if spec, err := workload.Lookup(name); err == nil && spec.When != "" {
		return spec.When
	}
	return "for keys like those of this workload"
}

// speedup returns how many times as fast as another a contender is, with its interval. The
// samples of a repeat were taken one after the other, so their ratios are compared.
func speedup(base, m *Measurement) (times struct{ Center, Lo, Hi float64 }) {
	var ratios []float64
	for i := range min(len(base.CPU), len(m.CPU)) {
		ratios = append(ratios, base.CPU[i]/m.CPU[i])
	}
	s := summary(ratios)
	times.Center, times.Lo, times.Hi = s.Center, s.Lo, s.Hi
	return times
}

// timesText writes how many times, with two significant digits.
func timesText(x float64) string {
	if x >= 9.95 {
		return groupThousands(int(math.Round(x)))
	}
	return fmt.Sprintf("%.1f", x)
}

// matchCaption says how long a match takes the base, the fastest and the slowest
// contender on a workload.
func (r *Results) matchCaption(name string) string {
	fastest, slowest := r.fastest(name), r.fastest(name)
	var among []string // no other than the fastest, as far as can be told
	base := r.Of(r.base(), name)
	if base == nil {
		base = fastest
	}
	with := false
	for _, c := range r.Contenders() {
		m := r.Of(c, name)
		if m == nil {
			continue
		}
		if Median(m.CPU) > Median(slowest.CPU) {
			slowest = m
		}
		if !r.cell(c, name).Best {
			continue
		}
		if m == base {
			with = true
		} else {
			among = append(among, c)
		}
	}
	time := func(m *Measurement) string { return FormatNanos(Median(m.CPU)) }
	text := fmt.Sprintf("%s takes %s a match", base.Contender, time(base))
	switch {
	case fastest == slowest:
		return text + "."
	case !with:
		text += fmt.Sprintf("; the fastest is %s at %s", fastest.Contender, time(fastest))
	case len(among) > 0:
		text += fmt.Sprintf(" and is among the fastest, with %s", stat.List(among, "and"))
	default:
		text += " and is the fastest"
	}
	if slowest == base {
		return text + "; no median is longer."
	}
	return text + fmt.Sprintf("; the slowest is %s at %s.", slowest.Contender, time(slowest))
}

// memoryCaption says how much heap the marked row takes, and the first and the last one.
func memoryCaption(rows []plot.DotRow) string {
	if len(rows) == 0 {
		return ""
	}
	first, last := rows[0], rows[len(rows)-1]
	i := max(0, slices.IndexFunc(rows, func(r plot.DotRow) bool { return r.Marked }))
	text := fmt.Sprintf("%s takes %s a binding", rows[i].Label, rows[i].Text)
	if first.Label != rows[i].Label {
		text += fmt.Sprintf("; the least is %s with %s", first.Text, first.Label)
	}
	if last.Label != rows[i].Label {
		text += fmt.Sprintf("; the most is %s with %s", last.Text, last.Label)
	}
	return text + "."
}

// growth returns a sentence with the ends of the default's curve and, if it is another, of
// the one that ends lowest. Without the default, it is about the latter alone.
func growth(all []curve, axis string, format func(float64) string) string {
	last := func(c curve) float64 { return c.y[len(c.y)-1] }
	least := slices.MinFunc(all, func(a, b curve) int { return cmp.Compare(last(a), last(b)) })
	subject := least
	if i := slices.IndexFunc(all, func(c curve) bool { return c.contender == topic.Default }); i >= 0 {
		subject = all[i]
	}
	text := fmt.Sprintf("%s: from %s to %s a match with %s goes from %s to %s",
		stat.Upper(axis), formatX(subject.x[0]), formatX(subject.x[len(subject.x)-1]), subject.contender, format(subject.y[0]), format(last(subject)))
	switch {
	case least.contender != subject.contender && last(least) < last(subject):
		text += fmt.Sprintf("; the least at the end is %s with %s", format(last(least)), least.contender)
	case len(all) > 1:
		text += ", the least at the end"
	}
	return text + "."
}
