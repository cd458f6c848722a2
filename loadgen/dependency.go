package loadgen

import (
	"container/heap"
	"sync"

	"harelab/scenarios"
)

// A Dependency is the state of a scenario's dependency in one run: when its places will
// be free. Any number of goroutines may use it.
type Dependency struct {
	mu     sync.Mutex
	places timeHeap // run times from which each place is free, microseconds
}

// NewDependencies returns the dependencies of a scenario by name.
func NewDependencies(s *scenarios.Scenario) map[string]*Dependency {
	all := map[string]*Dependency{}
	for _, x := range s.Dependencies {
		all[x.Name] = &Dependency{places: make(timeHeap, x.Capacity)}
	}
	return all
}

// Call begins an attempt at a run time and returns how long the dependency takes for it,
// both in microseconds. work is its service time; see [scenarios.Dependency] for the
// model. A nil dependency takes the service time.
func (d *Dependency) Call(now, work int64) int64 {
	if d == nil {
		return work
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	end := max(now, d.places[0]) + work
	d.places[0] = end
	heap.Fix(&d.places, 0)
	return end - now
}

// A timeHeap has the earliest time first. It neither grows nor shrinks.
type timeHeap []int64

func (h timeHeap) Len() int           { return len(h) }
func (h timeHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h timeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h timeHeap) Push(any)           {}
func (h timeHeap) Pop() any           { return nil }
