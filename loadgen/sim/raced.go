package sim

import (
	"slices"

	"harelab/loadgen"
)

// A raced source gives the messages of a static plan in the order of a race. A message
// is late by no more than the time of those that overtook it.
type raced struct {
	messages []racedMessage
	next     int
}

type racedMessage struct {
	Message
	at, key int64
}

// newRaced reads all messages of src.
func newRaced(src *planSource, race *loadgen.Race) *raced {
	r := &raced{messages: make([]racedMessage, 0, src.Len())}
	for {
		at, more := src.Due(0)
		m := racedMessage{at: at, Message: Message{Tenant: -1}}
		if !more || !src.Next(&m.Message) {
			break
		}
		m.key = race.Key(at, m.Exchange, m.RoutingKey, m.Headers)
		r.messages = append(r.messages, m)
	}
	slices.SortStableFunc(r.messages, func(a, b racedMessage) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return 0
	})
	latest := int64(0)
	for i := range r.messages {
		latest = max(latest, r.messages[i].at)
		r.messages[i].at = latest
	}
	return r
}

// Due implements [Source].
func (r *raced) Due(int64) (int64, bool) {
	if r.next == len(r.messages) {
		return 0, false
	}
	return r.messages[r.next].at, true
}

// Next implements [Source].
func (r *raced) Next(m *Message) bool {
	*m = r.messages[r.next].Message
	r.next++
	return true
}

// Len implements [Source].
func (r *raced) Len() int { return len(r.messages) }
