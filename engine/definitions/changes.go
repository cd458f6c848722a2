package definitions

import (
	"fmt"
	"strings"
)

// An Outcome is what becomes of one entry.
type Outcome uint8

// The outcomes.
const (
	Made    Outcome = iota // it did not exist
	Changed                // it existed and was different
	Present                // it is there already
	Skipped                // it has no place: see [Changes.Skips]
	outcomes
)

var outcomeNames = [outcomes]string{"made", "changed", "there already", "skipped"}

func (o Outcome) String() string { return outcomeNames[o] }

// Changes are what an import changes, or would change.
type Changes struct {
	// Counts holds the numbers of entries by kind, which is the name of the list in the
	// file, and outcome.
	Counts map[string][outcomes]int

	// Skips says of each entry that is skipped why. RabbitMQ exports bindings of exclusive
	// queues and, with rabbitmqctl, of internal exchanges, but not these queues and
	// exchanges. Like RabbitMQ, an import leaves such bindings out.
	Skips []string
}

func (c *Changes) count(kind string, o Outcome) {
	if c.Counts == nil {
		c.Counts = make(map[string][outcomes]int)
	}
	n := c.Counts[kind]
	n[o]++
	c.Counts[kind] = n
}

// Total returns the number of entries of all kinds with an outcome.
func (c *Changes) Total(o Outcome) int {
	n := 0
	for _, counts := range c.Counts {
		n += counts[o]
	}
	return n
}

// String sums up the changes, as in "12 made, 3 there already".
func (c *Changes) String() string {
	var parts []string
	for o := range outcomes {
		if n := c.Total(o); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	if parts == nil {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}
