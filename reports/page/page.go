// Package page writes results as a page: report.html, one file that makes no requests
// and is readable without script, and report.md for a pull request.
//
// The page gives the answer first and then the data. It opens with a sentence that
// rules derive from the figures, says whether the runs are sound, and says before
// each chart what to look at. If an arm ran both in virtual time and on a real
// clock, the page shows the measurement, with the prediction beside it.
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/folder"
	"harelab/reports/plot"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"parts": parts.Replace, "mark": mark}).Parse(pageText))

// mark draws the marks for what holds and what does not, which are missing from many
// fonts, and returns every other text as it is.
func mark(text string) any {
	switch text {
	case "✓":
		return template.HTML(`<svg class="tick" viewBox="0 0 12 12" role="img" aria-label="yes"><path d="M1.5 6.5L4.5 10L10.5 2"/></svg>`)
	case "✗":
		return template.HTML(`<svg class="tick" viewBox="0 0 12 12" role="img" aria-label="no"><path d="M2 2L10 10M10 2L2 10"/></svg>`)
	}
	return text
}

// parts lets the name of a metric break into several lines in a narrow column: before
// a brace or a dot and after an underscore.
var parts = strings.NewReplacer("{", "\u200b{", "_", "_\u200b", ".", "\u200b.")

// WriteHTML writes report.html.
func WriteHTML(w io.Writer, f *folder.Folder) error {
	return page.Execute(w, newView(f))
}

// A view is the data of the template.
type view struct {
	Title    string
	CSS      template.CSS
	JS       template.JS
	Story    Story
	About    string
	Capacity Soundness // not shown if its title is empty
	Sound    Soundness
	Invalid  bool
	Big      []bigNumber
	BigOther string // names the arms with other loads; empty if there are none
	Charts   []chartView
	NoCharts string // names the charts that would show nothing; empty if there are none
	Tables   []tableView
	Figures  table  // of every class of every arm
	Runs     table  // of every arm as a whole
	Repeats  string // says what the tables show of repeats; empty without
	Agree    []agreement
	Verdicts []verdictGroup
	Index    []verdictGroup // links at the top of a report of many scenarios
	Commands []string
	Facts    []string
	Texts    []scenarioText
}

// A bigNumber is a figure of one arm.
type bigNumber struct {
	Letter, Label string // of the arm; empty for a further figure of the same arm
	Title         string // of the arm's scenario or variant; may be empty
	Style         template.CSS
	Value, What   string
	Range         string // of the repeats; empty for one
	Predicted     string
	Race          string // the range of the value where RabbitMQ's queues race; empty: it does not move
}

// unitWords are a unit of several words. They stand beside a card's number in small
// letters and in one piece, since they would break the line of large ones.
const unitWords = " a second"

// Number is Value without its unit of several words.
func (b bigNumber) Number() string { return strings.TrimSuffix(b.Value, unitWords) }

// Unit is Value's unit of several words, or empty.
func (b bigNumber) Unit() string {
	if !strings.HasSuffix(b.Value, unitWords) {
		return ""
	}
	return strings.TrimSpace(unitWords)
}

// A chartView is one chart at both widths.
type chartView struct {
	Name, Title, Alt string
	Note, NarrowNote string
	Wide, Narrow     template.HTML
}

// A table has a head and rows of cells.
type table struct {
	Heads []cell
	Rows  [][]cell
}

// newTable makes a table and names each cell after its column, since a phone shows
// rows as cards, without a head.
func newTable(heads []string, rows [][]cell) table {
	f := table{Rows: rows}
	for i, h := range heads {
		f.Heads = append(f.Heads, cell{Text: h, Head: i < 2})
	}
	for _, row := range rows {
		for i := range row {
			if !row[i].Head {
				row[i].Name = heads[i]
			}
		}
	}
	return f
}

// A cell is one field of a table. The script that sorts rows compares Sort.
type cell struct {
	Name       string // of its column
	Text, Sort string
	Letter     string
	Style      template.CSS
	Head       bool // the cell names its row
}

type verdictGroup struct {
	ID            string // of its place in the page
	Letter, Label string
	Style         template.CSS
	Met, All      int
	Failed        bool // an expectation is not met; one that is not visible has not failed
	Targets       []string
	Verdicts      []verdict
}

type verdict struct {
	Text  string
	Cells []verdictCell
}

type verdictCell struct{ Mark, Class, Measured string }

type agreement struct {
	Arm, Target, Verdict string
	Class                string
	Rows                 [][]cell
}

type scenarioText struct{ Name, Text string }

