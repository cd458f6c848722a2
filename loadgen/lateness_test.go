package loadgen

import (
	"strings"
	"testing"

	"harelab/loadgen/run"
)

// TestLateGeneratorIsInvalid holds the rule to its bounds: the 99th percentile
// of the lag may be a millisecond, or a tenth of the mean gap where that is more.
func TestLateGeneratorIsInvalid(t *testing.T) {
	const n = 1000
	for _, c := range []struct {
		name     string
		gap, lag int64 // microseconds
		late     int   // messages that lag
		paced    bool
		valid    bool
	}{
		{"on time", 500, 0, n, true, true},
		{"a millisecond is allowed", 500, 1000, n, true, true},
		{"more is not", 500, 1001, n, true, false},
		{"a tenth of the gap is allowed", 50_000, 5000, n, true, true},
		{"more than a tenth is not", 50_000, 5001, n, true, false},
		{"one in a hundred may be late", 500, 90_000, n / 100, true, true},
		{"two may not", 500, 90_000, n / 50, true, false},
		{"a burst has no time to keep", 500, 90_000, n, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := PublisherLog{}
			for i := range int64(n) {
				m := Sent{Seq: i, Intended: i * c.gap, At: i * c.gap, Copies: 1, Paced: c.paced}
				if i < int64(c.late) {
					m.At += c.lag
				}
				p.Sent = append(p.Sent, m)
			}
			s := mergedScenario(t, "burst, count: 1", "drained")
			res := Merge(s, run.Target{}, nil, Log{Publishers: []PublisherLog{p}})
			if res.Valid() != c.valid {
				t.Errorf("valid %v, want %v: %v", res.Valid(), c.valid, res.Findings)
			}
			if !c.valid && !strings.Contains(res.Findings[0].Text, "is the most for this rate") {
				t.Errorf("finding %q", res.Findings[0].Text)
			}
		})
	}
}
