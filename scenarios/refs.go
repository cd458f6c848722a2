package scenarios

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"harelab/engine/nearest"
)

// A name is the name of an entry that others can refer to, and its kind, such as
// queue.
type name struct{ what, name string }

// A reference is the use of a name. The decoder looks it up when the whole file is
// read.
type reference struct {
	at   *yaml.Node
	from string // the field that has the name
	name
}

// predeclared are the exchanges of every virtual host (AMQP 0-9-1 section 3.1.3;
// RabbitMQ).
var predeclared = []string{"amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"}

// declare adds a name. A second one of the same kind is a mistake.
func (d *decoder) declare(n *yaml.Node, what, s string) {
	if s == "" {
		return // missing, which is reported already
	}
	key := name{what, s}
	if line, ok := d.declared[key]; ok {
		d.fail(n, "%s %q is declared twice, first in line %d", what, s, line)
		return
	}
	d.declared[key] = n.Line
}

// refer notes a name in the field from of n, which must be declared somewhere in the
// file.
func (d *decoder) refer(n *yaml.Node, from, what, s string) {
	at := n
	if f := field(n, from); f != nil {
		at = f
	}
	d.references = append(d.references, reference{at, from, name{what, s}})
}

// checkReferences reports references to names that are not declared.
func (d *decoder) checkReferences() {
	for _, r := range d.references {
		if _, ok := d.declared[r.name]; ok {
			continue
		}
		if r.what == "exchange" && r.name.name == "" {
			d.fail(r.at, "%s: the default exchange \"\" cannot be bound or named here: every queue is bound to it by its name", r.from)
			continue
		}
		var have []string
		for key := range d.declared {
			if key.what == r.what {
				have = append(have, key.name)
			}
		}
		if r.what == "exchange" {
			have = append(have, predeclared...)
		}
		slices.Sort(have)
		if r.what == "exchange" && slices.Contains(have, r.name.name) {
			continue
		}
		d.fail(r.at, "%s: %s %q is not declared%s", r.from, r.what, r.name.name, nearest.Choices(r.name.name, have))
	}
}

// argumentReferences adds references to the exchanges that arguments name.
func (d *decoder) argumentReferences(n *yaml.Node, args []Argument) {
	for _, a := range args {
		target, ok := a.Value.(string)
		if !ok || target == "" {
			continue
		}
		switch strings.ToLower(a.Name) {
		case "alternate-exchange", "x-dead-letter-exchange":
			at := n
			if f := field(n, "arguments"); f != nil {
				at = f
			}
			d.refer(at, a.Name, "exchange", target)
		}
	}
}
