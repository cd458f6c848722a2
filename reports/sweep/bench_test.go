package sweep

import (
	"bytes"
	"testing"

	"golang.org/x/perf/benchfmt"

	"harelab/reports/arms"
	"harelab/reports/folder"
	"harelab/reports/internal/specimen"
	"harelab/scenarios/metric"
)

// TestBenchFilesSayWhatIsBetter: bench.txt of runs and of sweeps has a direction for the
// unit of every figure, unless the metric itself has none.
func TestBenchFilesSayWhatIsBetter(t *testing.T) {
	neutral := map[string]bool{
		metric.Must("service.mean").BenchUnit(): true, metric.Must("utilisation").BenchUnit(): true,
	}
	var runs, cells bytes.Buffer
	if err := folder.WriteBench(&runs, folder.New(arms.Summarize(specimen.CeleryInitial()), folder.Manifest{})); err != nil {
		t.Fatal(err)
	}
	if err := grid(1).WriteBench(&cells); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]*bytes.Buffer{"runs": &runs, "cells": &cells} {
		figures := 0
		for r := benchfmt.NewReader(file, name); r.Scan(); {
			rec, ok := r.Result().(*benchfmt.Result)
			if !ok {
				continue
			}
			for _, v := range rec.Values {
				figures++
				if r.Units().GetBetter(v.Unit) == 0 && !neutral[v.Unit] {
					t.Errorf("%s: the file does not say which direction of %q is better", name, v.Unit)
				}
			}
		}
		if figures == 0 {
			t.Errorf("%s: no figures", name)
		}
	}
}
