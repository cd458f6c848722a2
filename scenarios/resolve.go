package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"harelab/engine/nearest"
)

// Schema is the version of the format, the value of the field schema.
const Schema = "harelab/v1"

// Options choose a variant of a file and replace some of its values.
type Options struct {
	Set      map[string]string // params that replace the file's and the variant's
	Variant  string            // empty: the scenario itself
	Seed     *uint64           // nil: the file's
	Matcher  string            // replaces engine.matcher unless empty
	Dispatch string            // replaces engine.dispatch unless empty
	Order    string            // replaces engine.order unless empty
}

// Resolve evaluates every value of the scenario. Its error names file and line
// of each mistake ([Error], or [Errors] for several).
func (f *File) Resolve(o Options) (*Scenario, error) {
	if err := f.checkVariant(o.Variant); err != nil {
		return nil, err
	}
	d := &decoder{
		file:     f.Path,
		index:    -1,
		declared: map[name]int{},
		env:      env{params: map[string]value{}},
		read:     f.read,
	}
	s := d.scenario(f, o)
	if err := d.mistakes(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(s.YAML())
	s.SHA256 = hex.EncodeToString(sum[:])
	return s, nil
}

// A block is one top-level field of the file and the function that reads it.
type block struct {
	name string
	read func(*yaml.Node)
}

// scenario reads the blocks of the file. A block that depends on others is read
// after them, in any order of the file.
func (d *decoder) scenario(f *File, o Options) *Scenario {
	seed := uint64(1)
	if o.Seed != nil {
		seed = *o.Seed
	}
	s := &Scenario{
		File: f.Path, Variant: o.Variant, Seed: seed, Repeat: 1, Ready: ReadyConsumers,
		Stop:      Stop{When: StopDrained, Idle: time.Second, Timeout: 10 * time.Minute},
		Measure:   Measure{Interval: 100 * time.Millisecond, Trace: 1},
		Tolerance: Tolerance{Rel: 0.02, Abs: 50 * time.Millisecond},
	}
	var schema string
	variant := f.variant(o.Variant)
	blocks := []block{
		{"schema", choice(d, &schema, Schema)},
		{"name", d.text(&s.Name)},
		{"variant", d.text(&s.Variant)},
		{"title", d.text(&s.Title)},
		{"description", d.text(&s.Doc)},
		{"tags", d.texts(&s.Tags, "tags")},
		{"seed", d.seed(&s.Seed, o.Seed)},
		{"params", func(n *yaml.Node) { d.params(s, n, variant, o.Set) }},
		{"engine", d.engine(&s.Engine)},
		{"topology", d.topology(s)},
		{"classes", func(n *yaml.Node) {
			d.each(n, "classes", func(n *yaml.Node) { s.Classes = append(s.Classes, d.class(n)) })
		}},
		{"load", func(n *yaml.Node) {
			d.each(n, "load", func(n *yaml.Node) { s.Load = append(s.Load, d.sequence(s, n)) })
		}},
		{"dependencies", func(n *yaml.Node) {
			d.each(n, "dependencies", func(n *yaml.Node) { s.Dependencies = append(s.Dependencies, d.dependency(n)) })
		}},
		{"workers", func(n *yaml.Node) {
			d.repeated(n, "workers", func(n *yaml.Node, count int) { s.Workers = append(s.Workers, d.worker(n, count)) })
		}},
		{"faults", func(n *yaml.Node) {
			d.each(n, "faults", func(n *yaml.Node) { s.Faults = append(s.Faults, d.fault(n)) })
		}},
		{"network", d.network(&s.Network)},
		{"ready", choice(d, &s.Ready, ReadyConsumers, ReadyTopology)},
		{"stop", d.stop(&s.Stop)},
		{"measure", d.measure(&s.Measure)},
		{"repeat", d.whole(&s.Repeat, 1, 1000)},
		{"expect", d.expect(s)},
		{"report", d.report(&s.Report)},
		{"sweep", func(*yaml.Node) {}},    // read by File.sweep
		{"variants", func(*yaml.Node) {}}, // read by File.variant
	}
	d.blocks(f.root, blocks)
	if len(s.Load) == 0 || len(s.Classes) == 0 {
		d.fail(f.root, "scenario: give at least one class and one sequence of load")
	}
	if variant != nil {
		d.variant(s, variant)
	}
	override(&s.Engine.Matcher, o.Matcher)
	override(&s.Engine.Dispatch, o.Dispatch)
	override(&s.Engine.Order, o.Order)
	d.checkLimits(s, f.root)
	d.checkReferences()
	d.checkMetrics(s)
	s.Features = d.uses
	sort.SliceStable(s.Faults, func(i, j int) bool { return s.Faults[i].At < s.Faults[j].At })
	return s
}

func override(p *string, v string) {
	if v != "" {
		*p = v
	}
}

// blocks checks the names of the top-level fields, then reads them in the order of
// blocks.
func (d *decoder) blocks(root *yaml.Node, blocks []block) {
	found := map[string]*yaml.Node{}
	known := fields{}
	for _, b := range blocks {
		known[b.name] = func(n *yaml.Node) { found[b.name] = n }
	}
	d.object(root, "scenario", known, "schema", "name", "classes", "load")
	for _, b := range blocks {
		switch n := found[b.name]; {
		case n != nil:
			b.read(n)
		case b.name == "params":
			b.read(nil)
		}
	}
}

// seed reads a whole number of 64 bits, or takes over instead: generated bindings
// depend on the seed, so it must be final when they are read.
func (d *decoder) seed(p, over *uint64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		v, err := strconv.ParseUint(n.Value, 0, 64)
		if err != nil {
			d.fail(n, "seed: %q is not a whole number from 0 to 2^64-1", n.Value)
			return
		}
		*p = v
		if over != nil {
			*p = *over
		}
	}
}

