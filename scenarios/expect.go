package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// timed metrics are distributions over messages; a statistic follows their
// name, as wait.p99.
var timed = []string{"confirm", "held", "queued", "schedule_lag", "service", "slowdown", "sojourn", "wait"}

// sampled metrics are gauges over time; they take a statistic as well.
var sampled = []string{"ready", "unacked"}

// single metrics are one number.
var single = []string{
	"acked", "amplification", "confirmed", "dead_lettered", "delivered", "duplicated", "finish",
	"finished", "idle_while_waiting", "jain.busy", "jain.share", "lost", "makespan", "mismatches",
	"order.inversions", "published", "recovery", "redelivered", "rejected", "returned",
	"starvation", "throughput", "unroutable", "unserved", "utilisation",
}

// stats are the statistics besides pNN.
var stats = []string{"count", "max", "mean", "min", "sd"}

// labels are the keys a metric may be restricted or grouped by.
var labels = []string{"before", "by", "class", "of", "queue", "tenant", "within", "worker"}

// isMetric reports whether a word is a metric of one number.
func isMetric(w string) bool { return slices.Contains(single, w) }

// isStat reports whether a word is a statistic: a name, or a percentile such
// as p50, p99 or p99.9.
func isStat(w string) bool {
	if slices.Contains(stats, w) {
		return true
	}
	digits, ok := strings.CutPrefix(w, "p")
	p, err := strconv.ParseFloat(digits, 64)
	return ok && err == nil && p > 0 && p <= 100 && digits[0] != '+'
}

// metric reads a metric with its statistic and labels from the start of s and
// returns what follows.
func metric(s string) (name, stat string, ls []Label, rest string, err error) {
	end := strings.IndexAny(s, "{ =!<>")
	if end < 0 {
		end = len(s)
	}
	name, rest = s[:end], s[end:]
	if !isMetric(name) {
		base, after, ok := strings.Cut(name, ".")
		known := slices.Contains(timed, base) || slices.Contains(sampled, base)
		switch {
		case known && ok && isStat(after):
			name, stat = base, after
		case known:
			return "", "", nil, "", fmt.Errorf("metric %q: want a statistic behind, as %s.p99 (have %s, p1 to p100)", name, base, strings.Join(stats, ", "))
		default:
			all := slices.Concat(timed, sampled, single)
			slices.Sort(all)
			return "", "", nil, "", fmt.Errorf("unknown metric %q%s", name, choices(name, all))
		}
	}
	if !strings.HasPrefix(rest, "{") {
		return name, stat, nil, rest, nil
	}
	inner, after, ok := strings.Cut(rest[1:], "}")
	if !ok {
		return "", "", nil, "", fmt.Errorf("metric %q: the labels lack their closing }", name)
	}
	ls, err = parseLabels(inner)
	return name, stat, ls, after, err
}

func parseLabels(s string) ([]Label, error) {
	var ls []Label
	for _, part := range strings.Split(s, ",") {
		key, val, ok := strings.Cut(strings.TrimSpace(part), "=")
		l := Label{Key: key, Value: val}
		if l.Key, l.Not = strings.CutSuffix(l.Key, "!"); !ok || val == "" {
			return nil, fmt.Errorf("label %q: want key=value or key!=value", part)
		}
		if !slices.Contains(labels, l.Key) {
			return nil, fmt.Errorf("unknown label %q%s", l.Key, choices(l.Key, labels))
		}
		ls = append(ls, l)
	}
	return ls, nil
}

// operators, longest first so that <= is not read as <.
var operators = []string{"==", "!=", "<=", ">=", "<", ">"}

// expectation parses "metric.stat{labels} op value [when condition]". holds is
// false when the condition does not hold for the params.
func (e env) expectation(line string) (x Expectation, holds bool, err error) {
	if len(line) > maxExpr {
		return x, false, fmt.Errorf("expectation of %d bytes: longer than %d", len(line), maxExpr)
	}
	claim, cond, conditional := strings.Cut(line, " when ")
	x.Text = strings.TrimSpace(claim)
	var rest string
	x.Metric, x.Stat, x.Labels, rest, err = metric(x.Text)
	if err != nil {
		return x, false, err
	}
	rest = strings.TrimSpace(rest)
	for _, op := range operators {
		if after, ok := strings.CutPrefix(rest, op); ok {
			x.Op, rest = op, after
			break
		}
	}
	if x.Op == "" {
		return x, false, fmt.Errorf("%q: want one of %s after the metric", x.Text, strings.Join(operators, " "))
	}
	if err := e.rightHand(&x, strings.TrimSpace(rest)); err != nil {
		return x, false, err
	}
	if !conditional {
		return x, true, nil
	}
	v, err := e.eval(cond)
	if err == nil && v.kind != truth {
		err = fmt.Errorf("when: want a condition, got %s", v.dimension())
	}
	return x, v.truth, err
}

// times are the metrics measured in seconds.
var times = []string{"confirm", "finish", "held", "idle_while_waiting", "makespan", "queued", "recovery", "schedule_lag", "service", "sojourn", "starvation", "wait"}

// rightHand evaluates what a metric is compared with.
func (e env) rightHand(x *Expectation, src string) error {
	if src == "" {
		return fmt.Errorf("%q: want a value after %s", x.Text, x.Op)
	}
	e.metrics = isMetric
	v, err := e.eval(src)
	switch {
	case err != nil:
		return err
	case v.kind == text:
		return fmt.Errorf("%q: %q is neither a value nor a metric%s", x.Text, v.text, choices(v.text, single))
	case v.kind != number || v.bytes != 0 || v.time != 0 && v.time != 1 && v.time != -1:
		return fmt.Errorf("%q: want a number, a time or a percentage, got %s", x.Text, v.dimension())
	case math.IsInf(v.num, 0) || math.IsNaN(v.num):
		return fmt.Errorf("%q: the value is no number", x.Text)
	}
	isTime := slices.Contains(times, x.Metric) && x.Stat != "count"
	if v.metric == "" && isTime != (v.time == 1) && v.num != 0 {
		if isTime {
			return fmt.Errorf("%q: %s is a time: want a value such as 100ms", x.Text, x.Metric)
		}
		return fmt.Errorf("%q: %s is no time: want a number", x.Text, x.Metric)
	}
	x.Value, x.Grain, x.Times = v.num, v.grain, v.metric
	switch {
	case isTime:
		x.Unit = "s"
	case v.percent:
		x.Unit = "%"
	}
	return nil
}
