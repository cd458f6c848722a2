package lab

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// A pairOfArms is the data of two arms as the checker sees them, each with its repeats.
// Sentences compare other with base.
type pairOfArms struct {
	base, other []*csvRun
	chance      bool // a clear difference of medians may be chance, and then counts as none
}

// median returns the median of a figure over the repeats that have it.
func median(runs []*csvRun, figure func(*csvRun) float64) float64 {
	var vs []float64
	for _, r := range runs {
		if v := figure(r); !math.IsNaN(v) {
			vs = append(vs, v)
		}
	}
	if len(vs) == 0 {
		return math.NaN()
	}
	slices.Sort(vs)
	n := len(vs)
	return (vs[(n-1)/2] + vs[n/2]) / 2
}

// clear reports whether two values differ by more than a fifth of the greater and by the
// least that counts.
func (c clause) clear(a, b float64) bool {
	if math.IsInf(a, 1) || math.IsInf(b, 1) {
		return a != b
	}
	return math.Abs(a-b) > 0.2*max(a, b) && math.Abs(a-b) >= c.least
}

// A direction is what a sentence says of a change.
type direction string

const (
	better direction = "better"
	worse  direction = "worse"
	same   direction = "no clear difference"
)

// check recomputes a clause's values, and whether they changed in the direction.
func (p pairOfArms) check(c clause, says direction) error {
	if c.once && slices.ContainsFunc(slices.Concat(p.base, p.other), (*csvRun).redelivered) {
		return nil
	}
	figure := c.figure
	if p.chance { // repeats that finished none are left out, and a note says so
		figure = func(r *csvRun) float64 {
			if v := c.figure(r); !math.IsInf(v, 1) {
				return v
			}
			return math.NaN()
		}
	}
	from, to := median(p.base, figure), median(p.other, figure)
	// An arm that finished none of the messages is worse than any other.
	if math.IsNaN(from) && (c.from == "never" || c.from == "endless") {
		from = math.Inf(1)
	}
	if math.IsNaN(to) && (c.to == "never" || c.to == "endless") {
		to = math.Inf(1)
	}
	if err := printsAs(c.to, to); err != nil {
		return err
	}
	if c.from != "" {
		if err := printsAs(c.from, from); err != nil {
			return fmt.Errorf("instead of %w", err)
		}
	}
	is := same
	if c.clear(from, to) {
		is = worse
		if (to < from) == c.lower {
			is = better
		}
	}
	if is != says && !(p.chance && says == same) {
		return fmt.Errorf("it says %s, but from %v to %v is %s", says, from, to, is)
	}
	return nil
}

var (
	changed   = regexp.MustCompile(`^(Better|Worse) with other: (.*)$`)
	withBoth  = regexp.MustCompile(`^(.*) with both random and other(: no difference)?$`)
	overlap   = regexp.MustCompile(` \(the runs overlap: [^)]*\)`)
	twoValues = regexp.MustCompile(`(` + amount + `) \(random\) and (` + amount + `) \(other\)`)
)

// checkBalance checks the sentence that compares the two arms of a pair.
func (p pairOfArms) checkBalance(s string) error {
	says := same
	for i, part := range strings.Split(overlap.ReplaceAllString(s, ""), "; ") {
		expect := says
		if m := changed.FindStringSubmatch(part); m != nil {
			says = direction(strings.ToLower(m[1]))
			part, expect = m[2], says
		} else if rest, ok := strings.CutPrefix(part, "the price: "); ok {
			part, expect = rest, worse
		} else if rest, ok := strings.CutPrefix(part, "in return "); ok {
			part, expect = rest, better
		} else if i > 0 || strings.Contains(part, "with both") || strings.Contains(part, "(random) and ") {
			expect = same
		}
		for _, one := range enumeration(part) {
			if m := withBoth.FindStringSubmatch(one); m != nil {
				one = m[1]
			}
			one = twoValues.ReplaceAllString(strings.TrimSuffix(one, ": no clear difference"), "$2 instead of $1")
			c, err := parseClause(one)
			if err != nil {
				return err
			}
			if err := p.check(c, expect); err != nil {
				return fmt.Errorf("%q: %w", one, err)
			}
		}
	}
	return nil
}

// enumeration splits "a, b and c" where a, b and c are clauses of two values, and leaves
// out "2 more".
func enumeration(s string) []string {
	var out []string
	for _, part := range regexp.MustCompile(`, | and `).Split(s, -1) {
		if strings.HasSuffix(part, " more") {
			continue
		}
		if len(out) > 0 && !strings.Contains(out[len(out)-1], "instead of") {
			out[len(out)-1] += " and " + part
			continue
		}
		out = append(out, part)
	}
	return out
}
