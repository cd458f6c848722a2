package run

// A Pool is a set of queues that share workers, directly or through other queues, with
// the work that the load of a plan offers them and the slots that there are. Work is
// service time. A slot does a second of it each second, or less if its worker is slow.
//
// Closed loops adapt to what the workers do, so their messages are not counted. Of a
// message that is tried again, only the first attempt is.
type Pool struct {
	Queues    []string   `json:"queues"`
	Workers   []string   `json:"workers"`
	Slots     int        `json:"slots"`                  // of all workers
	Closed    bool       `json:"closed_loops,omitempty"` // closed loops offer work too, as much as the workers let them
	Phases    []Phase    `json:"phases,omitempty"`       // in order of time; without those that offer nothing
	Overloads []Overload `json:"overloads,omitempty"`    // in order of time
	Burst     *Burst     `json:"burst,omitempty"`        // the one that takes longest; nil: there is none
}

// A Phase is a span of time between two changes of the load or of the workers. Times are
// microseconds of run time.
type Phase struct {
	From    int64   `json:"from_us"`
	To      int64   `json:"to_us"`
	Offered float64 `json:"offered_slots"`    // rate x mean service, by the rates and distributions of the load
	Peak    float64 `json:"peak_slots"`       // the most that is offered, where the rate changes during the phase
	Drawn   float64 `json:"drawn_slots"`      // the same by the messages as drawn; equal to Offered for plans too large to walk
	Slots   int     `json:"slots"`            // of the workers that are there
	Speed   float64 `json:"slot_speed"`       // the work that these slots do in a second, in seconds
	Shares  []Share `json:"shares,omitempty"` // of Offered, by class and tenant as drawn; nil: not known
}

// A Share is the slots that the messages of a class need, and of a tenant if there are few.
type Share struct {
	Class   string  `json:"class"`
	Tenant  string  `json:"tenant,omitempty"` // empty: they have none, or tenants are too many to tell apart
	Offered float64 `json:"offered_slots"`
}

// An Overload is a span in which the load of some queues needs more slots than their
// workers have. Whatever the dispatch, the work left grows from its start to its end.
type Overload struct {
	From    int64    `json:"from_us"`
	To      int64    `json:"to_us"`
	Queues  []string `json:"queues,omitempty"` // empty: all of the pool
	Needs   float64  `json:"needs_slots"`      // busy slots, each at the load's own pace; if Varies, the most
	Varies  bool     `json:"varies,omitempty"`
	Slots   int      `json:"slots"`           // the fewest that are there
	Most    int      `json:"most_slots"`      // the most that are there
	Speed   float64  `json:"slot_speed"`      // as of a Phase, the least
	Enough  int      `json:"enough_slots"`    // the fewest slots that are busy at most 97 % of the time
	Drained int64    `json:"drained_us"`      // the earliest time at which the work left can be done; math.MaxInt64: never; None: not known
	Seed    float64  `json:"drawn_slots"`     // Needs by the messages as drawn, on average; 0: they were too many to walk
	Drawn   bool     `json:"drawn,omitempty"` // Needs is what this draw of the load needs; by rates and distributions the slots are enough
}

// A Burst is the work of messages that arrive at one instant.
type Burst struct {
	At     int64    `json:"at_us"`
	Queues []string `json:"queues,omitempty"` // empty: all of the pool
	Work   int64    `json:"work_us"`          // sum of the service times
	Slots  int      `json:"slots"`            // that are there at that instant
	Least  int64    `json:"least_us"`         // time that the slots need for it, if they do nothing else and never idle
}
