package loadgen

import "harelab/loadgen/run"

// A Log is what one runner measured in its share of a run. It holds values only
// and may be sent to another machine. A share is a set of publishers and workers;
// each belongs to one share of a run. [Merge] makes the result of a run from the
// logs of its shares.
//
// All times are microseconds of run time, run.None for an event that did not happen.
type Log struct {
	Publishers []PublisherLog
	Workers    []WorkerLog
	Parked     []Parked      // messages in queues without consumers at the end; in the log of one share
	Interval   int64         // microseconds between samples of Series; 0: the scenario's
	Series     []run.Sample  // counts of the share; Merge adds up those of all shares
	Findings   []run.Finding // about the share
	Late       int64         // greatest lateness of a wake-up, in microseconds
	End        int64         // when the share ended
	Partial    bool          // the share was cut short
	TimedOut   bool          // it was cut short by the scenario's timeout
}

// A PublisherLog is what the publisher of one sequence measured.
type PublisherLog struct {
	Sequence int32    // index into Scenario.Load
	Sent     []Sent   // in the order of sending
	Answered []Answer // confirms, in the order in which they came on each connection
	Returned []int64  // numbers of the messages that the broker returned
}

// A Sent is one message that was handed to the client library. Seq is unique in
// the run and ascends in one publisher.
type Sent struct {
	Seq, Intended, At int64
	Service           int64  // microseconds of work asked for
	Tenant            string // empty: none
	Class             int32  // index into Scenario.Classes
	Copies            int32  // number of queues that the message should reach
	Workable          int32  // number of these that a worker consumes
	Queue             int32  // index into Scenario.Queues of the first of these; -1: none
	Paced             bool   // as in Planned
}

// An Answer is the broker's confirm of one message, positive or negative.
type Answer struct {
	Seq, At int64
	Ack     bool
}

// A WorkerLog is what one worker measured.
type WorkerLog struct {
	Worker     int32     // index into Scenario.Workers
	Attempts   []Attempt // one per delivery, in the order in which they ended
	Acked      []int64   // numbers of the messages whose acks were sent, in order
	Inversions int64     // number of first deliveries after a later message of the same queue, sequence and priority
	Unacked    int64     // number of deliveries whose work was done and whose acks were not sent
}

// An Attempt is one delivery and its end.
type Attempt struct {
	Seq         int64 // -1: a foreign body
	Received    int64
	Started     int64
	Ended       int64
	Queue       int32 // index into Scenario.Queues
	Slot        int32 // -1: none
	Late        int32 // microseconds by which the work ended after its time
	End         AttemptEnd
	Redelivered bool
	Forgotten   bool // when the attempt ended, the broker expected no ack: none was needed, or it was sent
}

// An AttemptEnd is how an attempt ended.
type AttemptEnd uint8

// The ends of attempts.
const (
	Finished AttemptEnd = iota // the work was done
	Failed                     // the fail policy made it fail, and the message is tried again
	Rejected                   // the fail policy made it fail, and the message is dead-lettered or discarded
	Cut                        // the worker died before the work was done
	Unended                    // the run ended before the work was done
)

// A Parked is a message that lay in a queue without consumers when the run was over.
type Parked struct {
	Seq   int64
	Queue int32
}
