package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"harelab/reports/arms"
	"harelab/reports/compare"
	"harelab/reports/folder"
	"harelab/reports/stat"
	"harelab/reports/terminal"
	"harelab/scenarios"
	"harelab/scenarios/metric"
)

// A Past is a results folder that was read back. It has what a rerun needs: the text of
// the scenarios, their seeds and their targets.
type Past struct {
	Arms []Arm

	dir      string
	recorded *folder.Folder
}

// OpenPast reads a results folder. A folder keeps no credentials, so the caller gives the
// URL of each broker again, with the same address. If all runs were made on one broker
// and one URL is given, its address may differ.
func OpenPast(dir string, given []Target) (*Past, error) {
	if err := refuseSweep(dir); err != nil {
		return nil, err
	}
	f, err := folder.Read(dir)
	if err != nil {
		return nil, err
	}
	p := &Past{dir: dir, recorded: f}
	var urls []string
	for _, rec := range f.Runs {
		if t := rec.Summary.Target; t.Kind == string(AMQP) && !slices.Contains(urls, t.URL) {
			urls = append(urls, t.URL)
		}
	}
	for _, t := range given {
		if t.Kind != AMQP || len(urls) == 0 {
			return nil, &UsageError{fmt.Sprintf("--target %s: only amqp:// targets are given again; the runs in %s have %d of those", t, dir, len(urls))}
		}
	}
	for i, rec := range f.Runs {
		s, err := p.scenario(i)
		if err != nil {
			return nil, err
		}
		t, err := targetAgain(rec.Summary.Target, urls, given)
		if err != nil {
			return nil, err
		}
		p.Arms = append(p.Arms, Arm{Scenario: s, Target: t, Repeat: rec.Summary.Repeat})
	}
	return p, nil
}

// scenario reads the scenario of run i. It refuses a text that was changed since the run.
func (p *Past) scenario(i int) (*scenarios.Scenario, error) {
	path := filepath.Join(p.dir, p.recorded.Runs[i].Dir, "scenario.resolved.yaml")
	f, err := load(path)
	if err != nil {
		return nil, err
	}
	s, err := resolve(f, scenarios.Options{})
	if err != nil {
		return nil, err
	}
	if s.SHA256 != p.recorded.Manifest.Arms[i].ScenarioHash {
		return nil, fmt.Errorf("%s was changed after the run: its SHA-256 is %.12s, the manifest has %.12s (harelab run accepts any file)",
			path, s.SHA256, p.recorded.Manifest.Arms[i].ScenarioHash)
	}
	return s, nil
}

// targetAgain returns the target on which to repeat a run.
func targetAgain(t stat.Target, urls []string, given []Target) (Target, error) {
	if t.Kind != string(AMQP) {
		return ParseTarget(t.Kind)
	}
	for _, g := range given {
		if g.String() == t.URL || len(given) == 1 && len(urls) == 1 {
			return g, nil
		}
	}
	return Target{}, &UsageError{fmt.Sprintf("a run was made on %s: its credentials are not kept, so give --target amqp://user:password@host:port/vhost", t.URL)}
}

// WriteDifferences writes how the runs of again differ from the past ones and reports
// whether all runs in virtual time are the same, message by message. Run i of again
// repeats run i of the past; again may be cut short.
func (p *Past) WriteDifferences(w io.Writer, again *folder.Folder) (same bool, err error) {
	fmt.Fprintf(w, "\nagainst %s\n", p.dir)
	for _, line := range setting(p.recorded.Manifest, again.Manifest) {
		if err := terminal.WriteText(w, terminal.Neutral, "  ", "    ", line); err != nil {
			return false, err
		}
	}
	same = true
	names := arms.Names(again.Set().Runs, false)
	for i, now := range again.Runs {
		rec := p.recorded.Runs[i]
		name := fmt.Sprintf("%s, seed %d", names[now.Summary], rec.Summary.Seed)
		if now.Summary.Virtual && !rec.Summary.Partial && !now.Summary.Partial {
			what, err := p.exactDifference(i, now)
			if err != nil {
				return false, err
			}
			if what == "" {
				if err := terminal.WriteText(w, terminal.Neutral, "  ", "    ", fmt.Sprintf("%s: identical, all %s messages", name, stat.Count(len(now.Result.Messages)))); err != nil {
					return false, err
				}
				continue
			}
			same = false
			if err := terminal.WriteText(w, terminal.Bad, "  DIFFERENT: ", "    ", name+": "+what); err != nil {
				return false, err
			}
		} else {
			fmt.Fprintf(w, "  %s\n", name)
		}
		if rec.Summary.Partial {
			fmt.Fprintln(w, "  the recorded run was cut short")
		}
		if err := writeFigures(w, rec.Summary, now.Summary); err != nil {
			return false, err
		}
	}
	return same, nil
}

