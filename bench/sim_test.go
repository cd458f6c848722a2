package bench

import (
	"context"
	"fmt"
	"testing"

	"harelab/loadgen/sim"
	"harelab/scenarios"
)

// poisson is a source of n messages in virtual time. The times between them and their
// service times are exponential.
type poisson struct {
	n, sent            int
	at, mean           int64
	arrivals, services *sim.Rand
}

func (p *poisson) Len() int { return p.n }

func (p *poisson) Due(int64) (int64, bool) { return p.at, p.sent < p.n }

func (p *poisson) Next(m *sim.Message) bool {
	m.Intended, m.Sent = p.at, p.at
	m.RoutingKey = "q"
	m.Service = p.services.Exp(1_000_000)
	p.sent++
	p.at += p.arrivals.Exp(p.mean)
	return true
}

// BenchmarkSim runs a million messages through one queue and four workers at load 0.8 in
// virtual time. It measures the whole broker except its sockets.
func BenchmarkSim(b *testing.B) {
	const messages, workers = 1_000_000, 4
	for _, dispatch := range []string{"rr", "fair", "jsq"} {
		for _, prefetch := range []int{1, 10} {
			b.Run(fmt.Sprintf("dispatch=%s/target=sim/consumers=%d/prefetch=%d", dispatch, workers, prefetch), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					m := &sim.Model{
						Queues: []scenarios.Queue{{Name: "q", Arguments: []scenarios.Argument{{Name: "x-dispatch", Value: dispatch}}}},
						Source: &poisson{n: messages, mean: 312_500, arrivals: sim.NewRand(1), services: sim.NewRand(2)},
					}
					for i := range workers {
						m.Workers = append(m.Workers, sim.Worker{
							Name: fmt.Sprintf("w%d", i), Slots: 1, JoinsAt: -1,
							Subscriptions: []sim.Subscription{{Queue: "q", Prefetch: prefetch}},
						})
					}
					out, err := m.Run(context.Background())
					if err != nil {
						b.Fatal(err)
					}
					if out.Ledger.Finished != messages {
						b.Fatalf("%d messages finished, want %d", out.Ledger.Finished, messages)
					}
				}
				b.ReportMetric(messages, "msgs")
			})
		}
	}
}
