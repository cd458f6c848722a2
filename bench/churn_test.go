package bench

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"harelab/bench/matchlab"
	"harelab/bench/workload"
	"harelab/engine/topic"
)

// BenchmarkChurn measures one Match of two readers while a writer changes a binding for
// every hundred matches. The readers wait if the writer falls far behind. The metric
// max-ns is the longest time that a hundred matches took.
func BenchmarkChurn(b *testing.B) { benchmarkChurn(b, 1) }

// BenchmarkChurnQuiet is the control of BenchmarkChurn: the writer does nothing.
func BenchmarkChurnQuiet(b *testing.B) { benchmarkChurn(b, 0) }

func benchmarkChurn(b *testing.B, changes int) {
	eachMatch(b, func(b *testing.B, s topic.Strategy, e *expected) {
		m := s.New()
		e.Fill(m)
		churn(b, m, e, changes)
	})
}

func churn(b *testing.B, m topic.Matcher, e *expected, changes int) {
	tokens := make(chan struct{}, 64) // each stands for a hundred matches
	var writer, readers sync.WaitGroup
	writer.Go(func() {
		n := 0
		for range tokens {
			for range changes {
				change(m, e, n)
				n++
			}
		}
		if n%2 == 1 {
			change(m, e, n)
		}
	})
	var matches, want [2]int
	var longest [2]time.Duration
	b.ResetTimer()
	for r := range 2 {
		readers.Go(func() {
			from, n := r*len(e.Keys)/2, (b.N+r)/2
			matches[r], longest[r] = read(m, e, from, n, tokens)
			want[r] = e.of(from, n)
		})
	}
	readers.Wait()
	b.StopTimer()
	close(tokens)
	writer.Wait()
	got, all := matches[0]+matches[1], want[0]+want[1]
	if got > all || got < all*9/10 || changes == 0 && got != all {
		b.Errorf("%d matches, want %d, or up to a tenth less for unbound bindings", got, all)
	}
	b.ReportMetric(float64(got)/float64(b.N), "matches/op")
	b.ReportMetric(float64(max(longest[0], longest[1])), "max-ns")
}

// change unbinds a binding if n is even and binds it again if n is odd.
func change(m topic.Matcher, e *expected, n int) {
	bind := e.Bindings[n/2%len(e.Bindings)]
	if n%2 == 0 {
		m.Unbind(bind.Key, bind.Dest)
	} else {
		m.Bind(bind.Key, bind.Dest)
	}
}

// read matches n keys. It returns the number of matches and the longest time that a
// hundred keys took.
func read(m topic.Matcher, e *expected, from, n int, tokens chan<- struct{}) (matches int, longest time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dst := make([]topic.Dest, 0, 256)
	pauses := matchlab.NewPauses()
	for i := range n {
		dst = m.Match(dst[:0], e.Keys[(from+i)%len(e.Keys)])
		matches += len(dst)
		if i%100 == 99 {
			pauses.Tick()
			tokens <- struct{}{}
			pauses.Skip()
		}
	}
	return matches, pauses.Longest
}

// BenchmarkDeleteQueue measures the deletion of a queue that has 10,000 of a matcher's
// 100,000 bindings: the matcher unbinds them. The metric max-ns is the longest pause of
// a concurrent publisher, as the median over the deletions.
func BenchmarkDeleteQueue(b *testing.B) {
	w := workload.IoT(100_000)
	const queue = 1 << 20
	var own []string
	for i, bind := range w.Bindings {
		if i%10 == 0 {
			own = append(own, bind.Key)
		}
	}
	for _, s := range matchStrategies(b) {
		b.Run(fmt.Sprintf("strategy=%s/workload=iot/bindings=%d", s.Name, len(own)), func(b *testing.B) {
			m := s.New()
			w.Fill(m)
			var pauses []float64
			for b.Loop() {
				b.StopTimer()
				for _, key := range own {
					m.Bind(key, queue)
				}
				runtime.GC() // do not count garbage of the binds
				stop := matchlab.Publish(m, w.Keys)
				b.StartTimer()
				for _, key := range own {
					m.Unbind(key, queue)
				}
				b.StopTimer()
				pauses = append(pauses, float64(stop()))
				b.StartTimer()
			}
			if m.Len() != len(w.Bindings) {
				b.Errorf("%d bindings are left, want %d", m.Len(), len(w.Bindings))
			}
			b.ReportMetric(matchlab.Median(pauses), "max-ns")
		})
	}
}
