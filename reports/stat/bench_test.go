package stat

import (
	"testing"

	"harelab/reports/internal/specimen"
)

// BenchmarkSummarize measures the figures of a run of 20,000 messages.
func BenchmarkSummarize(b *testing.B) {
	r := specimen.Tenants(20_000)
	b.ReportAllocs()
	for b.Loop() {
		if s := Summarize(r); s.All.N != len(r.Messages) {
			b.Fatalf("%d of %d messages", s.All.N, len(r.Messages))
		}
	}
	b.ReportMetric(float64(len(r.Messages)), "msgs")
}
