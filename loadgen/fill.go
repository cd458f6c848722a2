package loadgen

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"

	"harelab/scenarios"
)

// A class is a scenario's class with its texts compiled to templates.
type class struct {
	spec    *scenarios.Class
	keys    []keyTable
	key     template
	tenant  template
	headers []template // one per header; empty for headers that are not texts
	varying bool       // a header has a place for a drawn key
}

func newClass(s *scenarios.Scenario, spec *scenarios.Class) (class, error) {
	c := class{spec: spec}
	for i := range spec.Keys {
		t, err := newKeyTable(s, spec, &spec.Keys[i])
		if err != nil {
			return c, err
		}
		c.keys = append(c.keys, t)
	}
	c.key = c.compile(spec.Key)
	c.tenant = c.compile(spec.Tenant)
	for _, h := range spec.Headers {
		var t template
		if text, ok := h.Value.(string); ok {
			t = c.compile(text)
		}
		c.varying = c.varying || t.varies
		c.headers = append(c.headers, t)
	}
	return c, nil
}

// A template is a text with places for drawn keys.
type template struct {
	parts  []part
	varies bool
	text   string // the text, if it does not vary
}

type part struct {
	text string
	key  int // index into the class's keys; -1: text
}

// compile splits a text such as "tenant.{tenant}.job" at its keys, and replaces
// {class} by the class's name.
func (c *class) compile(s string) template {
	var t template
	var fixed strings.Builder
	literal := func(text string) {
		t.parts = append(t.parts, part{text, -1})
		fixed.WriteString(text)
	}
	for {
		open := strings.IndexByte(s, '{')
		end := strings.IndexByte(s, '}')
		if open < 0 || end < open {
			literal(s)
			t.text = fixed.String()
			return t
		}
		literal(s[:open])
		name := s[open+1 : end]
		s = s[end+1:]
		key := -1
		for i := range c.spec.Keys {
			if c.spec.Keys[i].Name == name {
				key = i
			}
		}
		switch {
		case key >= 0:
			t.parts = append(t.parts, part{"", key})
			t.varies = true
		case name == "class":
			literal(c.spec.Name)
		}
	}
}

// A keyTable holds the values of a key and their probabilities.
type keyTable struct {
	values     []string
	cumulative []float64 // cumulative probabilities, the last is 1; nil: uniform
}

func newKeyTable(s *scenarios.Scenario, c *scenarios.Class, k *scenarios.Key) (keyTable, error) {
	var t keyTable
	if k.From == "bindings" {
		var err error
		if t.values, err = keysOfBindings(s, c, k); err != nil {
			return t, err
		}
	} else {
		t.values = k.List()
	}
	if k.S == 0 && len(k.Weights) == 0 {
		return t, nil
	}
	sum := 0.0
	for i := range t.values {
		w := 0.0
		if len(k.Weights) > 0 {
			w = k.Weights[i]
		} else {
			w = math.Pow(float64(i+1), -k.S)
		}
		sum += w
		t.cumulative = append(t.cumulative, sum)
	}
	for i := range t.cumulative {
		t.cumulative[i] /= sum
	}
	return t, nil
}

func (t *keyTable) draw(r *rand.Rand) string {
	if t.cumulative == nil {
		return t.values[r.IntN(len(t.values))]
	}
	i := sort.SearchFloat64s(t.cumulative, r.Float64())
	return t.values[min(i, len(t.values)-1)]
}

// keysOfBindings makes routing keys that the bindings of the class's exchange
// match: one for each binding in turn, with the wildcards replaced by words.
func keysOfBindings(s *scenarios.Scenario, c *scenarios.Class, k *scenarios.Key) ([]string, error) {
	var patterns []string
	for i := range s.Bindings {
		if s.Bindings[i].Exchange == c.Exchange {
			patterns = append(patterns, s.Bindings[i].Key)
		}
	}
	if len(patterns) == 0 {
		return nil, fmt.Errorf("class %q: key %q is drawn from bindings, but exchange %q has none", c.Name, k.Name, c.Exchange)
	}
	r := scenarios.Stream(s.Seed, "keys/bindings/"+c.Name+"/"+k.Name)
	values := make([]string, k.N)
	var words []string
	for i := range values {
		words = words[:0]
		for _, w := range strings.Split(patterns[i%len(patterns)], ".") {
			n := 1
			if w == "#" {
				n = r.IntN(3)
			}
			for range n {
				if w == "*" || w == "#" {
					words = append(words, fmt.Sprintf("w%d", r.IntN(500)))
				} else {
					words = append(words, w)
				}
			}
		}
		if values[i] = strings.Join(words, "."); len(values[i]) > 255 {
			values[i] = values[i][:255]
		}
	}
	return values, nil
}

