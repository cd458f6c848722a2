package loadgen

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"harelab/scenarios"
)

// RaceWindow is the time within which the order between two queues is open. On RabbitMQ
// each queue is a process: what is published to two of them within about this time is
// dispatched in either order.
const RaceWindow = 10 * time.Millisecond

// raceSpacing is the time between two messages of a burst, which a plan has at one
// instant: a client takes about as long to publish one.
const raceSpacing = 100 * time.Microsecond

// MayRace reports whether the order between queues can matter: a worker consumes from
// several of them. The order between queues that share no worker changes nothing.
func MayRace(s *scenarios.Scenario) bool {
	return slices.ContainsFunc(s.Workers, func(w scenarios.Worker) bool { return len(w.Consume) > 1 })
}

// A Race exchanges publications to different queues that are within [RaceWindow] of each
// other. Messages of one queue keep their order. What it draws depends on the scenario's
// seed and the number of the try, from 1.
type Race struct {
	router *Router
	draws  *rand.Rand
	steady bool    // each queue is late by a fixed time; otherwise each message by its own
	late   []int64 // by queue, microseconds
	last   []int64 // by queue: the greatest key so far
	at     int64   // time of the latest message
	rank   int64   // its place among those of that time
}

// NewRace returns the race of one try.
func NewRace(s *scenarios.Scenario, try int) *Race {
	r := &Race{
		router: NewRouter(s), draws: scenarios.Stream(s.Seed, fmt.Sprintf("race/%d", try)), steady: try%2 == 1,
		late: make([]int64, len(s.Queues)), last: make([]int64, len(s.Queues)), at: -1,
	}
	for i := range r.late {
		r.late[i] = r.draw()
	}
	return r
}

func (r *Race) draw() int64 { return r.draws.Int64N(RaceWindow.Microseconds() + 1) }

// Key returns the time in microseconds by which the next message of the plan is put in
// order: when its queue takes it. Call it in order of the plan.
func (r *Race) Key(at int64, exchange, routingKey string, headers []scenarios.Argument) int64 {
	if r.rank++; at != r.at {
		r.at, r.rank = at, 0
	}
	queues := r.router.Route(exchange, routingKey, headers)
	late := int64(0)
	switch {
	case !r.steady:
		late = r.draw()
	case len(queues) > 0:
		late = r.late[queues[0]]
	}
	key := at + r.rank*raceSpacing.Microseconds() + late
	for _, q := range queues {
		key = max(key, r.last[q])
	}
	for _, q := range queues {
		r.last[q] = key
	}
	return key
}
