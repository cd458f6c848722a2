package loadgen

import (
	"time"

	"harelab/scenarios"
)

// A Demand is what the load of a scenario asks of time and workers, as far as
// it is known before a run.
type Demand struct {
	Until time.Duration // when the load ends; 0 when it does not say
	Work  time.Duration // all service times together; 0 when it is not known
	Slots int
}

// walkable is how many messages are walked beforehand to know how much work
// they are.
const walkable = 200_000

// DemandOf reads the demand out of a scenario and its plan.
func DemandOf(s *scenarios.Scenario, p *Plan) Demand {
	var d Demand
	for i := range s.Workers {
		d.Slots += s.Workers[i].Slots
	}
	if n := p.Planned(); n < 0 || n > walkable {
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

// Least is how long a run on a real clock takes at least: to the end of the
// load, and as long as its work lasts spread evenly over all slots.
func (d Demand) Least() time.Duration {
	return max(d.Until, d.Work/time.Duration(max(1, d.Slots)))
}
