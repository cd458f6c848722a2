package loadgen

import (
	"time"

	"harelab/scenarios"
)

// A Demand is the time and work that the load of a scenario takes, as far as it is
// known before a run.
type Demand struct {
	Until time.Duration // run time of the end of the load; 0: not known
	Work  time.Duration // sum of all service times; 0: not known
	Slots int           // number of slots of all workers
}

// maxSummed is the number of messages in a plan up to which DemandOf adds up their
// service times.
const maxSummed = 200_000

// DemandOf returns the demand of a scenario and its plan.
func DemandOf(s *scenarios.Scenario, p *Plan) Demand {
	var d Demand
	for i := range s.Workers {
		d.Slots += s.Workers[i].Slots
	}
	if n := p.Planned(); n < 0 || n > maxSummed {
		for i := range s.Load {
			length := s.Load[i].Start
			for j := range s.Load[i].Phases {
				length += s.Load[i].Phases[j].Duration
			}
			d.Until = max(d.Until, length)
		}
		return d
	}
	stream := p.All()
	for m := (Planned{}); stream.Next(&m); {
		d.Work += time.Duration(m.Service) * time.Microsecond
		d.Until = max(d.Until, time.Duration(m.At)*time.Microsecond)
	}
	return d
}

// Least returns a lower bound of the length of a run on a real clock: the end of
// the load, or the time that the work takes when spread evenly over all slots.
func (d Demand) Least() time.Duration {
	return max(d.Until, d.Work/time.Duration(max(1, d.Slots)))
}
