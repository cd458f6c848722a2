package stat

import "harelab/loadgen/run"

// Parts splits the mean time of messages from intended to done, in seconds.
type Parts struct {
	Late    float64 `json:"late"`    // until they were sent: the load generator was late
	Wire    float64 `json:"wire"`    // between publisher, broker and worker
	Queued  float64 `json:"queued"`  // in the queue that they were delivered from
	Earlier float64 `json:"earlier"` // in earlier queues and deliveries, from which they came back
	Before  float64 `json:"before"`  // not split, since the target does not show it: Wire, Queued and Earlier
	Held    float64 `json:"held"`    // received by a worker, not started
	Service float64 `json:"service"` // being worked on
}

// parts splits the time of the finished messages, nil if there are none.
func (v view) parts() *Parts {
	var late, wire, queued, earlier, before, held, service, n int64
	for _, m := range v.rows {
		if m.State != run.Done || m.Started == run.None || m.Done == run.None || m.Received == run.None {
			continue
		}
		n++
		late += m.Sent - m.Intended
		held += m.Started - m.Received
		service += m.Done - m.Started
		transit := m.Received - m.Sent
		switch {
		case m.Enqueued == run.None || m.Dispatched == run.None:
			before += transit
		case m.Attempts > 1 || m.Cause != run.NoCause:
			earlier += m.Dispatched - m.Sent
			wire += m.Received - m.Dispatched
		default:
			queued += m.Dispatched - m.Enqueued
			wire += transit - (m.Dispatched - m.Enqueued)
		}
	}
	if n == 0 {
		return nil
	}
	mean := func(us int64) float64 { return seconds(us) / float64(n) }
	return &Parts{
		Late: mean(late), Wire: mean(wire), Queued: mean(queued), Earlier: mean(earlier), Before: mean(before),
		Held: mean(held), Service: mean(service),
	}
}
