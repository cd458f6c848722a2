package page

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"harelab/reports/folder"
	"harelab/reports/plot"
)

// WriteMarkdown writes report.md: the page's words and tables, with links to the
// charts in plots/.
func WriteMarkdown(w io.Writer, f *folder.Folder) error { return newView(f).markdown(w) }

func (v view) markdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	p := func(format string, args ...any) { fmt.Fprintf(out, format, args...) }
	sound := func(s Soundness) {
		if s.Title == "" {
			return
		}
		p("**%s**\n\n", s.Title)
		for _, c := range s.Checks {
			name := ""
			if c.Name != "" {
				name = "**" + escape(c.Name) + "** "
			}
			p("- %s %s%s\n", c.Mark(), name, escape(c.Text))
		}
		p("\n")
	}
	if v.Invalid {
		sound(v.Sound)
	}
	p("# %s\n\n%s\n\n", escape(v.Story.Headline), escape(v.Story.Text))
	if v.About != "" {
		p("%s\n\n", escape(v.About))
	}
	sound(v.Capacity)
	for _, b := range v.Big {
		who, spread := "", ""
		if b.Letter != "" {
			who = b.Letter + " " + escape(b.Label) + ": "
		}
		if b.Range != "" {
			spread = " (" + b.Range + ")"
		}
		p("- %s%s **%s**%s\n", who, escape(b.What), b.Value, spread)
	}
	p("\n")
	if !v.Invalid {
		sound(v.Sound)
	}
	for _, c := range v.Charts {
		p("## %s\n\n%s\n\n![%s](plots/%s.svg)\n\n", c.Title, escape(c.Note), escape(c.Alt), c.Name)
	}
	if v.NoCharts != "" {
		p("%s\n\n", escape(v.NoCharts))
	}
	for _, t := range v.Tables {
		if t.Folded {
			p("<details><summary>%s</summary>\n\n%s\n\n", t.Title, escape(t.Note))
			writeFigures(out, t.Figures)
			p("</details>\n\n")
			continue
		}
		p("## %s\n\n%s\n\n", t.Title, escape(t.Note))
		writeFigures(out, t.Figures)
	}
	if len(v.Figures.Rows) > 0 {
		p("## Every class, every run\n\n")
		if v.Repeats != "" {
			p("%s\n\n", v.Repeats)
		}
		writeFigures(out, v.Figures)
		writeFigures(out, v.Runs)
	}
	if len(v.Agree) > 0 {
		p("## Prediction beside measurement\n\n")
		for _, a := range v.Agree {
			p("- %s on %s: %s\n", escape(a.Arm), escape(a.Target), a.Verdict)
		}
		p("\n")
	}
	if len(v.Verdicts) > 0 {
		p("## Expectations\n\n")
		for _, g := range v.Verdicts {
			p("%s %s: %d of %d met\n\n| expectation | %s |\n|---%s|\n", g.Letter, escape(g.Label), g.Met, g.All,
				strings.Join(g.Targets, " | "), strings.Repeat("|---:", len(g.Targets)))
			for _, e := range g.Verdicts {
				p("| `%s` |", e.Text)
				for _, c := range e.Cells {
					p(" %s %s |", c.Mark, escape(c.Measured))
				}
				p("\n")
			}
			p("\n")
		}
	}
	p("## How to reproduce these figures\n\n```\n%s\n```\n\n", strings.Join(v.Commands, "\n"))
	for _, line := range v.Facts {
		p("- %s\n", escape(line))
	}
	return out.Flush()
}

func writeFigures(w io.Writer, f table) {
	var heads, rules []string
	for _, h := range f.Heads {
		heads = append(heads, h.Text)
		if h.Head {
			rules = append(rules, "---")
		} else {
			rules = append(rules, "---:")
		}
	}
	fmt.Fprintf(w, "| %s |\n|%s|\n", strings.Join(heads, " | "), strings.Join(rules, "|"))
	for _, row := range f.Rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, escape(strings.TrimSpace(c.Letter+" "+c.Text)))
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Fprintln(w)
}

// escape quotes the characters that have a meaning in Markdown: underscores and stars
// would be emphasis, bars columns.
var escape = strings.NewReplacer("_", `\_`, "|", `\|`, "*", `\*`, "<", "&lt;", "\n", " ").Replace

// Plots returns the charts of a folder at the width of a page, by name.
func Plots(f *folder.Folder) map[string]*plot.Figure {
	in := f.Set()
	out := make(map[string]*plot.Figure)
	for _, c := range plot.Of(in) {
		if fig := c.Draw(in, plot.Wide); fig != nil {
			out[c.Name] = fig
		}
	}
	return out
}