// exactDifference returns how a run in virtual time differs from past run i, or "" if it
// does not.
func (p *Past) exactDifference(i int, now *folder.Run) (string, error) {
	recorded, err := os.ReadFile(filepath.Join(p.dir, p.recorded.Runs[i].Dir, "messages.csv"))
	if err != nil {
		return "", err
	}
	var again bytes.Buffer
	if err := folder.WriteMessages(&again, now.Result); err != nil {
		return "", err
	}
	was, is := bytes.Split(recorded, []byte("\n")), bytes.Split(again.Bytes(), []byte("\n"))
	for n := range min(len(was), len(is)) {
		if !bytes.Equal(was[n], is[n]) {
			return fmt.Sprintf("line %d of messages.csv was %s and is %s", n+1, was[n], is[n]), nil
		}
	}
	if len(was) != len(is) {
		return fmt.Sprintf("messages.csv had %d lines and has %d", len(was)-1, len(is)-1), nil
	}
	a, err := onlyFigures(p.recorded.Runs[i].Summary)
	if err != nil {
		return "", err
	}
	b, err := onlyFigures(now.Summary)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(a, b) {
		return "the same messages give other figures in summary.json", nil
	}
	return "", nil
}

// onlyFigures returns the figures of a summary. It leaves out the expectations, whose
// text may differ in the resolved scenario, and the names of strategies.
func onlyFigures(s *stat.Summary) ([]byte, error) {
	plain := *s
	plain.Verdicts, plain.Matcher, plain.Dispatch, plain.Order = nil, "", "", ""
	return json.Marshal(&plain)
}

// setting lists what differs in program, machine and targets between two folders.
func setting(was, is folder.Manifest) []string {
	var out []string
	differ := func(what, a, b string) {
		if a != b {
			out = append(out, fmt.Sprintf("%s: was %s, is %s", what, orNone(a), orNone(b)))
		}
	}
	differ("harelab", build(was), build(is))
	differ("go", was.Go, is.Go)
	if was.Host != nil && is.Host != nil {
		differ("system", was.Host.OS+"/"+was.Host.Arch, is.Host.OS+"/"+is.Host.Arch)
		differ("processor", was.Host.CPU, is.Host.CPU)
		differ("processors", fmt.Sprint(was.Host.CPUs), fmt.Sprint(is.Host.CPUs))
		differ("GOMAXPROCS", fmt.Sprint(was.Host.Procs), fmt.Sprint(is.Host.Procs))
	}
	for i := range min(len(was.Arms), len(is.Arms)) {
		differ("target of "+was.Arms[i].Arm, was.Arms[i].Target, is.Arms[i].Target)
	}
	if len(out) == 0 {
		out = []string{"made with the same harelab, on a machine of the same kind"}
	}
	return out
}

// build returns the version of harelab that made a folder.
func build(m folder.Manifest) string {
	s := m.Version
	if m.Revision != "" {
		s += " " + m.Revision[:min(12, len(m.Revision))]
	}
	if m.Modified {
		s += " with changes"
	}
	return s
}

func orNone(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// writeFigures writes the default metrics of two runs side by side.
func writeFigures(w io.Writer, was, is *stat.Summary) error {
	rows := [][]string{{"  ", "was", "is", "change"}}
	for _, m := range compare.DefaultMetrics(was) {
		q, err := metric.Parse(m)
		if err != nil {
			return err
		}
		a, err := was.Ask(q)
		if err != nil {
			return err
		}
		b, err := is.Ask(q)
		if err != nil {
			return err
		}
		if math.IsNaN(a) || math.IsNaN(b) { // not visible
			continue
		}
		change := "="
		if a != b {
			change = compare.Delta(b / a)
		}
		rows = append(rows, []string{"  " + m, stat.Entry(a, q.Unit()), stat.Entry(b, q.Unit()), change})
	}
	return terminal.WriteRows(w, rows, 1)
}
