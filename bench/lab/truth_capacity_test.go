package lab

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

var (
	overloaded = regexp.MustCompile(`^From (\S+ \S+) to (\S+ \S+) the load(?: of queues? (.*?))? (as drawn )?needs (up to )?(\S+) busy slots and (?:(\S+) (?:is|are) there|\S+ to \S+ are there): no prefetch or dispatch can help; (\S+) slots(?: at full speed)? would$`)
	goneBy     = regexp.MustCompile(`^Its backlog is gone by (\S+ \S+) at the earliest$`)
)

// checkOverloads checks what a page says of the slots that the load of a run lacks: the
// work that arrived in the span is more than the slots can do in it, and the backlog was
// not gone before the time that is called the earliest.
func (c *csvRun) checkOverloads(text string) error {
	var queues []string
	to := 0.0
	for _, s := range sentences(text) {
		if m := overloaded.FindStringSubmatch(s); m != nil {
			queues = []string{"tasks", "rest"}
			if m[3] != "" {
				queues = strings.Split(m[3], " and ")
			}
			from := seconds(m[1])
			to = seconds(m[2])
			if err := c.checkOverload(queues, from, to, m[7]); err != nil {
				return fmt.Errorf("%q: %w", s, err)
			}
			continue
		}
		if m := goneBy.FindStringSubmatch(s); m != nil {
			if at := c.idleSince(queues, to); at < seconds(m[1])*0.99 {
				return fmt.Errorf("%q: it was gone by %v", s, at)
			}
			continue
		}
		if regexp.MustCompile(`^(Another overload is|\d+ more overloads are) shorter or smaller$`).MatchString(s) {
			continue
		}
		return fmt.Errorf("no statement of capacity is like %q", s)
	}
	return nil
}

func (c *csvRun) checkOverload(queues []string, from, to float64, there string) error {
	slots := 0
	for _, q := range queues {
		slots += c.slotsOf[q]
	}
	slots -= c.away(queues, from, to)
	if there != "" && number(there) != slots {
		return fmt.Errorf("%d slots are there", slots)
	}
	if there == "" {
		return nil // workers come or go within the span
	}
	// The times are rounded down to three digits, so the span may be a little longer.
	work := 0.0
	for _, r := range c.rows {
		if slices.Contains(queues, r.queue) && r.intended >= from-1e-6 && r.intended <= to*1.01 {
			if math.IsNaN(r.done) {
				return nil // its work is not in messages.csv
			}
			work += r.done - r.started
		}
	}
	if work < (to-from)*float64(slots)*0.98 {
		return fmt.Errorf("%v s of work in %v s for %d slots", work, to-from, slots)
	}
	return nil
}

// idleSince returns the first time from then on at which no message of the queues is
// unfinished.
func (c *csvRun) idleSince(queues []string, from float64) float64 {
	at := from
	for again := true; again; {
		again = false
		for _, r := range c.rows {
			if slices.Contains(queues, r.queue) && r.intended <= at && r.done > at {
				at, again = r.done, true
			}
		}
	}
	return at
}

// seconds reads a time as reports print it.
func seconds(text string) float64 {
	number, unit, _ := strings.Cut(text, " ")
	return float64From(number) * map[string]float64{"s": 1, "ms": 1e-3, "µs": 1e-6}[unit]
}

// away is the number of slots of a queue's workers that are away from one time to another.
func (c *csvRun) away(queues []string, from, to float64) int {
	n := 0
	for _, w := range c.workers {
		consumes := slices.ContainsFunc(w.Queues, func(q string) bool { return slices.Contains(queues, q) })
		for _, a := range w.Away {
			if consumes && float64(a.From)/1e6 <= from+1e-3 && float64(a.To)/1e6 >= to-1e-3 {
				n += w.Slots
			}
		}
	}
	return n
}
