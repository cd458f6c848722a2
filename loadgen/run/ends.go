package run

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
)

// An End is a number of messages of a run that were not done, and what became of them.
type End struct {
	N      int    `json:"n"`
	State  string `json:"state"`            // as messages.csv names it
	Cause  string `json:"cause,omitempty"`  // as causes.csv names it
	From   string `json:"from,omitempty"`   // the queue that they left for the cause
	Queue  string `json:"queue,omitempty"`  // the queue that they are in
	Worker string `json:"worker,omitempty"` // the worker that had them last
	Place  string `json:"place,omitempty"`  // of messages that are left: "ready", "unacked" or "running"
	Note   string `json:"note,omitempty"`   // what else is known of the place
}

var placeNames = [...]string{"ready", "unacked", "running"}

// Ends counts the messages that were not done, by what became of them: the most
// frequent first.
func (r *Result) Ends() []End {
	counts := map[End]int{}
	for i := range r.Messages {
		if m := &r.Messages[i]; m.State != Done {
			counts[r.end(m)]++
		}
	}
	ends := slices.Collect(maps.Keys(counts))
	slices.SortFunc(ends, func(a, b End) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.State, b.State), cmp.Compare(a.Queue, b.Queue),
			cmp.Compare(a.Worker, b.Worker), cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.From, b.From), cmp.Compare(a.Place, b.Place))
	})
	for i := range ends {
		ends[i].N = counts[ends[i]]
	}
	return ends
}

// end returns what became of one message.
func (r *Result) end(m *Message) End {
	queue := func(i int32) string {
		if i >= 0 && int(i) < len(r.Queues) {
			return r.Queues[i]
		}
		return ""
	}
	e := End{State: m.State.String()}
	if m.Worker >= 0 && int(m.Worker) < len(r.Workers) && (m.State == Left || m.State == Lost) {
		e.Worker = r.Workers[m.Worker].Name
	}
	switch m.State {
	case Left:
		e.Place, e.Queue = placeNames[m.Where()], queue(m.Queue)
		if m.Where() == Ready {
			e.Note = r.consumers(e.Queue)
		}
	case DeadLetter:
		e.Cause, e.From, e.Queue = m.Cause.String(), queue(m.From), queue(m.Queue)
	case Dropped, Expired, Rejected, DeliveryLimit, Refused:
		if e.Cause = m.Cause.String(); m.Cause != NoCause {
			e.From = queue(m.From)
		}
	}
	return e
}

// consumers says so if no worker would take messages from a queue.
func (r *Result) consumers(queue string) string {
	all, present := 0, 0
	for _, w := range r.Workers {
		if !slices.Contains(w.Queues, queue) {
			continue
		}
		all++
		if n := len(w.Away); n == 0 || w.Away[n-1].To != math.MaxInt64 || w.Away[n-1].From > r.Length {
			present++
		}
	}
	switch {
	case queue == "":
		return ""
	case all == 0:
		return "which nobody consumes"
	case present == 0:
		return "whose workers are away"
	}
	return ""
}

// String is a clause that says what became of the messages, as "40 messages wait in
// queue w, which nobody consumes".
func (e End) String() string { return e.Text(strconv.Itoa) }

// Text is String with the number of messages written by count.
func (e End) Text(count func(int) string) string {
	one := e.N == 1
	verb := func(singular, plural string) string {
		if one {
			return singular
		}
		return plural
	}
	what := count(e.N) + " messages"
	if one {
		what = "1 message"
	}
	are := what + verb(" is ", " are ")
	were := what + verb(" was ", " were ")
	in := "a queue"
	if e.Queue != "" {
		in = "queue " + e.Queue
	}
	switch e.State {
	case Left.String():
		switch e.Place {
		case "unacked":
			return are + "unacked at " + e.Worker + " and not started"
		case "running":
			return are + "under way at " + e.Worker
		}
		if e.Note != "" {
			in += ", " + e.Note
		}
		return what + verb(" waits in ", " wait in ") + in
	case DeadLetter.String():
		return were + "dead-lettered" + e.from() + " to " + in + e.why()
	case Dropped.String():
		return were + "dropped" + e.by() + e.why()
	case Expired.String():
		return what + " expired" + e.in() + ", which does not dead-letter"
	case Rejected.String():
		return were + "rejected by a worker" + e.in() + " and discarded"
	case DeliveryLimit.String():
		return were + "discarded" + e.by() + " after too many deliveries"
	case Refused.String():
		if e.From != "" {
			return were + "refused by queue " + e.From + ", which was full"
		}
		return were + "refused by the broker"
	case Returned.String():
		return were + "returned: " + verb("it", "they") + " matched no queue"
	case Unroutable.String():
		return were + "dropped without notice: " + verb("it", "they") + " matched no queue"
	case Lost.String():
		if e.Worker != "" {
			return were + "lost with " + e.Worker + ", which had acked " + verb("it", "them") + " or needed no ack"
		}
		return were + "lost, and nothing shows why"
	case Gone.String():
		return are + "gone: the broker does not show whether " + verb("it was", "they were") + " dropped, expired or lost"
	}
	return are + e.State
}

func (e End) from() string {
	if e.From == "" {
		return ""
	}
	return " from queue " + e.From
}

func (e End) by() string {
	if e.From == "" {
		return ""
	}
	return " by queue " + e.From
}

func (e End) in() string {
	if e.From == "" {
		return ""
	}
	return " in queue " + e.From
}

// why names the cause of a dead letter or a drop.
func (e End) why() string {
	words := map[string]string{
		GivenUp.String(): "a worker gave up", ByWorker.String(): "rejected by a worker", TTL.String(): "expired",
		Deliveries.String(): "delivered too often", MaxMessages.String(): "the queue was full: x-max-length",
		MaxOctets.String(): "the queue was full: x-max-length-bytes", Overflow.String(): "refused",
	}[e.Cause]
	if words == "" {
		return ""
	}
	return " (" + words + ")"
}
