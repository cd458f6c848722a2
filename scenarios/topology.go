package scenarios

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (d *decoder) engine(e *Engine) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.object(n, "engine", fields{
			"matcher":  d.text(&e.Matcher),
			"dispatch": d.text(&e.Dispatch),
			"order":    d.text(&e.Order),
			"fair_key": d.text(&e.FairKey),
		})
	}
}

// topology reads exchanges, queues and bindings. Generated bindings come last.
func (d *decoder) topology(s *Scenario) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var generate *yaml.Node
		d.object(n, "topology", fields{
			"exchanges": func(n *yaml.Node) {
				d.repeated(n, "exchanges", func(n *yaml.Node, _ int) { s.Exchanges = append(s.Exchanges, d.exchange(n)) })
			},
			"queues": func(n *yaml.Node) {
				d.repeated(n, "queues", func(n *yaml.Node, count int) { s.Queues = append(s.Queues, d.queue(n, count)) })
			},
			"bindings": func(n *yaml.Node) {
				d.repeated(n, "bindings", func(n *yaml.Node, _ int) { s.Bindings = append(s.Bindings, d.binding(n)) })
			},
			"generate": func(n *yaml.Node) { generate = n },
		})
		if generate != nil {
			d.object(generate, "generate", fields{
				"bindings": func(n *yaml.Node) {
					if n.Kind != yaml.SequenceNode {
						d.generate(s, n)
						return
					}
					d.each(n, "generate.bindings", func(n *yaml.Node) { d.generate(s, n) })
				},
			})
		}
	}
}

func (d *decoder) exchange(n *yaml.Node) Exchange {
	x := Exchange{Line: n.Line}
	d.object(n, "exchange", fields{
		"name":        d.text(&x.Name),
		"type":        d.exchangeType(&x.Type),
		"durable":     d.flag(&x.Durable),
		"auto_delete": d.flag(&x.AutoDelete),
		"internal":    d.flag(&x.Internal),
		"arguments":   d.table(&x.Arguments),
	}, "name", "type")
	d.declare(n, "exchange", x.Name)
	d.argumentReferences(n, x.Arguments)
	return x
}

// exchangeType reads a type: a standard one, or one of an extension, which begins
// with x-.
func (d *decoder) exchangeType(p *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if strings.HasPrefix(n.Value, "x-") {
			d.text(p)(n)
			return
		}
		choice(d, p, "direct", "fanout", "topic", "headers")(n)
	}
}

func (d *decoder) queue(n *yaml.Node, count int) Queue {
	q := Queue{Line: n.Line}
	d.object(n, "queue", fields{
		"name":        d.text(&q.Name),
		"durable":     d.flag(&q.Durable),
		"auto_delete": d.flag(&q.AutoDelete),
		"exclusive":   d.flag(&q.Exclusive),
		"arguments":   d.table(&q.Arguments),
	}, "name")
	q.Name = d.numbered(n, q.Name, count)
	d.declare(n, "queue", q.Name)
	d.argumentReferences(n, q.Arguments)
	if q.Exclusive {
		d.fail(field(n, "exclusive"), "queue %q: an exclusive queue can only be used by the connection that declares it, and no worker does", q.Name)
	}
	return q
}

func (d *decoder) binding(n *yaml.Node) Binding {
	b := Binding{Line: n.Line}
	d.object(n, "binding", fields{
		"exchange":    d.text(&b.Exchange),
		"queue":       d.text(&b.Queue),
		"to_exchange": d.text(&b.ToExchange),
		"key":         d.text(&b.Key),
		"arguments":   d.table(&b.Arguments),
	}, "exchange")
	if (b.Queue == "") == (b.ToExchange == "") {
		d.fail(n, "binding: give either queue or to_exchange")
		return b
	}
	d.refer(n, "exchange", "exchange", b.Exchange)
	if b.Queue != "" {
		d.refer(n, "queue", "queue", b.Queue)
	} else {
		d.refer(n, "to_exchange", "exchange", b.ToExchange)
	}
	d.shortString(n, "key", b.Key)
	return b
}

// maxKey is the length in bytes of the longest routing or binding key: keys are short
// strings (AMQP 0-9-1 section 4.2.5.3).
const maxKey = 255

func (d *decoder) shortString(n *yaml.Node, name, s string) {
	if len(s) > maxKey {
		d.fail(n, "%s of %d bytes: longer than %d", name, len(s), maxKey)
	}
}