// params evaluates the params in the order of the file, so that a param may use
// those above it. The variant's set replaces values of the file, and the caller's set
// replaces both.
func (d *decoder) params(s *Scenario, n, variant *yaml.Node, set map[string]string) {
	s.Params = map[string]string{}
	over := map[string]*yaml.Node{}
	if variant != nil {
		if vs := field(variant, "set"); vs != nil && vs.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(vs.Content); i += 2 {
				over[vs.Content[i].Value] = vs.Content[i+1]
			}
		}
	}
	for _, k := range sortedKeys(set) {
		over[k] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: set[k], Style: yaml.DoubleQuotedStyle}
	}
	var names []string
	if n != nil {
		if n.Kind != yaml.MappingNode {
			d.fail(n, "params: give a mapping of names to values")
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, val := n.Content[i], n.Content[i+1]
			if wordLen(key.Value) != len(key.Value) || key.Value == "" || key.Value == "i" || numberLen(key.Value) > 0 {
				d.fail(key, "params: %q is not a name (letters, digits, _ and -; i is taken)", key.Value)
				continue
			}
			if o, ok := over[key.Value]; ok {
				val = o
			}
			if v, ok := d.value(val); ok {
				v.bare = false
				d.env.params[key.Value] = v
				s.Params[key.Value] = v.written(val.Value)
			}
			names = append(names, key.Value)
		}
	}
	for _, k := range sortedKeys(over) {
		if _, ok := d.env.params[k]; !ok && len(d.errs) == 0 {
			d.fail(over[k], "no param %q%s", k, nearest.Choices(k, names))
		}
	}
}

// written returns a param as text: the text of the file, or the result if that is an
// expression.
func (v value) written(s string) string {
	if len(s) > 0 && s[0] == '=' {
		return v.String()
	}
	return s
}

// variant reads the fields of a variant. Its params are read before.
func (d *decoder) variant(s *Scenario, n *yaml.Node) {
	d.object(n, "variant", fields{
		"title":       d.text(&s.Title),
		"description": d.text(&s.Doc),
		"expect":      d.expect(s),
		"report":      d.report(&s.Report),
		"set": func(n *yaml.Node) {
			if n.Kind != yaml.MappingNode {
				d.fail(n, "set: give a mapping of params to values")
			}
		},
	})
}

// variant returns the node of a variant, or nil for the scenario itself.
func (f *File) variant(name string) *yaml.Node {
	if all := field(f.root, "variants"); all != nil && name != "" {
		return field(all, name)
	}
	return nil
}

// checkVariant reports a variant that does not exist.
func (f *File) checkVariant(name string) error {
	if name == "" || f.variant(name) != nil {
		return nil
	}
	return &Error{File: f.Path, Msg: fmt.Sprintf("no variant %q%s", name, nearest.Choices(name, f.Variants()))}
}
