package loadgen

import "harelab/loadgen/run"

// A Log is what one runner recorded of its share of a run. It holds values only
// and may be sent to another machine. A share is a set of publishers and workers;
// each belongs to one share of a run. [Merge] makes the result of a run of the
// logs of its shares.
//
// All times are microseconds of run time, run.None where it did not come to that.
type Log struct {
	Publishers []PublisherLog
	Workers    []WorkerLog
	Parked     []Parked      // what lay in queues without consumers at the end; one share looks
	Series     []run.Sample  // of the share: of two shares the counts add up
	Findings   []run.Finding // about the share
	Late       int64         // how late the machine woke the share at most, in microseconds
	End        int64         // when the share ended
	Partial    bool          // it was cut short
}

// A PublisherLog is what the publisher of one sequence recorded.
type PublisherLog struct {
	Sequence int32    // index into Scenario.Load
	Sent     []Sent   // in the order of sending
	Answered []Answer // confirms, in the order in which they came on each connection
	Returned []int64  // numbers of the messages that the broker returned
}

// A Sent is one message that was handed to the client library. Seq tells it from
// all others of the run, and ascends in one publisher.
type Sent struct {
	Seq, Intended, At int64
	Service           int64  // microseconds of work asked for
	Tenant            string // empty: none
	Class             int32
	Copies            int32 // queues that it should reach
	Paced             bool  // its time was set one by one: lateness counts
}

// An Answer is the broker's confirm of one message, positive or negative.
type Answer struct {
	Seq, At int64
	Ack     bool
}

// A WorkerLog is what one worker recorded.
type WorkerLog struct {
	Worker     int32     // index into Scenario.Workers
	Attempts   []Attempt // one per delivery, in the order in which they ended
	Acked      []int64   // numbers of the messages whose acks were sent, in order
	Inversions int64     // first deliveries after a later message of the same queue, sequence and priority
	Tardy      int64     // attempts whose work ended late, by more than [Tardy]
}

// An Attempt is what became of one delivery.
type Attempt struct {
	Seq         int64 // -1 where the body was none of a run
	Received    int64
	Started     int64
	Ended       int64
	Queue       int32 // index into Scenario.Queues
	Slot        int32 // -1: none
	End         AttemptEnd
	Redelivered bool
	Forgotten   bool // the broker did not wait for an ack any more when the attempt ended
}

// An AttemptEnd is how an attempt ended.
type AttemptEnd uint8

// The ends of attempts.
const (
	Finished AttemptEnd = iota // the work was done
	Failed                     // by the scenario's fail policy, to be tried again
	Rejected                   // likewise, without requeue: dead-lettered or discarded
	Cut                        // the worker died over it
	Unended                    // the run ended before
)

// A Parked is a message that lay in a queue without consumers when the run was over.
type Parked struct {
	Seq   int64
	Queue int32
}