// numbered makes the names of the copies of a repeated entry unique: it appends -1,
// -2, ... to a name without {i}.
func (d *decoder) numbered(n *yaml.Node, name string, count int) string {
	if name == "" || count == 1 {
		return name
	}
	if raw := field(n, "name"); raw != nil && strings.Contains(raw.Value, "{i") {
		return name
	}
	return fmt.Sprintf("%s-%d", name, d.index+1)
}

// table reads an AMQP table. It turns times into milliseconds and sizes into bytes,
// the units of RabbitMQ's arguments.
func (d *decoder) table(p *[]Argument) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			d.fail(n, "arguments: give a mapping")
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, ok := d.tableValue(n.Content[i+1])
			if ok {
				*p = append(*p, Argument{n.Content[i].Value, v})
			}
		}
	}
}

func (d *decoder) tableValue(n *yaml.Node) (any, bool) {
	switch n.Kind {
	case yaml.MappingNode:
		var t []Argument
		d.table(&t)(n)
		return t, true
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			v, ok := d.tableValue(item)
			if !ok {
				return nil, false
			}
			list = append(list, v)
		}
		return list, true
	}
	if n.Tag == "!!str" && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 && !strings.HasPrefix(n.Value, "=") {
		var s string
		d.template(&s)(n)
		return s, true
	}
	v, ok := d.value(n)
	if !ok {
		return nil, false
	}
	switch {
	case v.kind == truth:
		return v.truth, true
	case v.kind == text:
		var s string
		d.template(&s)(n)
		return s, true
	case v.time == 1 && v.bytes == 0:
		v.num = math.Round(v.num * 1000)
	case v.time != 0 || v.bytes > 1 || v.bytes < 0:
		d.fail(n, "give a number, a time, a size or a text, not %s", v.dimension())
		return nil, false
	}
	if v.num == math.Trunc(v.num) && math.Abs(v.num) < 1<<53 && n.Tag != "!!float" {
		return int64(v.num), true
	}
	return v.num, true
}

// generate appends random bindings. The number of words of a key is drawn from the
// span words. Of the words, the shares star and hash are * and #, and the others are
// drawn from a vocabulary.
func (d *decoder) generate(s *Scenario, n *yaml.Node) {
	var (
		b          = Binding{Line: n.Line}
		count      int
		low, high  int
		vocabulary = 100
		star, hash float64
	)
	body := without(n, "queue")
	d.object(body, "generate.bindings", fields{
		"exchange":   d.text(&b.Exchange),
		"count":      d.whole(&count, 0, maxRepeat),
		"words":      d.span(&low, &high, 1, 40),
		"vocabulary": d.whole(&vocabulary, 1, 1_000_000),
		"star":       d.share(&star),
		"hash":       d.share(&hash),
	}, "exchange", "count", "words")
	queue := field(n, "queue")
	if queue == nil {
		d.fail(n, "generate.bindings: field \"queue\" is missing")
		return
	}
	if star+hash > 1 {
		d.fail(n, "generate.bindings: star and hash are %g together: give at most 100%%", star+hash)
		return
	}
	if !d.room(n, count, "generate.bindings") {
		return
	}
	d.refer(n, "exchange", "exchange", b.Exchange)
	r := Stream(s.Seed, "topology/bindings")
	for i := range count {
		d.index = i
		d.text(&b.Queue)(queue)
		d.refer(queue, "queue", "queue", b.Queue)
		b.Key = randomKey(r, low, high, vocabulary, star, hash)
		s.Bindings = append(s.Bindings, b)
		if len(d.errs) > 0 {
			break
		}
	}
	d.index = -1
}

func randomKey(r *rand.Rand, low, high, vocabulary int, star, hash float64) string {
	var b strings.Builder
	for w := range low + r.IntN(high-low+1) {
		if w > 0 {
			b.WriteByte('.')
		}
		switch u := r.Float64(); {
		case u < star:
			b.WriteByte('*')
		case u < star+hash:
			b.WriteByte('#')
		default:
			fmt.Fprintf(&b, "w%d", r.IntN(vocabulary))
		}
	}
	return b.String()
}

// span reads "2..6", or one number for both ends.
func (d *decoder) span(low, high *int, least, most int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		a, b, ok := strings.Cut(n.Value, "..")
		if !ok {
			b = a
		}
		from, to := *n, *n
		from.Value, to.Value = a, b
		d.whole(low, least, most)(&from)
		d.whole(high, max(least, *low), most)(&to)
		*high = max(*high, *low)
	}
}
