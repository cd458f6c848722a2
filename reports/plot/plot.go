// Package plot draws the charts of a report from its runs and their figures.
//
// A chart is one file of this package. It registers itself under a name; the page,
// the folder plots/ and the tests then include it. To add a chart, copy depth.go.
// Package gonum/plot draws the charts, for SVG on a canvas of this package and for
// PNG on its own, at any width: 720 px for a page or a pull request, 360 px for a
// phone.
//
// A note in plain words above each chart says what to look at. Its alternative text
// is the finding, not a description.
package plot

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"harelab/reports/arms"
)

// Widths at which the page shows charts, in px.
const (
	Wide   = 720
	Narrow = 360
)

// A Chart is one kind of chart.
type Chart struct {
	Name  string // of its files: lower case, no spaces
	Title string
	Order int    // charts of a page are in rising order
	Asked string // in report.charts, if that is not Name
	// OnRequest charts are shown only if a scenario names them.
	OnRequest bool
	// Nothing says why Draw returns nil for arms that could have had the chart, as
	// "all messages waited equally long"; empty if a reader does not miss the chart then.
	Nothing string
	OneRun  bool // it draws the first repeat of each arm
	// Draw returns the chart at a width in px, or nil if the arms have nothing that
	// it could show.
	Draw func(in *arms.Set, width float64) *Figure
}

var charts = make(map[string]Chart)

// register adds a chart; files of this package call it from init.
func register(c Chart) {
	if _, taken := charts[c.Name]; taken {
		panic("plot: two charts are called " + c.Name)
	}
	charts[c.Name] = c
}

// Charts returns the charts in their order on the page.
func Charts() []Chart {
	out := make([]Chart, 0, len(charts))
	for _, c := range charts {
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Order < out[j].Order || out[i].Order == out[j].Order && out[i].Name < out[j].Name
	})
	return out
}

// maxScenarios is the largest number of scenarios that share charts.
const maxScenarios = 3

// Unlike returns the number of scenarios of a report whose runs are too unlike for
// charts with common axes, and 0 for others.
func Unlike(in *arms.Set) int {
	scenarios := make(map[string]bool)
	for _, a := range in.Arms {
		scenarios[a.First().Summary.Scenario] = true
	}
	if len(scenarios) > maxScenarios {
		return len(scenarios)
	}
	return 0
}

// Of returns the charts that a report shows: those that the scenarios of its arms
// name, or all if a scenario names none of them. Runs that are unlike have none.
func Of(in *arms.Set) []Chart {
	if Unlike(in) > 0 {
		return nil
	}
	named := make(map[string]bool)
	var out []Chart
	all := Charts()
	for _, a := range in.Arms {
		some := false
		for _, c := range all {
			if slices.Contains(a.First().Result.Charts, cmp.Or(c.Asked, c.Name)) {
				named[c.Name], some = true, true
			}
		}
		if !some {
			return slices.DeleteFunc(all, func(c Chart) bool { return c.OnRequest })
		}
	}
	for _, c := range all {
		if named[c.Name] {
			out = append(out, c)
		}
	}
	return out
}

// A Figure is a drawn chart.
type Figure struct {
	Width, Height float64 // px
	Note          string  // what to look at, in plain words
	Alt           string  // the finding

	paint func(c draw.Canvas)
}

// render draws on an SVG canvas.
func (f *Figure) render() *svg {
	s := newSVG(f.Width, f.Height)
	f.paint(draw.New(s))
	return s
}

// Inline returns the figure as an SVG element for a page that has the style
// rules of [Variables] and [Classes].
func (f *Figure) Inline() string { return f.render().inline(f.Alt) }

// SVG returns the figure as a document of its own.
func (f *Figure) SVG() []byte { return []byte(f.render().file(f.Alt)) }

// PNG returns the figure as an image at twice its size, in the light theme.
func (f *Figure) PNG() ([]byte, error) {
	c := vgimg.NewWith(vgimg.UseWH(vg.Length(f.Width), vg.Length(f.Height)), vgimg.UseDPI(2*72), vgimg.UseBackgroundColor(ground.light))
	f.paint(draw.New(c))
	var buf bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// Write writes the figure to the folder dir, as name.svg and name.png.
func (f *Figure) Write(dir, name string) error {
	png, err := f.PNG()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, name+".svg"), f.SVG(), 0o666),
		os.WriteFile(filepath.Join(dir, name+".png"), png, 0o666),
	)
}
