package lab

import (
	"fmt"
	"os"
	"slices"

	"harelab/reports/compare"
	"harelab/reports/folder"
	"harelab/reports/stat"
)

// OpenSides reads the sides of a comparison, a results folder of runs for each path.
// Metrics choose among the figures of runs; nil stands for the usual ones.
func OpenSides(paths, metrics []string) ([]*compare.Side, error) {
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
