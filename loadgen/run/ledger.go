package run

// State is where a message was at the end of the run. Every message has one.
type State uint8

// The states of a message. A message with several copies is done when all copies
// that workers can receive are done; else it has the state of one that is not.
const (
	Done          State = iota // its work was finished
	Lost                       // the broker accepted it, it is gone, and no other state says why
	Left                       // it was in a queue or at a worker: see [Message.Where]
	Returned                   // the broker returned it: it was mandatory and matched no queue
	Unroutable                 // it matched no queue, and the broker dropped it without notice
	Refused                    // the broker refused it: a negative confirm, or a full queue that rejects
	DeadLetter                 // it was dead-lettered and lies in Queue
	Dropped                    // a full queue dropped it
	Expired                    // its time to live was over, and there was no dead-letter exchange
	Rejected                   // a worker rejected it without requeue, and there was no dead-letter exchange
	DeliveryLimit              // it was delivered too often, and there was no dead-letter exchange
	Gone                       // dropped, expired or lost: the target does not show which
)

var stateNames = [...]string{
	"done", "lost", "left", "returned", "unroutable", "refused", "dead-lettered",
	"dropped", "expired", "rejected", "delivery-limit", "gone",
}

// String returns the state's name as messages.csv writes it.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// A Cause is why a message left a queue without an acknowledgement.
type Cause uint8

// The causes, the gravest last.
const (
	NoCause     Cause = iota
	GivenUp           // a worker that gave it up published it elsewhere
	ByWorker          // a worker rejected it without requeue
	TTL               // its time to live was over
	Deliveries        // it was delivered too often: x-delivery-limit
	MaxMessages       // the queue had too many messages: x-max-length
	MaxOctets         // the queue had too many octets: x-max-length-bytes
	Overflow          // the queue was full and refused it
)

var causeNames = [...]string{
	"", "given-up", "rejected", "expired", "delivery-limit", "maxlen", "maxlen-bytes", "refused",
}

// String returns the cause's name as causes.csv writes it.
func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return "unknown"
}

// State returns the state of a message that is gone for the cause.
func (c Cause) State() State {
	switch c {
	case ByWorker, GivenUp:
		return Rejected
	case TTL:
		return Expired
	case Deliveries:
		return DeliveryLimit
	case MaxMessages, MaxOctets:
		return Dropped
	case Overflow:
		return Refused
	}
	return Lost
}

// A Place is where a message is that is left at the end of a run.
type Place uint8

// The places.
const (
	Ready   Place = iota // waiting in its queue
	Unacked              // with a worker, not started
	Running              // with a worker, under way
)

// Where returns the place of a message whose state is [Left].
func (m *Message) Where() Place {
	switch {
	case m.Worker < 0:
		return Ready
	case m.Started == None:
		return Unacked
	}
	return Running
}

// A Ledger accounts for every message of a run. It counts messages, but deliveries
// in Delivered, Redelivered and Inversions.
type Ledger struct {
	Published   int64 // handed to the client library
	Confirmed   int64 // -1: the run asked for no confirms
	Delivered   int64 // redeliveries included
	Finished    int64 // work finished at least once
	Acked       int64 // acked at least once (0 for ack none)
	Duplicated  int64 // work finished more often than the message has copies
	Redelivered int64 // flagged redelivered
	Inversions  int64 // first deliveries of a queue out of publish order within a priority

	// The other counts follow from the states of the messages; see [Ledger.Count].

	Returned        int64
	Unroutable      int64 // matched no queue, returned or dropped; -1: not visible
	Refused         int64
	Dropped         int64
	Expired         int64
	DeadLettered    int64
	Rejected        int64
	DeliveryLimited int64
	Lost            int64 // messages dropped as unroutable included
	Gone            int64
	Left            int64
}

// Count sets the counts that follow from the states of messages.
func (l *Ledger) Count(messages []Message) {
	var n [len(stateNames)]int64
	for i := range messages {
		n[messages[i].State]++
	}
	l.Returned, l.Unroutable, l.Refused = n[Returned], n[Returned]+n[Unroutable], n[Refused]
	l.Dropped, l.Expired, l.DeadLettered = n[Dropped], n[Expired], n[DeadLetter]
	l.Rejected, l.DeliveryLimited = n[Rejected], n[DeliveryLimit]
	l.Lost, l.Gone, l.Left = n[Lost]+n[Unroutable], n[Gone], n[Left]
}
