package stat

import (
	"math"
	"testing"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// shares divides slots by class and tenant.
func shares(slots float64) []run.Share {
	return []run.Share{{Class: "a", Tenant: "x", Offered: slots / 2}, {Class: "b", Tenant: "x", Offered: slots / 3}, {Class: "b", Tenant: "y", Offered: slots / 6}}
}

// twoPools is the plan of a run of queues p and q, each with a worker of its own.
func twoPools() []run.Pool {
	return []run.Pool{
		{Queues: []string{"p"}, Workers: []string{"v"}, Phases: []run.Phase{
			{From: 0, To: 10e6, Offered: 1, Slots: 4, Speed: 4, Shares: shares(1)}, {From: 10e6, To: 20e6, Offered: 6, Slots: 4, Speed: 4, Shares: shares(6)}}},
		{Queues: []string{"q"}, Workers: []string{"w"}, Phases: []run.Phase{
			{From: 0, To: 10e6, Offered: 9, Slots: 8, Speed: 8, Shares: shares(9)}, {From: 10e6, To: 20e6, Offered: 10, Slots: 32, Speed: 16, Shares: shares(10)}}},
	}
}

// TestOfferedSlots: the phase with the least to spare, of the queues and workers that the
// labels admit.
func TestOfferedSlots(t *testing.T) {
	r := everything()
	r.Capacity = twoPools()
	s := Summarize(r)
	for labels, want := range map[string][2]float64{
		"": {6, 4}, "{queue=q}": {9, 8}, "{worker!=v}": {9, 8}, "{phase=3s}": {9, 8}, "{phase=10s}": {6, 4},
		"{class=a}": {3, 4}, "{class!=a,queue=q}": {4.5, 8}, "{tenant=y}": {1, 4}, "{tenant!=y,class=b,phase=15s}": {2, 4},
		"{queue=q,phase=15s}": {10, 32}, "{phase=20s}": {math.NaN(), math.NaN()}, "{queue=p,worker=w}": {math.NaN(), math.NaN()},
	} {
		for i, name := range []string{"offered_slots", "slots"} {
			if got, err := s.Ask(metric.Must(name + labels)); err != nil || !same(got, want[i]) {
				t.Errorf("%s%s = %v, %v, want %v", name, labels, got, err, want[i])
			}
		}
	}
	for _, tt := range []struct {
		name        string
		pool        run.Pool
		need, there float64
	}{
		{"bursts", run.Pool{Queues: []string{"p"}, Workers: []string{"v"}, Slots: 4}, 0, 4},
		{"closed loops", run.Pool{Queues: []string{"p"}, Workers: []string{"v"}, Slots: 4, Closed: true}, math.NaN(), math.NaN()},
	} {
		r.Capacity = []run.Pool{tt.pool}
		s := Summarize(r)
		for name, want := range map[string]float64{"offered_slots": tt.need, "slots": tt.there} {
			if got, err := s.Ask(metric.Must(name + "{class=a}")); err != nil || !same(got, want) {
				t.Errorf("%s: %s is %v, %v, want %v", tt.name, name, got, err, want)
			}
		}
	}
}
