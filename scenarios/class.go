package scenarios

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"harelab/engine/nearest"
)

// sizeUnit and timeUnit are the dimensions of sizes and times.
var (
	sizeUnit = value{bytes: 1}
	timeUnit = value{time: 1}
)

const (
	sizeExample = "a size such as 512B or 2KiB"
	timeExample = "a time such as 100ms"
)

func (d *decoder) class(n *yaml.Node) Class {
	c := Class{Size: Fixed(MinSize), Service: Fixed(0), Cost: CostNone}
	var publish *yaml.Node
	d.object(n, "class", fields{
		"name":    d.text(&c.Name),
		"publish": func(n *yaml.Node) { publish = n },
		"keys":    func(n *yaml.Node) { c.Keys = d.keys(n) },
		"size":    d.dist(&c.Size, sizeUnit, sizeExample),
		"service": d.dist(&c.Service, timeUnit, timeExample),
		"cost":    choice(d, &c.Cost, CostNone, CostService),
	}, "name", "publish", "service")
	d.declare(n, "class", c.Name)
	if publish != nil {
		d.publish(&c, publish)
	}
	return c
}

func (d *decoder) publish(c *Class, n *yaml.Node) {
	priority := 0
	for _, k := range c.Keys {
		if k.Name == "tenant" {
			c.Tenant = "{tenant}"
		}
	}
	before := len(d.errs)
	d.object(n, "publish", fields{
		"exchange":   d.text(&c.Exchange),
		"key":        d.template(&c.Key),
		"headers":    d.table(&c.Headers),
		"tenant":     d.template(&c.Tenant),
		"priority":   d.whole(&priority, 0, 255),
		"persistent": d.flag(&c.Persistent),
		"mandatory":  d.flag(&c.Mandatory),
		"expiration": d.time(&c.Expiration, 0),
	}, "exchange", "key")
	c.Priority = uint8(priority)
	d.placeholders(n, c, c.Key)
	d.placeholders(n, c, c.Tenant)
	for _, h := range c.Headers {
		if s, ok := h.Value.(string); ok {
			d.placeholders(field(n, "headers"), c, s)
		}
	}
	d.shortString(n, "key", c.Key)
	switch {
	case len(d.errs) > before:
	case c.Exchange != "":
		d.refer(n, "exchange", "exchange", c.Exchange)
	case !strings.Contains(c.Key, "{"):
		d.refer(n, "key", "queue", c.Key)
	}
}

// placeholders checks that each {name} of s is a key of the class.
func (d *decoder) placeholders(n *yaml.Node, c *Class, s string) {
	have := []string{"class"}
	for _, k := range c.Keys {
		have = append(have, k.Name)
	}
	for {
		name, at, ok := placeholder(s)
		if !ok {
			return
		}
		known := false
		for _, h := range have {
			known = known || h == name
		}
		if !known {
			d.fail(n, "{%s}: class %q has no key %q%s", name, c.Name, name, nearest.Choices(name, have))
		}
		s = s[at+len(name)+2:]
	}
}

// maxValues bounds the number of values of all keys together.
const maxValues = 1_000_000

func (d *decoder) keys(n *yaml.Node) []Key {
	var keys []Key
	if n.Kind != yaml.MappingNode {
		d.fail(n, "keys: give a mapping of names to distributions")
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := d.key(n.Content[i+1])
		k.Name = n.Content[i].Value
		for _, have := range keys {
			if have.Name == k.Name {
				d.fail(n.Content[i], "keys: %q is given twice", k.Name)
			}
		}
		keys = append(keys, k)
	}
	return keys
}

// key reads the distribution of a key: zipf or uniform over n values, or weighted.
func (d *decoder) key(n *yaml.Node) Key {
	var k Key
	var dist string
	if f := field(n, "dist"); f != nil {
		choice(d, &dist, "zipf", "uniform", "weighted")(f)
	}
	read := fields{"dist": func(*yaml.Node) {}}
	switch dist {
	case "weighted":
		read["weights"] = func(n *yaml.Node) { k.Values, k.Weights = d.weights(n, "weights") }
		d.object(n, "key weighted", read, "dist", "weights")
		return k
	case "zipf":
		k.S = 1
		read["s"] = d.number(&k.S, 0, 20)
	}
	read["n"] = d.whole(&k.N, 1, maxValues)
	read["values"] = d.texts(&k.Values, "values")
	read["prefix"] = d.text(&k.Prefix)
	read["from"] = choice(d, &k.From, "bindings")
	d.object(n, "key", read, "dist")
	d.values += k.N
	switch {
	case len(d.errs) > 0:
	case d.values > maxValues:
		d.fail(n, "key: %s values of all keys, and the limit is %s: lower n", grouped(float64(d.values)), grouped(maxValues))
	case k.N == 0 && len(k.Values) == 0:
		d.fail(n, "key: give n, the number of values, or a list of values")
	case len(k.Values) > 0 && (k.N > 0 || k.From != "" || k.Prefix != ""):
		d.fail(n, "key: a list of values stands alone, without n, from and prefix")
	}
	return k
}

// weights reads a mapping of names to weights above 0.
func (d *decoder) weights(n *yaml.Node, what string) (names []string, weights []float64) {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		d.fail(n, "%s: give a mapping of names to weights, as {eu: 60, us: 40}", what)
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		w := 0.0
		d.number(&w, 1e-9, 1e9)(n.Content[i+1])
		names = append(names, n.Content[i].Value)
		weights = append(weights, w)
	}
	return names, weights
}
