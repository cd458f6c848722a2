package page

import (
	"fmt"
	"math"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/reports/stat"
)

// rateRule: a run whose question is its throughput is told by its rates, and then by what
// messages waited at them.
func rateRule(f facts) (Story, bool) {
	g, ok := f.goal()
	if !ok || len(f.in.Arms) != 1 || g.String() != "throughput" || f.base.First().Result == nil {
		return Story{}, false
	}
	sent, received := rate(f.base, func(m *run.Message) int64 { return m.Sent }), rate(f.base, func(m *run.Message) int64 { return m.Received })
	p50, p99 := f.over(f.base, waitP50), f.over(f.base, waitP99)
	if math.IsNaN(sent+received) || math.IsInf(p50+p99, 0) || math.IsNaN(p50+p99) {
		return Story{}, false
	}
	confirmed := ""
	if c := rate(f.base, func(m *run.Message) int64 { return m.Confirmed }); !math.IsNaN(c) {
		confirmed = ", confirmed " + stat.Plain(c)
	}
	h := fmt.Sprintf("Sent %s%s and received %s messages a second", stat.Plain(sent), confirmed, stat.Plain(received))
	for _, v := range []struct {
		of string
		at float64
	}{{"wait.p50", p50}, {"wait.p99", p99}} {
		h += "; " + f.about(v.of).Say(v.at)
	}
	return Story{h + ".", f.values()}, true
}

// rate returns how often a second something happened to messages from the end of the warm-up
// or the first sending to the last time: the median over an arm's repeats. One message at
// the very start is not counted, since a step between two sendings is one sending, not two.
// It is NaN where it took no time, or cannot be seen.
func rate(a *arms.Arm, at func(*run.Message) int64) float64 {
	var rates []float64
	for _, r := range a.Runs {
		from := int64(math.MaxInt64)
		for i := range r.Result.Messages {
			if sent := r.Result.Messages[i].Sent; sent != run.None {
				from = min(from, sent)
			}
		}
		from = max(from, r.Result.Warmup)
		to, n, atStart := from, 0, 0
		for i := range r.Result.Messages {
			switch t := at(&r.Result.Messages[i]); {
			case t == run.None || t < from:
			case t == from:
				n, atStart = n+1, 1
			default:
				to, n = max(to, t), n+1
			}
		}
		if to > from {
			rates = append(rates, float64(n-atStart)*1e6/float64(to-from))
		}
	}
	return judge.Median(rates).Center
}
