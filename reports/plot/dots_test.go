package plot

import (
	"math"
	"strings"
	"testing"
)

// TestWholeDecades: the axis has whole decades around the values above zero.
func TestWholeDecades(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		lo, hi float64
	}{
		{[]float64{20, 300}, 10, 1000}, {[]float64{10, 100}, 10, 1000}, {[]float64{0, 5}, 1, 10},
		{[]float64{5, math.Inf(1)}, 1, 10}, {[]float64{0}, 1, 10}, {nil, 1, 10},
	} {
		if lo, hi := wholeDecades(tt.values); lo != tt.lo || hi != tt.hi {
			t.Errorf("wholeDecades(%v): %v to %v, want %v to %v", tt.values, lo, hi, tt.lo, tt.hi)
		}
	}
}

// TestDotsNameTheirRows: the room for names is as wide as the widest of them in the
// letters that it is drawn in, bold for a marked row.
func TestDotsNameTheirRows(t *testing.T) {
	rows := []DotRow{{Label: "nfa", Value: 3, Lo: 2, Hi: 4, Text: "3", Marked: true}, {Label: "trie", Value: 5, Lo: 4, Hi: 6, Text: "5"}}
	for _, width := range []float64{Wide, Narrow} {
		if svg := string(Dots(rows, func(float64) string { return "" }, width, "alt").SVG()); strings.Contains(svg, "…") || !strings.Contains(svg, ">nfa<") {
			t.Errorf("at %v px a name is cut:\n%s", width, svg)
		}
	}
}

// TestNoPlaceOnTheAxis: a logarithmic axis has no zero and no infinity, but coarse
// clocks measure them. Charts draw them at the axis' ends.
func TestNoPlaceOnTheAxis(t *testing.T) {
	format := func(float64) string { return "" }
	for name, f := range map[string]*Figure{
		"dots":   Dots([]DotRow{{Label: "a", Value: 5, Lo: 0, Hi: 9, Text: "5"}, {Label: "b"}}, format, Wide, "alt"),
		"versus": Versus(Contest{Ours: []string{"a"}, Rows: []ContestRow{{Dots: []ContestDot{{"a", 0, 0, math.Inf(1)}}}}}, Wide, "alt"),
	} {
		if svg := string(f.SVG()); strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: %s", name, svg)
		}
	}
	if Dots(nil, format, Wide, "") != nil || Versus(Contest{}, Wide, "") != nil {
		t.Error("a chart of nothing")
	}
}
