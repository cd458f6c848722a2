package lab

import (
	"context"
	"testing"
)

func BenchmarkSweepCell(b *testing.B) {
	axes := []Axis{{"prefetch", []string{"1", "8", "25"}}, {"workers", []string{"2", "4", "8"}}, {"dispatch", []string{"rr", "fair", "jsq", "lwl", "random"}}}
	for b.Loop() {
		s, err := NewSweep(SweepRequest{Scenario: "prefetch-sweep", Axes: axes, Target: Target{Kind: Sim}})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		if err := s.Run(context.Background(), nil, func(Cell) error { n++; return nil }, func(SweepProgress) {}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/float64(n), "ms/cell")
	}
}
