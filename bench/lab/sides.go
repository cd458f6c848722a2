package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"harelab/reports/compare"
	"harelab/reports/folder"
	"harelab/reports/stat"
	"harelab/reports/sweep"
)

// OpenSides reads the sides of a comparison, one for each path: results folders, or
// files in Go's benchmark format. If one of the paths is a benchmark file or a sweep's
// folder, the bench.txt of each folder is read. Metrics choose among the figures of
// runs; nil stands for the usual ones.
func OpenSides(paths, metrics []string) ([]*compare.Side, error) {
	files, err := benchFiles(paths)
	if err != nil {
		return nil, err
	}
	if files == nil {
		return folderSides(paths, metrics)
	}
	if len(metrics) > 0 {
		return nil, &UsageError{"--metric chooses among the figures of runs; of benchmark files all are compared"}
	}
	var sides []*compare.Side
	for _, path := range files {
		side, err := compare.Open(path, nil)
		if err != nil {
			return nil, err
		}
		side.Name = path
		sides = append(sides, side)
	}
	return sides, nil
}

// benchFiles returns the benchmark file of each path, or nil if all are results folders
// of runs. A sweep has no runs to compare: its bench.txt has its cells.
func benchFiles(paths []string) ([]string, error) {
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(paths, func(p string) bool { return !isFolder(p) || sweep.Is(p) }) {
		return nil, nil
	}
	files := slices.Clone(paths)
	for i, path := range files {
		if isFolder(path) {
			files[i] = filepath.Join(path, "bench.txt")
		}
	}
	return files, nil
}

func folderSides(paths, metrics []string) ([]*compare.Side, error) {
	var all []*stat.Summary
	runs := make([][]*stat.Summary, len(paths))
	for i, path := range paths {
		ss, err := folder.ReadSummaries(path)
		if err != nil {
			return nil, err
		}
		runs[i], all = ss, append(all, ss...)
	}
	if err := compare.Check(metrics, all); err != nil {
		return nil, &UsageError{err.Error()}
	}
	return compare.Sides(paths, runs, metrics)
}

// CheckCommon refuses a comparison in which a side has no figure that the base has.
func CheckCommon(c *compare.Comparison) error {
	for i, side := range c.News {
		if !slices.ContainsFunc(c.Rows, func(r compare.Row) bool { return r.News[i].N > 0 }) {
			return fmt.Errorf("%s and %s have nothing in common to compare", side.Name, c.Base.Name)
		}
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
