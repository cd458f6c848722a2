package sweep

import (
	"strings"
	"testing"
)

// TestNamedCharts: a sweep shows the charts of sweeps that the scenario names. A list
// of charts of runs says nothing about a sweep.
func TestNamedCharts(t *testing.T) {
	s := of(func(o, p, z string) float64 { return float64(len(o) + len(p)) })
	for _, tt := range []struct {
		show []string
		want string
	}{
		{nil, "heatmap lines ranking pareto lanes"},
		{[]string{"lanes"}, "heatmap lines ranking pareto lanes"},
		{[]string{"hdr", "pareto", "heatmap"}, "heatmap pareto"},
		{[]string{"lanes", "lines"}, "lines lanes"},
	} {
		s.Show = tt.show
		var names []string
		for _, c := range s.charts() {
			names = append(names, c.Name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.show, got, tt.want)
		}
	}
}
