package loadgen

import (
	"fmt"
	"slices"
	"time"
)

// leastLate is the lateness in microseconds up to which a generator is on time at
// any rate.
const leastLate = int64(1000)

// Tardy is the lateness of the end of work above which the work counts as late.
const Tardy = 20 * time.Millisecond

// lateness marks the run invalid if the generator was late: if the 99th percentile
// of the lateness of paced messages is above both a millisecond and a tenth of the
// mean gap between them, the load was not the scenario's.
func (m *merger) lateness() {
	var lags []int64
	first, last := int64(1)<<62, int64(0)
	for i := range m.rows {
		if row := &m.rows[i]; row.Seq >= 0 && m.facts[i].paced {
			lags = append(lags, row.Sent-row.Intended)
			first, last = min(first, row.Intended), max(last, row.Intended)
		}
	}
	if len(lags) == 0 {
		return
	}
	slices.Sort(lags)
	p99 := lags[(99*len(lags)+99)/100-1]
	gap := int64(0)
	if len(lags) > 1 {
		gap = (last - first) / int64(len(lags)-1)
	}
	if limit := max(leastLate, gap/10); p99 > limit {
		us := func(v int64) time.Duration { return time.Duration(v) * time.Microsecond }
		m.find("late-generator", fmt.Sprintf(
			"The generator was late: 1 %% of the messages were sent %v or more after their time, and %v is the most for this rate. Offer less, or close what else runs on this machine.",
			us(p99), us(limit)), true)
	}
}

// tardiness adds a finding if more than 1 % of the work ended late: the waits are
// then longer than the scenario's.
func (m *merger) tardiness() {
	late, all := int64(0), int64(len(m.res.Spans))
	for _, w := range m.workers {
		late += w.Tardy
	}
	if late*100 > all {
		m.find("late-workers", fmt.Sprintf(
			"Late by more than %v: the end of work, %d times of %d. The machine was busy, and waits are longer than the scenario's.", Tardy, late, all), false)
	}
}
