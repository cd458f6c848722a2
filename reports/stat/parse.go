package stat

import (
	"fmt"
	"strings"

	"harelab/loadgen/run"
)

// ParseMetric parses the left side of an expectation, as
// "wait.p99{class=run_user_query}" or "jain.busy{by=worker}", and validates it.
func ParseMetric(s string) (run.Expectation, error) {
	e := run.Expectation{Text: s}
	name, rest, labelled := strings.Cut(strings.TrimSpace(s), "{")
	if labelled {
		body, ok := strings.CutSuffix(strings.TrimSpace(rest), "}")
		if !ok {
			return e, fmt.Errorf("stat: %q: want a closing }", s)
		}
		for _, part := range strings.Split(body, ",") {
			l, err := parseLabel(strings.TrimSpace(part))
			if err != nil {
				return e, fmt.Errorf("stat: %q: %w", s, err)
			}
			e.Labels = append(e.Labels, l)
		}
	}
	// A metric's name may hold dots, and so may a percentile: jain.busy, wait.p99.9.
	e.Metric = name
	for i, c := range name {
		if c == '.' {
			if _, err := lookup(name[:i]); err == nil {
				e.Metric, e.Stat = name[:i], name[i+1:]
				break
			}
		}
	}
	if m, err := lookup(e.Metric); err == nil {
		e.Unit = m.unit
	}
	return e, Validate(e)
}

func parseLabel(s string) (run.Label, error) {
	if key, value, ok := strings.Cut(s, "!="); ok {
		return run.Label{Key: key, Value: value, Not: true}, nil
	}
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" || value == "" {
		return run.Label{}, fmt.Errorf("label %q: want key=value or key!=value", s)
	}
	return run.Label{Key: key, Value: value}, nil
}
