package queue

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"harelab/engine/dispatch"
)

// appendChange appends what a Configure event changes. The strategies come as in a
// configuration, and after them the hints:
//
//	configure 5 selector=rr order=drr quantum=2 hint=0/200/blue/ limits maxlength=1000
func appendChange(b []byte, c *Change) []byte {
	if s := c.Strategies; s != nil {
		b = appendStrategies(b, &Config{Selector: s.Selector, Order: s.Order, Dispatch: s.Dispatch}, strategyMarks)
		for i := range s.Hints {
			b = appendHint(b, &s.Hints[i])
		}
	}
	return appendFields(append(b, " limits"...), &c.Limits, limitFields, limitMarks)
}

func appendHint(b []byte, h *Hint) []byte {
	b = strconv.AppendUint(append(b, " hint="...), uint64(h.Ref), 10)
	b = strconv.AppendInt(append(b, '/'), h.Cost, 10)
	b = append(append(b, '/'), url.QueryEscape(h.Tenant)...)
	return append(append(b, '/'), url.QueryEscape(h.Task)...)
}

// parseChange reads one word of a Configure event.
func (c *Codec) parseChange(e *Event, word string) error {
	if word == "hold" || strings.HasPrefix(word, "budget=") {
		return parseField(e, word, eventFields, eventMarks)
	}
	if e.Change == nil {
		e.Change = &Change{Limits: Unlimited}
	}
	switch {
	case c.limits:
		return parseField(&e.Change.Limits, word, limitFields, limitMarks)
	case word == "limits":
		c.limits = true
		return nil
	}
	if e.Change.Strategies == nil {
		e.Change.Strategies = new(Strategies)
	}
	s := e.Change.Strategies
	if text, ok := strings.CutPrefix(word, "hint="); ok {
		h, err := parseHint(text)
		if err != nil {
			return fmt.Errorf("queue: %s: %w", word, err)
		}
		s.Hints = append(s.Hints, h)
		return nil
	}
	cfg := Config{Selector: s.Selector, Order: s.Order, Dispatch: s.Dispatch}
	err := cfg.parseWord(word, strategyMarks)
	s.Selector, s.Order, s.Dispatch = cfg.Selector, cfg.Order, cfg.Dispatch
	return err
}

func parseHint(text string) (h Hint, err error) {
	parts := strings.Split(text, "/")
	if len(parts) != 4 {
		return h, fmt.Errorf("want a reference, a cost, a tenant and a task")
	}
	ref, err := strconv.ParseUint(parts[0], 10, 32)
	if err != nil {
		return h, fmt.Errorf("%q is not a reference", parts[0])
	}
	h.Ref = dispatch.Ref(ref)
	if h.Cost, err = strconv.ParseInt(parts[1], 10, 64); err != nil {
		return h, fmt.Errorf("cost %q is not a number", parts[1])
	}
	if h.Tenant, err = url.QueryUnescape(parts[2]); err != nil {
		return h, err
	}
	h.Task, err = url.QueryUnescape(parts[3])
	return h, err
}
