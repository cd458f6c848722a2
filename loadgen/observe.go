package loadgen

import "time"

// An Observer shows what happens inside a broker. The runner of the command
// gives one when the broker runs in this process; for any other broker there is
// none and the times are not visible.
type Observer interface {
	// Started says when run time zero is. It is called once, before the
	// first message is published.
	Started(zero time.Time)

	// Times returns when the copy of message seq in queue was enqueued, last
	// handed to a consumer, and when its ack was seen, in microseconds of run
	// time, or run.None. It is called after the run has ended.
	Times(seq int64, queue string) (enqueued, dispatched, acked int64)
}

// ClassProgress is how long the messages of a class have waited so far.
type ClassProgress struct {
	Class    string
	P50, P99 time.Duration // -1 before the first started
}

// Progress is the state of a run under way.
type Progress struct {
	Planned   int64 // messages in all, -1 when closed loops leave that to the run
	Published int64
	Delivered int64
	Done      int64           // messages worked on to the end
	Depth     int64           // messages published and not yet delivered
	Rate      float64         // messages done per second, over the last second
	Classes   []ClassProgress // in order of the scenario's classes; only real runs have them
	Elapsed   time.Duration   // run time
	Left      time.Duration   // estimate, -1 when there is none
}
