package queue

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"harelab/engine/dispatch"
)

// A Codec writes events and decisions as lines of text and reads them back. A
// line is a kind, the time for events, and the fields that are not zero:
//
//	join 0 prefetch=1 limiter=0/10
//	publish 1500 cost=200 tenant=blue
//	deliver c=0 ref=0 id=1
//
// It numbers limiters in the order in which they first occur, and writes their limits.
// The answers of probes and limiters are not part of an event (see Recorder).
type Codec struct {
	numbers  map[*dispatch.Limiter]int
	limiters []*dispatch.Limiter
	limits   bool // the words that are read follow "limits"
}

// AppendEvent appends an event, without a line end.
func (c *Codec) AppendEvent(b []byte, e Event) []byte {
	b = append(append(b, e.Kind.String()...), ' ')
	b = strconv.AppendInt(b, e.Now, 10)
	b = appendFields(b, &e, eventFields, eventMarks)
	if e.Msg.Tenant != "" {
		b = append(append(b, " tenant="...), url.QueryEscape(e.Msg.Tenant)...)
	}
	if e.Msg.Task != "" {
		b = append(append(b, " task="...), url.QueryEscape(e.Msg.Task)...)
	}
	if e.Limiter != nil {
		b = append(b, " limiter="...)
		b = strconv.AppendInt(b, int64(c.number(e.Limiter)), 10)
		b = strconv.AppendUint(append(b, '/'), uint64(e.Limiter.Limit()), 10)
	}
	if e.Probe != nil {
		b = append(b, " probe"...)
	}
	for i, r := range e.Refs {
		b = append(b, refsPrefix[min(i, 1)]...)
		b = strconv.AppendUint(b, uint64(r), 10)
	}
	if e.Change != nil {
		b = appendChange(b, e.Change)
	}
	return b
}

var refsPrefix = [2]string{" refs=", ","}

func (c *Codec) number(l *dispatch.Limiter) int {
	if c.numbers == nil {
		c.numbers = make(map[*dispatch.Limiter]int)
	}
	n, ok := c.numbers[l]
	if !ok {
		n = len(c.limiters)
		c.limiters = append(c.limiters, l)
		c.numbers[l] = n
	}
	return n
}

// ParseEvent reads a line of AppendEvent. It makes a limiter for each new number, and
// stands in a probe that answers zero for each probe.
func (c *Codec) ParseEvent(line []byte) (Event, error) {
	words := strings.Fields(string(line))
	if len(words) < 2 {
		return Event{}, fmt.Errorf("queue: event %q: want a kind and a time", line)
	}
	var e Event
	kind, ok := index(kindNames[:], words[0])
	if !ok {
		return Event{}, fmt.Errorf("queue: unknown event %q (have %s)", words[0], strings.Join(kindNames[:], ", "))
	}
	now, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return Event{}, fmt.Errorf("queue: event %q: time %q is not a number", line, words[1])
	}
	e.Kind, e.Now = Kind(kind), now
	c.limits = false
	for _, word := range words[2:] {
		if err := c.parseWord(&e, word); err != nil {
			return Event{}, err
		}
	}
	if e.Change != nil {
		if s := e.Change.Strategies; s != nil && (s.Selector.New == nil || s.Order.New == nil) {
			return Event{}, fmt.Errorf("queue: event %q: want a selector and an order, or neither", line)
		}
	}
	return e, nil
}

func (c *Codec) parseWord(e *Event, word string) error {
	if e.Kind == Configure {
		return c.parseChange(e, word)
	}
	name, value, _ := strings.Cut(word, "=")
	switch name {
	case "tenant", "task":
		text, err := url.QueryUnescape(value)
		if err != nil {
			return fmt.Errorf("queue: %s: %w", word, err)
		}
		if name == "tenant" {
			e.Msg.Tenant = text
		} else {
			e.Msg.Task = text
		}
	case "limiter":
		number, limit, _ := strings.Cut(value, "/")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n > len(c.limiters) {
			return fmt.Errorf("queue: %s: limiters are numbered as they come, the next is %d", word, len(c.limiters))
		}
		l, err := strconv.ParseUint(limit, 10, 32)
		if err != nil {
			return fmt.Errorf("queue: %s: want a number and a limit, as in limiter=0/10", word)
		}
		if n == len(c.limiters) {
			c.number(dispatch.NewLimiter(0))
		}
		e.Limiter = c.limiters[n]
		e.Limiter.SetLimit(uint32(l))
	case "probe":
		e.Probe = silent{}
	case "refs":
		for s := range strings.SplitSeq(value, ",") {
			r, err := strconv.ParseUint(s, 10, 32)
			if err != nil {
				return fmt.Errorf("queue: %s: %q is not a reference", word, s)
			}
			e.Refs = append(e.Refs, dispatch.Ref(r))
		}
	default:
		return parseField(e, word, eventFields, eventMarks)
	}
	return nil
}

// silent replaces a probe whose answers are in the recording.
type silent struct{}

func (silent) Outstanding() int { return 0 }
func (silent) Work(int64) int64 { return 0 }

// AppendDecision appends a decision, without a line end.
func AppendDecision(b []byte, d Decision) []byte {
	b = append(b, d.Kind.String()...)
	if d.Reason != NoReason {
		b = append(append(b, " reason="...), d.Reason.String()...)
	}
	return appendFields(b, &d, decisionFields, decisionMarks)
}

// ParseDecision reads a line of AppendDecision.
func ParseDecision(line []byte) (Decision, error) {
	d := Decision{Consumer: dispatch.NoConsumer, Ref: dispatch.NoRef}
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return Decision{}, fmt.Errorf("queue: decision %q: want a kind", line)
	}
	kind, ok := index(decisionNames[:], words[0])
	if !ok {
		return Decision{}, fmt.Errorf("queue: unknown decision %q (have %s)", words[0], strings.Join(decisionNames[:], ", "))
	}
	d.Kind = DecisionKind(kind)
	for _, word := range words[1:] {
		if reason, ok := strings.CutPrefix(word, "reason="); ok {
			n, ok := index(reasonNames[1:], reason)
			if !ok {
				return Decision{}, fmt.Errorf("queue: unknown reason %q (have %s)", reason, strings.Join(reasonNames[1:], ", "))
			}
			d.Reason = Reason(n + 1)
			continue
		}
		if err := parseField(&d, word, decisionFields, decisionMarks); err != nil {
			return Decision{}, err
		}
	}
	return d, nil
}

func index(names []string, name string) (int, bool) {
	for i, n := range names {
		if n == name {
			return i, true
		}
	}
	return 0, false
}
