package stat

import (
	"math"
	"slices"

	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// offeredSlots is the number of busy slots that the open load needs, and slots the number
// that is there: above their ratio of 1 no dispatch can help. They are those of one phase
// of one set of queues that share workers: of the phase at the label's time, or else of all,
// and of the sets that the labels queue and worker admit, the one whose slots have the
// least to spare. The labels class and tenant choose the messages that need the slots.
// Bursts have no rate and need none. It is NaN where closed loops offer what the workers let
// them.
func (k *question) offeredSlots() float64 {
	ph, ok := k.busiest()
	if !ok {
		return math.NaN()
	}
	return ph.Offered
}

func (k *question) slots() float64 {
	ph, ok := k.busiest()
	if !ok {
		return math.NaN()
	}
	return float64(ph.Slots)
}

// busiest returns the phase whose slots have the least to spare.
func (k *question) busiest() (worst run.Phase, ok bool) {
	most := math.Inf(-1)
	for i := range k.ds.r.Capacity {
		p := &k.ds.r.Capacity[i]
		if !admitsAny(k.labels, "queue", p.Queues) || !admitsAny(k.labels, "worker", p.Workers) {
			continue
		}
		phases := p.Phases
		switch {
		case p.Closed:
			continue
		case len(phases) == 0:
			phases = []run.Phase{{To: math.MaxInt64, Slots: p.Slots, Speed: float64(p.Slots)}}
		}
		for _, ph := range phases {
			ph.Offered = k.offered(&ph)
			if at := k.phase.Microseconds(); k.phase >= 0 && (at < ph.From || at >= ph.To) || math.IsNaN(ph.Offered) {
				continue
			}
			share := math.Inf(1) // no slot is there
			if ph.Speed > 0 || ph.Offered == 0 {
				share = ph.Offered / max(ph.Speed, 1e-9)
			}
			if share > most {
				worst, ok, most = ph, true, share
			}
		}
	}
	return worst, ok
}

// offered returns the slots that the messages of a phase need whose class and tenant the
// labels admit; NaN if that is not known.
func (k *question) offered(ph *run.Phase) float64 {
	chooses := func(key string) bool {
		return slices.ContainsFunc(k.labels, func(l metric.Label) bool { return l.Key == key })
	}
	if ph.Offered == 0 || !chooses("class") && !chooses("tenant") {
		return ph.Offered
	}
	sum, known := 0.0, false
	for _, s := range ph.Shares {
		known = known || s.Tenant != "" || !chooses("tenant") || len(k.ds.r.Tenants) == 0
		if metric.Admit(k.labels, "class", s.Class) && metric.Admit(k.labels, "tenant", s.Tenant) {
			sum += s.Offered
		}
	}
	if !known {
		return math.NaN()
	}
	return sum
}

// admitsAny reports whether the labels with a key admit one of the names.
func admitsAny(labels []metric.Label, key string, names []string) bool {
	for _, name := range names {
		if metric.Admit(labels, key, name) {
			return true
		}
	}
	return false
}