// A filler fills in the messages of one sequence or one user. It draws from one
// stream per class and purpose.
type filler struct {
	plan    *Plan
	classes []classStreams // made when first needed
	purpose string
	scratch []byte
	drawn   []string          // the keys of the current message
	texts   map[string]string // rendered texts, so that equal ones share memory
}

type classStreams struct {
	size, service *rand.Rand
	keys          []*rand.Rand
}

func (p *Plan) filler(purpose string) *filler {
	return &filler{plan: p, classes: make([]classStreams, len(p.classes)), purpose: purpose, texts: map[string]string{}}
}

func (f *filler) streams(c int) *classStreams {
	st := &f.classes[c]
	if st.size == nil {
		spec := f.plan.classes[c].spec
		of := f.purpose + "/" + spec.Name
		st.size = scenarios.Stream(f.plan.s.Seed, "size/"+of)
		st.service = scenarios.Stream(f.plan.s.Seed, "service/"+of)
		for _, k := range spec.Keys {
			st.keys = append(st.keys, scenarios.Stream(f.plan.s.Seed, "keys/"+of+"/"+k.Name))
		}
	}
	return st
}

// fill makes the message that is due at a.
func (f *filler) fill(m *Planned, a *arrivals) {
	c := &f.plan.classes[a.class]
	st := f.streams(a.class)
	spec := c.spec
	*m = Planned{
		At: a.at, Class: int32(a.class), Exchange: spec.Exchange,
		Priority: spec.Priority, Persistent: spec.Persistent, Mandatory: spec.Mandatory,
		Expiration: spec.Expiration.Microseconds(),
		Paced:      a.phase.Model == scenarios.Open || a.phase.Model == scenarios.Trace,
		Size:       int(spec.Size.Draw(st.size)),
		Service:    spec.Service.Draw(st.service),
	}
	f.drawn = f.drawn[:0]
	for i := range c.keys {
		v := c.keys[i].draw(st.keys[i])
		if fixed, ok := a.phase.Fix[spec.Keys[i].Name]; ok {
			v = fixed
		}
		f.drawn = append(f.drawn, v)
	}
	m.RoutingKey = f.render(&c.key)
	m.Tenant = f.render(&c.tenant)
	m.Headers = spec.Headers
	if c.varying {
		m.Headers = make([]scenarios.Argument, len(spec.Headers))
		for i, h := range spec.Headers {
			if m.Headers[i] = h; c.headers[i].varies {
				m.Headers[i].Value = f.render(&c.headers[i])
			}
		}
	}
	if a.phase.Model == scenarios.Trace {
		f.row(m, &a.phase.Rows[a.index])
	}
	m.Size = min(max(m.Size, scenarios.MinSize), scenarios.MaxSize)
	if spec.Cost == scenarios.CostService {
		m.Cost = m.Service
	}
}

// row replaces the values that a row of a trace gives.
func (f *filler) row(m *Planned, r *scenarios.Row) {
	if r.Exchange != "" || r.Key != "" {
		m.Exchange, m.RoutingKey = r.Exchange, r.Key
	}
	if r.Size >= 0 {
		m.Size = int(r.Size)
	}
	if r.Service >= 0 {
		m.Service = r.Service.Microseconds()
	}
}

// maxCached bounds the number of texts that a filler keeps, and of routes that a
// Router keeps.
const maxCached = 1 << 16

func (f *filler) render(t *template) string {
	if !t.varies {
		return t.text
	}
	if len(t.parts) == 3 && t.parts[0].text == "" && t.parts[2].text == "" && t.parts[1].key >= 0 {
		return f.drawn[t.parts[1].key] // "{key}" alone
	}
	f.scratch = f.scratch[:0]
	for _, p := range t.parts {
		if p.key >= 0 {
			f.scratch = append(f.scratch, f.drawn[p.key]...)
		} else {
			f.scratch = append(f.scratch, p.text...)
		}
	}
	if s, ok := f.texts[string(f.scratch)]; ok {
		return s
	}
	s := string(f.scratch)
	if len(f.texts) < maxCached {
		f.texts[s] = s
	}
	return s
}
