package matchlab

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"

	"harelab/engine/topic"
	"harelab/reports/plot"
)

// TestPeerChart checks that contenders are compared with the best peer that can express a
// workload, and that workloads without such a peer are left out.
func TestPeerChart(t *testing.T) {
	ms := []Measurement{
		{Contender: "mine", Workload: "a", Bindings: 100, CPU: []float64{50, 60}},
		{Contender: "fast", Workload: "a", Bindings: 60, LeftOut: 40, CPU: []float64{10, 10}},
		{Contender: "good", Workload: "a", Bindings: 100, CPU: []float64{100, 120}},
		{Contender: "slow", Workload: "a", Bindings: 100, CPU: []float64{1000, 1200}},
		{Contender: "mine", Workload: "b", Bindings: 100, CPU: []float64{50, 60}},
		{Contender: "good", Workload: "b", Bindings: 90, LeftOut: 10, CPU: []float64{100, 120}},
	}
	ch := PeerChart(ms, []string{"mine"}, []string{"fast", "good", "slow"})
	if want := "a: 100 bindings: mine 55 ns, best peer good 110 ns. "; ch.Alt != want {
		t.Errorf("finding %q, want %q", ch.Alt, want)
	}
	r := &Results{Matches: ms}
	p := r.peerRow("a", r.bestOf([]string{"good"}, "a"), []string{"mine"}, []string{"fast", "good", "slow"})
	for i, want := range []plot.ContestDot{{Contender: "mine", Value: 0.5}, {Contender: "good", Value: 1}, {Contender: "slow", Value: 10}} {
		if got := p.Dots[i]; got.Contender != want.Contender || got.Value != want.Value {
			t.Errorf("dot %d is %s at %v, want %s at %v", i, got.Contender, got.Value, want.Contender, want.Value)
		}
	}
	for d := xml.NewDecoder(bytes.NewReader(ch.SVG())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestPeerChartWithoutPeers checks that there is no chart without a peer.
func TestPeerChartWithoutPeers(t *testing.T) {
	ms := []Measurement{{Contender: "mine", Workload: "a", Bindings: 100, CPU: []float64{50}}}
	if ch := PeerChart(ms, []string{"mine"}, []string{"none"}); ch != nil {
		t.Errorf("a chart of %q", ch.Alt)
	}
}

// TestPeerRowNamesTheDefault checks that a row names the default unless another of our
// strategies is worth choosing.
func TestPeerRowNamesTheDefault(t *testing.T) {
	const other = "cached"
	for _, tt := range []struct {
		others float64
		want   string
	}{{95, "nfa 100 ns, best peer peer 200 ns"}, {50, "cached 50 ns, best peer peer 200 ns"}} {
		r := &Results{Matches: []Measurement{
			{Contender: topic.Default, Workload: "a", CPU: []float64{100}},
			{Contender: other, Workload: "a", CPU: []float64{tt.others}},
			{Contender: "peer", Workload: "a", CPU: []float64{200}},
		}}
		if got := r.peerRow("a", r.Of("peer", "a"), []string{topic.Default, other}, []string{"peer"}).Text; got != tt.want {
			t.Errorf("finding %q, want %q", got, tt.want)
		}
	}
}
