package scenarios

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"harelab/engine/nearest"
)

// A name is one that entries refer to.
type name struct{ what, name string }

// A reference is kept until everything is declared, then looked up.
type reference struct {
	at   *yaml.Node
	from string // the field that refers
	name
}

// predeclared exist in every virtual host (AMQP 0-9-1 section 3.1.3; RabbitMQ).
var predeclared = []string{"amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"}

// declare makes a name known; a second one of its kind is a mistake.
func (d *decoder) declare(n *yaml.Node, what, s string) {
	if s == "" {
		return // missing, or wrong and reported
	}
	key := name{what, s}
	if line, ok := d.declared[key]; ok {
		d.fail(n, "%s %q is declared twice, first in line %d", what, s, line)
		return
	}
	d.declared[key] = n.Line
}

// refer notes that the field from of n names something that must be declared.
func (d *decoder) refer(n *yaml.Node, from, what, s string) {
	at := n
	if f := field(n, from); f != nil {
		at = f
	}
	d.references = append(d.references, reference{at, from, name{what, s}})
}

// settle reports the references to nothing.
func (d *decoder) settle() {
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

// argumentReferences refers to the exchanges that arguments name.
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
