package matchlab

import (
	"fmt"
	"slices"

	"harelab/engine/topic"
	"harelab/reports/plot"
)

// PeerChart returns a chart of our contenders' and the peers' times relative to the best
// peer's. It has a row for each workload that a peer can express whole, and is nil if
// there is none.
func PeerChart(ms []Measurement, ours, peers []string) *plot.Figure {
	r := &Results{Matches: ms}
	contest := plot.Contest{Ours: ours, Others: peers, Axis: "times the best peer's processor time a match"}
	finding := ""
	for _, w := range r.Workloads() {
		if best := r.bestOf(peers, w); best != nil {
			row := r.peerRow(w, best, ours, peers)
			contest.Rows = append(contest.Rows, row)
			finding += row.Label + ": " + row.Text + ". "
		}
	}
	return plot.Versus(contest, plot.Wide, finding)
}

// bestOf returns the fastest of the contenders that can express a whole workload.
func (r *Results) bestOf(contenders []string, workload string) (best *Measurement) {
	for _, c := range contenders {
		m := r.Of(c, workload)
		if m != nil && m.LeftOut == 0 && (best == nil || Median(m.CPU) < Median(best.CPU)) {
			best = m
		}
	}
	return best
}

// peerRow returns the row of a workload, with times relative to the best peer's.
func (r *Results) peerRow(name string, best *Measurement, ours, peers []string) plot.ContestRow {
	row := plot.ContestRow{Label: fmt.Sprintf("%s: %s bindings", name, groupThousands(best.Bindings))}
	our := r.bestOf(ours, name)
	if m := r.Of(topic.Default, name); m != nil && Median(our.CPU) > worthwhile*Median(m.CPU) {
		our = m // no other is worth choosing
	}
	row.Text = fmt.Sprintf("%s %s, best peer %s %s", our.Contender, FormatNanos(Median(our.CPU)), best.Contender, FormatNanos(Median(best.CPU)))
	for _, c := range slices.Concat(ours, peers) {
		m := r.Of(c, name)
		if m == nil || 100*m.LeftOut > m.Bindings {
			continue
		}
		var ratios []float64
		for i := range m.CPU {
			ratios = append(ratios, m.CPU[i]/best.CPU[i])
		}
		s := summary(ratios)
		row.Dots = append(row.Dots, plot.ContestDot{Contender: c, Value: s.Center, Lo: s.Lo, Hi: s.Hi})
	}
	return row
}
