package queue

import (
	"fmt"
	"strconv"
	"strings"

	"harelab/engine/dispatch"
)

// A field is a number in an event or a decision. A value that does not fit the field's
// type is truncated by set, so that get returns another one.
type field[T any] struct {
	name string
	none int64 // the value that AppendEvent and the like omit
	get  func(*T) int64
	set  func(*T, int64)
}

// A mark is a boolean in an event or a decision. It is written by its name if true.
type mark[T any] struct {
	name string
	at   func(*T) *bool
}

var eventFields = []field[Event]{
	{"published", 0, func(e *Event) int64 { return e.Msg.Published }, func(e *Event, v int64) { e.Msg.Published = v }},
	{"cost", 0, func(e *Event) int64 { return e.Msg.Cost }, func(e *Event, v int64) { e.Msg.Cost = v }},
	{"priority", 0, func(e *Event) int64 { return int64(e.Msg.Priority) }, func(e *Event, v int64) { e.Msg.Priority = uint8(v) }},
	{"expires", 0, func(e *Event) int64 { return e.ExpiresAt }, func(e *Event, v int64) { e.ExpiresAt = v }},
	{"bytes", 0, func(e *Event) int64 { return int64(e.Bytes) }, func(e *Event, v int64) { e.Bytes = uint32(v) }},
	{"c", 0, func(e *Event) int64 { return int64(e.Consumer) }, func(e *Event, v int64) { e.Consumer = dispatch.ConsumerID(v) }},
	{"budget", 0, func(e *Event) int64 { return int64(e.Budget) }, func(e *Event, v int64) { e.Budget = uint32(v) }},
	{"prefetch", 0, func(e *Event) int64 { return int64(e.Prefetch) }, func(e *Event, v int64) { e.Prefetch = uint32(v) }},
	{"slots", 0, func(e *Event) int64 { return int64(e.Slots) }, func(e *Event, v int64) { e.Slots = uint32(v) }},
	{"x-priority", 0, func(e *Event) int64 { return int64(e.Priority) }, func(e *Event, v int64) { e.Priority = int32(v) }},
}

var eventMarks = []mark[Event]{
	{"hold", func(e *Event) *bool { return &e.Hold }},
	{"redelivered", func(e *Event) *bool { return &e.Redelivered }},
	{"restored", func(e *Event) *bool { return &e.Restored }},
	{"noack", func(e *Event) *bool { return &e.NoAck }},
	{"exclusive", func(e *Event) *bool { return &e.Exclusive }},
}

var limitFields = []field[Limits]{
	{"maxlength", -1, func(l *Limits) int64 { return l.MaxLength }, func(l *Limits, v int64) { l.MaxLength = v }},
	{"maxbytes", -1, func(l *Limits) int64 { return l.MaxBytes }, func(l *Limits, v int64) { l.MaxBytes = v }},
	{"overflow", 0, func(l *Limits) int64 { return int64(l.Overflow) }, func(l *Limits, v int64) { l.Overflow = Overflow(v) }},
	{"ttl", -1, func(l *Limits) int64 { return l.MessageTTL }, func(l *Limits, v int64) { l.MessageTTL = v }},
	{"deliverylimit", -1, func(l *Limits) int64 { return l.DeliveryLimit }, func(l *Limits, v int64) { l.DeliveryLimit = v }},
}

var limitMarks = []mark[Limits]{
	{"deadletter", func(l *Limits) *bool { return &l.DeadLetter }},
}

var decisionFields = []field[Decision]{
	{"id", 0, func(d *Decision) int64 { return int64(d.ID) }, func(d *Decision, v int64) { d.ID = uint64(v) }},
	{"left", 0, func(d *Decision) int64 { return int64(d.Remaining) }, func(d *Decision, v int64) { d.Remaining = int(v) }},
	{"attempts", 0, func(d *Decision) int64 { return int64(d.Attempts) }, func(d *Decision, v int64) { d.Attempts = uint32(v) }},
	{"at", 0, func(d *Decision) int64 { return d.At }, func(d *Decision, v int64) { d.At = v }},
	{"c", int64(dispatch.NoConsumer), func(d *Decision) int64 { return int64(d.Consumer) }, func(d *Decision, v int64) { d.Consumer = dispatch.ConsumerID(v) }},
	{"ref", int64(dispatch.NoRef), func(d *Decision) int64 { return int64(d.Ref) }, func(d *Decision, v int64) { d.Ref = uint32(v) }},
}

var decisionMarks = []mark[Decision]{
	{"redelivered", func(d *Decision) *bool { return &d.Redelivered }},
	{"done", func(d *Decision) *bool { return &d.Done }},
}

func appendFields[T any](b []byte, v *T, fields []field[T], marks []mark[T]) []byte {
	for i := range fields {
		if n := fields[i].get(v); n != fields[i].none {
			b = append(append(append(b, ' '), fields[i].name...), '=')
			b = strconv.AppendInt(b, n, 10)
		}
	}
	for i := range marks {
		if *marks[i].at(v) {
			b = append(append(b, ' '), marks[i].name...)
		}
	}
	return b
}

// parseField sets the field or mark that a word names.
func parseField[T any](v *T, word string, fields []field[T], marks []mark[T]) error {
	name, value, numeric := strings.Cut(word, "=")
	if !numeric {
		for i := range marks {
			if marks[i].name == name {
				*marks[i].at(v) = true
				return nil
			}
		}
	}
	for i := range fields {
		if !numeric || fields[i].name != name {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("queue: %s is not a number", word)
		}
		fields[i].set(v, n)
		if fields[i].get(v) != n {
			return fmt.Errorf("queue: %s is out of range", word)
		}
		return nil
	}
	return fmt.Errorf("queue: unknown field %q", word)
}
