package loadgen

import "time"

// An Observer shows when things happen inside a broker. The command gives one if
// the broker runs in this process. Other brokers have none: their times are not
// visible.
type Observer interface {
	// Started gives the instant of run time zero. The runner calls it once,
	// before it publishes the first message.
	Started(zero time.Time)

	// Times returns when the copy of message seq in queue was enqueued, was last
	// handed to a consumer, and was acked, in microseconds of run time or
	// run.None. The runner calls it after the run has ended.
	Times(seq int64, queue string) (enqueued, dispatched, acked int64)

	// Ended says that the run is over: what happens from now on does not change
	// fates. The runner calls it once, before it closes connections.
	Ended()

	// Fate returns what the broker did with copies of message seq other than
	// delivering them. The runner calls it after the run has ended.
	Fate(seq int64) Fate
}

// ClassProgress holds percentiles of the waits of a class so far.
type ClassProgress struct {
	Class    string
	P50, P99 time.Duration // -1: no message of the class has started
}

// Progress is the state of a run under way.
type Progress struct {
	Planned   int64           // number of messages of the plan; -1: closed loops decide it during the run
	Published int64           // number of messages
	Delivered int64           // number of deliveries
	Done      int64           // number of messages whose work is finished
	Depth     int64           // number of copies published and not yet delivered
	Rate      float64         // messages done per second, over the last second
	Classes   []ClassProgress // in order of the scenario's classes; empty in virtual time
	Elapsed   time.Duration   // run time
	Left      time.Duration   // estimate; -1: none
}
