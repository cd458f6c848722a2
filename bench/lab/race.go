package lab

import (
	"context"
	"fmt"

	"harelab/loadgen"
	"harelab/loadgen/run"
	"harelab/loadgen/sim"
	"harelab/reports/arms"
	"harelab/reports/stat"
	"harelab/scenarios"
)

// Bounds of the tries of a race: their number, and the number of messages of all tries
// together. A plan that leaves fewer than leastTries is not tried.
const (
	mostTries   = 20
	leastTries  = 4
	triedAtMost = 200_000
)

// races tries each arm's plan again in virtual time, with publications to different queues
// exchanged, and gives the runs of the arm what it found: see [stat.Race]. Repeats have
// other plans and are left out.
func races(ctx context.Context, asked []Arm, runs []*arms.Run, known map[string]*stat.Race) error {
	for _, a := range asked {
		if a.Repeat > 0 {
			continue
		}
		key := fmt.Sprint(a.Name(), a.Scenario.Seed)
		found, done := known[key]
		if !done {
			var err error
			if found, err = race(ctx, a.Scenario); err != nil || ctx.Err() != nil {
				return err
			}
			known[key] = found
		}
		if found == nil {
			continue
		}
		for _, r := range runs {
			if r.Result.Arm() == a.Name() && r.Result.Seed == a.Scenario.Seed && r.Result.Repeat == 0 && r.Summary.Race == nil {
				r.Summary.AddRace(found)
			}
		}
	}
	return nil
}

// race tries a plan in other orders. It returns nil where the order between queues cannot
// matter. Plans with closed loops, whose messages are not known in advance, are not tried.
func race(ctx context.Context, s *scenarios.Scenario) (*stat.Race, error) {
	if !loadgen.MayRace(s) || s.Refuse("virtual time", loadgen.Features...) != nil {
		return nil, nil
	}
	plan, err := loadgen.NewPlan(s)
	if err != nil {
		return nil, err
	}
	if !plan.Static() {
		return &stat.Race{Window: loadgen.RaceWindow.Seconds(), Closed: true}, nil
	}
	tries := mostTries
	if n := plan.Planned(); n > 0 {
		tries = min(mostTries, triedAtMost/n)
	}
	if tries < leastTries {
		return &stat.Race{Window: loadgen.RaceWindow.Seconds(), Messages: plan.Planned()}, nil
	}
	exact, err := sim.Run(ctx, s, sim.Options{})
	if err != nil {
		return nil, err
	}
	var others []*run.Result
	for try := 1; try <= tries && ctx.Err() == nil; try++ {
		r, err := sim.Run(ctx, s, sim.Options{Race: try})
		if err != nil {
			return nil, err
		}
		others = append(others, r)
	}
	return stat.NewRace(loadgen.RaceWindow.Seconds(), exact, others), nil
}