func newView(f *folder.Folder) view {
	in := f.Set()
	v := view{
		CSS: styles(), JS: template.JS(pageJS), Story: Tell(in).glued(), Capacity: Capacity(in), Sound: Sound(in), Title: titleOf(in),
		Commands: commands(f), Facts: factLines(f),
	}
	v.Invalid = v.Sound.State == "bad"
	if !v.Invalid {
		v.Big, v.BigOther = bigNumbers(in)
	}
	finished := slices.ContainsFunc(in.Runs, func(r *arms.Run) bool { return r.Summary.All.N > 0 })
	var missing []string
	for _, c := range plot.Of(in) {
		wide, narrow := c.Draw(in, plot.Wide), c.Draw(in, plot.Narrow)
		switch {
		case wide != nil && narrow != nil:
			if c.OneRun && repeatsNote(in) != "" {
				wide.Note, narrow.Note = wide.Note+firstDrawn, narrow.Note+firstDrawn
			}
			v.Charts = append(v.Charts, newChartView(c.Name, c.Title, wide, narrow))
		case c.Nothing == "":
		case finished:
			missing = append(missing, fmt.Sprintf("%s (%s)", c.Title, c.Nothing))
		default:
			missing = append(missing, c.Title)
		}
	}
	switch n := plot.Unlike(in); {
	case n > 0:
		v.NoCharts = fmt.Sprintf("These runs are of %d scenarios, too many for charts with common axes. To see charts, run one scenario alone: harelab run %s", n, in.Arms[0].First().Summary.Scenario)
	case len(missing) == 0:
	case finished:
		v.NoCharts = "Charts that would show nothing are left out: " + strings.Join(missing, "; ") + "."
	default:
		v.NoCharts = "No message was finished, so these charts are left out: " + strings.Join(missing, "; ") + "."
	}
	v.Tables = tenantTables(in)
	v.Figures = newTable([]string{"run", "class", "n", "wait mean", "p50", "p95", "p99", "max", "queued max", "held max", "stuck", "starved", "slowdown max", "finish"}, figureRows(in))
	v.Runs = newTable([]string{"run", "on", "makespan", "slots busy", "idle while waiting", "jain.busy by worker", "lost", "duplicated", "redelivered"}, runRows(in))
	v.Repeats = repeatsNote(in)
	v.Agree = agreements(in, f.Summaries())
	v.Verdicts = verdicts(in)
	v.Index = index(in, v.Verdicts)
	seen := make(map[string]bool)
	for _, r := range f.Runs {
		if text := strings.TrimSpace(string(r.Result.Resolved)); text != "" && !seen[text] {
			seen[text] = true
			v.Texts = append(v.Texts, scenarioText{r.Summary.Arm, excerpt(folder.Redact(text), r.Dir)})
		}
	}
	return v
}

// firstDrawn is said of a chart that shows single events, where arms have repeats.
const firstDrawn = " Of the repeats of a run the first is drawn."

// repeatsNote says that figures are medians. It is empty if each arm ran once.
func repeatsNote(in *arms.Set) string {
	least, most := len(in.Runs), 0
	for _, a := range in.Arms {
		least, most = min(least, len(a.Runs)), max(most, len(a.Runs))
	}
	switch {
	case most < 2:
		return ""
	case least == most:
		return fmt.Sprintf("Each figure is the median of %d runs.", most)
	}
	return fmt.Sprintf("Each figure is the median of the %d to %d runs of its arm.", least, most)
}

// maxText is the number of bytes of a scenario that the page shows.
const maxText = 12_000

// excerpt cuts a scenario to maxText at the end of a line. A scenario with thousands
// of bindings would be most of the page.
func excerpt(text, dir string) string {
	if len(text) <= maxText {
		return text
	}
	cut := strings.LastIndexByte(text[:maxText], '\n') + 1
	return text[:cut] + "... the rest is in " + dir + "/scenario.resolved.yaml"
}

func newChartView(name, title string, wide, narrow *plot.Figure) chartView {
	return chartView{
		Name: name, Title: title, Alt: glue(wide.Alt), Note: wide.Note, NarrowNote: narrow.Note,
		Wide: template.HTML(wide.Inline()), Narrow: template.HTML(narrow.Inline()),
	}
}

// styles returns the page's style sheet, with the charts' colours for both themes.
func styles() template.CSS {
	return template.CSS(":root{" + plot.Variables(false) + "}@media (prefers-color-scheme:dark){:root{" + plot.Variables(true) + "}}" +
		"@media print{:root{" + plot.Variables(false) + "}}" + plot.Classes() + pageCSS)
}

// titleOf returns the window's title: the names of the scenarios.
func titleOf(in *arms.Set) string {
	var names []string
	seen := make(map[string]bool)
	for _, r := range in.Runs {
		if !seen[r.Summary.Scenario] {
			seen[r.Summary.Scenario] = true
			names = append(names, r.Summary.Scenario)
		}
	}
	return strings.Join(names, ", ") + " – harelab"
}

func armStyle(a *arms.Arm) template.CSS { return template.CSS("--c:" + plot.RunPaint(a.Index).CSS()) }
