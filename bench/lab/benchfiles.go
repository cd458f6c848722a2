package lab

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"harelab/reports/benchfile"
	"harelab/reports/compare"
	"harelab/reports/sweep"
)

// OpenBench reads files in Go's benchmark format, one for each path; of a folder it reads
// bench.txt. It returns nil if all paths are results folders of runs, which say more than
// their bench.txt. Filter selects benchmarks in benchproc's syntax; empty stands for all.
func OpenBench(paths []string, filter string) (*benchfile.Set, error) {
	files := slices.Clone(paths)
	some := false
	for i, path := range paths {
		runs, err := hasRuns(path)
		if err != nil {
			return nil, err
		}
		some = some || !runs
		if isFolder(path) {
			files[i] = filepath.Join(path, "bench.txt")
		}
	}
	if !some {
		return nil, nil
	}
	if err := benchfile.CheckFilter(filter); err != nil {
		return nil, &UsageError{err.Error()}
	}
	return benchfile.Open(files, filter)
}

// hasRuns reports whether a path is a results folder of runs, or a folder without
// bench.txt that can be nothing else. Neither the folder of a sweep nor that of a
// comparison of matchers has runs.
func hasRuns(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return false, err
	case !info.IsDir() || sweep.Is(path):
		return false, nil
	}
	if _, err := os.Stat(filepath.Join(path, "manifest.json")); err == nil {
		return true, nil
	}
	_, err = os.Stat(filepath.Join(path, "bench.txt"))
	return errors.Is(err, fs.ErrNotExist), nil
}

// A BenchGate checks a benchmark file against another, row by row, by rules such as
// "ns/op +5%".
type BenchGate struct {
	set   *benchfile.Set
	rules []benchfile.Rule
}

// OpenBenchGate reads base and news, which are files or folders with bench.txt. It
// returns nil if they are results folders of runs, for which [OpenGate] is. News may be
// empty for a gate that only checks itself.
func OpenBenchGate(base, news, filter string, rules []string) (*BenchGate, error) {
	paths := []string{base}
	if news != "" {
		paths = append(paths, news)
	}
	set, err := OpenBench(paths, filter)
	if set == nil || err != nil {
		return nil, err
	}
	if news != "" {
		if err := set.Compare().CheckCommon(); err != nil {
			return nil, err
		}
	}
	g := &BenchGate{set: set}
	for _, text := range rules {
		r, err := benchfile.ParseRule(text)
		if err != nil {
			return nil, &UsageError{err.Error()}
		}
		g.rules = append(g.rules, r)
	}
	return g, nil
}

// SelfCheck plants a regression in each row of the base and returns an error unless every
// rule finds it.
func (g *BenchGate) SelfCheck(w io.Writer) error {
	for _, r := range g.rules {
		n, err := g.set.SelfCheck(r)
		if err != nil {
			return err
		}
		if err := benchfile.WriteCanFail(w, r, n); err != nil {
			return err
		}
	}
	return nil
}

// Run prints the outcome of each rule and returns the worst.
func (g *BenchGate) Run(w io.Writer) (compare.GateOutcome, error) {
	results, err := g.set.Gate(g.rules)
	if err != nil {
		return 0, &UsageError{err.Error()}
	}
	if err := benchfile.WriteGate(w, results); err != nil {
		return 0, err
	}
	return benchfile.Worst(results), nil
}
