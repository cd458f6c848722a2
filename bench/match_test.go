package bench

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"harelab/bench/workload"
	"harelab/engine/topic"
)

// matchStrategies returns the strategies to benchmark: each by itself, and the default
// in each wrapper.
func matchStrategies(b *testing.B) []topic.Strategy {
	all := topic.Strategies()
	for _, w := range topic.Wrappers() {
		s, err := topic.Lookup(w.Name + "(" + topic.Default + ")")
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// eachMatch runs f for every strategy on every workload that it can finish.
func eachMatch(b *testing.B, f func(*testing.B, topic.Strategy, *expected)) {
	for _, spec := range workload.Specs() {
		var e *expected
		for _, s := range matchStrategies(b) {
			if spec.NoBacktracking && s.Combinatorial {
				continue
			}
			n := bindings(spec)
			b.Run(fmt.Sprintf("strategy=%s/workload=%s/bindings=%d", s.Name, spec.Name, n), func(b *testing.B) {
				if e == nil {
					e = expect(b, spec)
				}
				f(b, s, e)
			})
		}
	}
}

// bindings returns the number of bindings of a workload.
func bindings(spec workload.Spec) int { return len(made(spec).Bindings) }

var madeWorkloads sync.Map // by name; each is made once

func made(spec workload.Spec) *workload.Workload {
	w, ok := madeWorkloads.Load(spec.Name)
	if !ok {
		w, _ = madeWorkloads.LoadOrStore(spec.Name, spec.Make())
	}
	return w.(*workload.Workload)
}

// expected is a workload with the number of matches of its first keys.
type expected struct {
	*workload.Workload
	matches []int // total of the first 0, 1, 2, ... keys
}

func expect(b *testing.B, spec workload.Spec) *expected {
	e := &expected{Workload: made(spec), matches: []int{0}}
	s, err := topic.Lookup(topic.Default)
	if err != nil {
		b.Fatal(err)
	}
	m := s.New()
	e.Fill(m)
	n := 0
	var dst []topic.Dest
	for _, key := range e.Keys {
		dst = m.Match(dst[:0], key)
		n += len(dst)
		e.matches = append(e.matches, n)
	}
	if n != spec.Matches {
		b.Fatalf("workload %s: %d matches, want %d", spec.Name, n, spec.Matches)
	}
	return e
}

// of returns the number of matches of n keys from an index on.
func (e *expected) of(from, n int) int {
	keys := len(e.Keys)
	return (from+n)/keys*e.matches[keys] + e.matches[(from+n)%keys] - e.matches[from]
}

// check fails the benchmark unless matches is the number of matches of the first n keys
// of the stream.
func (e *expected) check(b *testing.B, n, matches int) {
	if want := e.of(0, n); matches != want {
		b.Errorf("%d matches of %d keys, want %d", matches, n, want)
	}
	b.ReportMetric(float64(matches)/float64(n), "matches/op")
}

// BenchmarkMatch measures one Match of the next key of the stream.
func BenchmarkMatch(b *testing.B) {
	eachMatch(b, func(b *testing.B, s topic.Strategy, e *expected) {
		m := s.New()
		e.Fill(m)
		dst := make([]topic.Dest, 0, 256)
		i, matches := 0, 0
		b.ReportAllocs()
		for b.Loop() {
			dst = m.Match(dst[:0], e.Keys[i])
			matches += len(dst)
			if i++; i == len(e.Keys) {
				i = 0
			}
		}
		e.check(b, b.N, matches)
	})
}

// BenchmarkBind measures one Bind while it fills an empty matcher, and the heap that the
// bindings take.
func BenchmarkBind(b *testing.B) {
	eachMatch(b, func(b *testing.B, s topic.Strategy, e *expected) {
		n := 0
		var m topic.Matcher
		for b.Loop() {
			if n%len(e.Bindings) == 0 {
				b.StopTimer()
				m = s.New()
				b.StartTimer()
			}
			bind := e.Bindings[n%len(e.Bindings)]
			if !m.Bind(bind.Key, bind.Dest) {
				b.Fatalf("Bind(%q, %d) = false", bind.Key, bind.Dest)
			}
			n++
		}
		b.ReportMetric(bytesPerBinding(s, e), "B/binding")
	})
}

// bytesPerBinding returns the bytes of heap that a full matcher takes for each binding.
func bytesPerBinding(s topic.Strategy, e *expected) float64 {
	before := heap()
	m := s.New()
	e.Fill(m)
	grown := heap() - before
	runtime.KeepAlive(m)
	return float64(grown) / float64(len(e.Bindings))
}

func heap() int64 {
	var s runtime.MemStats
	for range 2 { // the second collection frees what pools hold
		runtime.GC()
	}
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// BenchmarkUnbind measures one Unbind while it removes half of a full matcher's bindings.
func BenchmarkUnbind(b *testing.B) {
	eachMatch(b, func(b *testing.B, s topic.Strategy, e *expected) {
		half := max(len(e.Bindings)/2, 1)
		var m topic.Matcher
		for n := 0; b.Loop(); n++ {
			if n%half == 0 {
				b.StopTimer()
				m = s.New()
				e.Fill(m)
				b.StartTimer()
			}
			bind := e.Bindings[n%half*2]
			if !m.Unbind(bind.Key, bind.Dest) {
				b.Fatalf("Unbind(%q, %d) = false", bind.Key, bind.Dest)
			}
		}
	})
}
