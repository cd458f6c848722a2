package scenarios

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Dist is a distribution of times (in microseconds) or sizes (in bytes). The
// zero Dist is the constant 0.
type Dist struct {
	Kind   string    // a name of [DistKinds]; empty: the constant 0
	Params []float64 // in the order of the kind's parameters
	Modes  []Mode    // of bimodal
	Values []float64 // of empirical, ascending
	Max    float64   // greater values are cut to Max; 0: no limit
}

// A Mode is one value of a bimodal distribution and its probability.
type Mode struct{ P, Value float64 }

// A family is a kind of distribution.
type family struct {
	name   string
	params []parameter
	check  func(p []float64) string // returns the mistake in the parameters, or ""
	mean   func(d Dist) float64
	draw   func(d *Dist, r *rand.Rand) float64
}

// A parameter is one parameter of a distribution.
type parameter struct {
	name  string
	plain bool // a plain number, not a time or size like the distribution's values
}

// families are the distributions. Most of them draw a varying number of times from
// the generator, so every purpose has its own.
var families = []family{
	{name: "fixed", params: []parameter{{"value", false}},
		mean: func(d Dist) float64 { return d.Params[0] },
		draw: func(d *Dist, _ *rand.Rand) float64 { return d.Params[0] }},
	{name: "uniform", params: []parameter{{"from", false}, {"to", false}},
		check: func(p []float64) string {
			if p[0] > p[1] {
				return "from is larger than to"
			}
			return ""
		},
		mean: func(d Dist) float64 { return (d.Params[0] + d.Params[1]) / 2 },
		draw: func(d *Dist, r *rand.Rand) float64 { return d.Params[0] + (d.Params[1]-d.Params[0])*r.Float64() }},
	{name: "exponential", params: []parameter{{"mean", false}},
		mean: func(d Dist) float64 { return d.Params[0] },
		draw: func(d *Dist, r *rand.Rand) float64 { return d.Params[0] * r.ExpFloat64() }},
	{name: "erlang", params: []parameter{{"k", true}, {"mean", false}},
		check: func(p []float64) string {
			if p[0] != math.Trunc(p[0]) {
				return "k is not a whole number"
			}
			return positive("k", p[0])
		},
		mean: func(d Dist) float64 { return d.Params[1] },
		draw: func(d *Dist, r *rand.Rand) float64 { return drawGamma(r, d.Params[0]) * d.Params[1] / d.Params[0] }},
	{name: "gamma", params: []parameter{{"shape", true}, {"mean", false}},
		check: func(p []float64) string { return positive("shape", p[0]) },
		mean:  func(d Dist) float64 { return d.Params[1] },
		draw:  func(d *Dist, r *rand.Rand) float64 { return drawGamma(r, d.Params[0]) * d.Params[1] / d.Params[0] }},
	{name: "lognormal", params: []parameter{{"median", false}, {"p99", false}},
		check: func(p []float64) string {
			if p[0] <= 0 || p[1] < p[0] {
				return "needs 0 < median <= p99"
			}
			return ""
		},
		mean: func(d Dist) float64 {
			sigma := lognormalSigma(d.Params)
			return d.Params[0] * math.Exp(sigma*sigma/2)
		},
		draw: func(d *Dist, r *rand.Rand) float64 {
			return d.Params[0] * math.Exp(lognormalSigma(d.Params)*r.NormFloat64())
		}},
	{name: "weibull", params: []parameter{{"mean", false}, {"shape", true}},
		check: func(p []float64) string { return positive("shape", p[1]) },
		mean:  func(d Dist) float64 { return d.Params[0] },
		draw: func(d *Dist, r *rand.Rand) float64 {
			inverse := 1 / d.Params[1]
			return d.Params[0] / math.Gamma(1+inverse) * math.Pow(r.ExpFloat64(), inverse)
		}},
	{name: "pareto", params: []parameter{{"least", false}, {"shape", true}},
		check: func(p []float64) string { return positive("shape", p[1]) },
		mean: func(d Dist) float64 {
			if d.Params[1] <= 1 {
				return math.Inf(1)
			}
			return d.Params[0] * d.Params[1] / (d.Params[1] - 1)
		},
		draw: func(d *Dist, r *rand.Rand) float64 { return d.Params[0] * math.Exp(r.ExpFloat64()/d.Params[1]) }},
	{name: "bimodal",
		mean: func(d Dist) float64 {
			sum := 0.0
			for _, m := range d.Modes {
				sum += m.P * m.Value
			}
			return sum
		},
		draw: func(d *Dist, r *rand.Rand) float64 {
			u := r.Float64()
			for _, m := range d.Modes {
				if u -= m.P; u < 0 {
					return m.Value
				}
			}
			return d.Modes[len(d.Modes)-1].Value
		}},
	{name: "empirical",
		mean: func(d Dist) float64 {
			sum := 0.0
			for _, v := range d.Values {
				sum += v
			}
			return sum / float64(len(d.Values))
		},
		draw: func(d *Dist, r *rand.Rand) float64 { return d.Values[r.IntN(len(d.Values))] }},
}

// z99 is the standard normal distribution's 99th percentile.
const z99 = 2.3263478740408408

func lognormalSigma(p []float64) float64 { return math.Log(p[1]/p[0]) / z99 }

func positive(name string, v float64) string {
	if v <= 0 {
		return name + " is not above 0"
	}
	return ""
}

// drawGamma draws from the gamma distribution of the given shape and scale 1
// (G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables",
// 2000).
func drawGamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return drawGamma(r, shape+1) * math.Pow(1-r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// familyOf returns the family of a name, or nil.
func familyOf(name string) *family {
	for i := range families {
		if families[i].name == name {
			return &families[i]
		}
	}
	return nil
}

// DistKinds returns the names of the distributions.
func DistKinds() []string {
	names := make([]string, len(families))
	for i, f := range families {
		names[i] = f.name
	}
	return names
}

// Draw draws one value, rounded to a whole number and not negative.
func (d *Dist) Draw(r *rand.Rand) int64 {
	f := familyOf(d.Kind)
	if f == nil {
		return 0
	}
	v := f.draw(d, r)
	if d.Max > 0 && v > d.Max {
		v = d.Max
	}
	return int64(math.Round(min(max(v, 0), 1<<52)))
}

// Mean returns the distribution's mean without the effect of Max, or +Inf if the
// mean is infinite.
func (d *Dist) Mean() float64 {
	f := familyOf(d.Kind)
	if f == nil {
		return 0
	}
	return f.mean(*d)
}

// Fixed returns the constant distribution.
func Fixed(v float64) Dist { return Dist{Kind: "fixed", Params: []float64{v}} }

// dist reads a distribution: a mapping with the field dist, or one value. It reads
// times (want.time 1) in microseconds.
func (d *decoder) dist(p *Dist, want value, example string) func(*yaml.Node) {
	scale := 1.0
	if want.time == 1 {
		scale = 1e6
	}
	quantity := func(to *float64) func(*yaml.Node) {
		return d.quantity(want, example, func(n *yaml.Node, v float64) {
			if v < 0 || v*scale > 1<<52 {
				d.fail(n, "%s is out of range", n.Value)
				return
			}
			*to = math.Round(v*scale*1e6) / 1e6
		})
	}
	return func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			var v float64
			quantity(&v)(n)
			*p = Fixed(v)
			return
		}
		var kind string
		if k := field(n, "dist"); k != nil {
			choice(d, &kind, DistKinds()...)(k)
		} else {
			d.fail(n, "distribution: field \"dist\" is missing (have %s)", strings.Join(DistKinds(), ", "))
		}
		f := familyOf(kind)
		if f == nil {
			return
		}
		*p = Dist{Kind: kind, Params: make([]float64, len(f.params))}
		d.family(p, f, n, quantity)
	}
}

// family reads the parameters of one kind of distribution.
func (d *decoder) family(p *Dist, f *family, n *yaml.Node, quantity func(*float64) func(*yaml.Node)) {
	read := fields{"dist": func(*yaml.Node) {}, "max": quantity(&p.Max)}
	var required []string
	for i, param := range f.params {
		if read[param.name] = quantity(&p.Params[i]); param.plain {
			read[param.name] = d.number(&p.Params[i], 0, 1e6)
		}
		required = append(required, param.name)
	}
	var file, fallback *yaml.Node
	switch f.name {
	case "bimodal":
		read["modes"] = func(n *yaml.Node) { p.Modes = d.modes(n, quantity) }
		required = append(required, "modes")
	case "empirical":
		read["file"] = func(n *yaml.Node) { file = n }
		read["fallback"] = func(n *yaml.Node) { fallback = n }
		read["values"] = func(n *yaml.Node) {
			d.each(n, "values", func(n *yaml.Node) {
				var v float64
				quantity(&v)(n)
				p.Values = append(p.Values, v)
			})
		}
	}
	before := len(d.errs)
	d.object(n, "distribution "+f.name, read, required...)
	if len(d.errs) > before {
		return
	}
	if f.check != nil {
		if msg := f.check(p.Params); msg != "" {
			d.fail(n, "distribution %s: %s", f.name, msg)
		}
	}
	if f.name == "empirical" {
		d.empirical(p, n, file, fallback, quantity)
	}
}

// modes reads the values of a bimodal distribution. Their shares must add up to 1.
func (d *decoder) modes(n *yaml.Node, quantity func(*float64) func(*yaml.Node)) []Mode {
	var modes []Mode
	sum := 0.0
	d.each(n, "modes", func(n *yaml.Node) {
		var m Mode
		d.object(n, "mode", fields{"p": d.share(&m.P), "value": quantity(&m.Value)}, "p", "value")
		sum += m.P
		modes = append(modes, m)
	})
	if len(d.errs) == 0 && math.Abs(sum-1) > 1e-9 {
		d.fail(n, "modes: the shares p add up to %g, not to 1", sum)
	}
	return modes
}

// empirical reads the values from the file, else from the list, else it replaces the
// distribution by the fallback.
func (d *decoder) empirical(p *Dist, n, file, fallback *yaml.Node, quantity func(*float64) func(*yaml.Node)) {
	if file != nil {
		var path string
		d.text(&path)(file)
		data, err := d.read(path)
		switch {
		case err == nil:
			d.valuesOf(p, file, path, string(data), quantity)
		case fallback == nil:
			d.fail(file, "%v (give the file, or a fallback distribution)", err)
		}
	}
	if len(p.Values) == 0 {
		if fallback == nil || len(d.errs) > 0 {
			d.fail(n, "distribution empirical: no values: give file, values or fallback")
			return
		}
		f := familyOf(fallbackKind(fallback))
		if f == nil || f.name == "empirical" {
			d.fail(fallback, "fallback: give a distribution that needs no file (have %s)", strings.Join(DistKinds(), ", "))
			return
		}
		*p = Dist{Kind: f.name, Params: make([]float64, len(f.params))}
		d.family(p, f, fallback, quantity)
		return
	}
	sort.Float64s(p.Values)
}

func fallbackKind(n *yaml.Node) string {
	if k := field(n, "dist"); k != nil {
		return k.Value
	}
	return ""
}

// valuesOf reads the first column of a CSV file, whose first line may be a header.
func (d *decoder) valuesOf(p *Dist, at *yaml.Node, path, data string, quantity func(*float64) func(*yaml.Node)) {
	r := csv.NewReader(strings.NewReader(data))
	r.FieldsPerRecord = -1
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		d.fail(at, "%s: %v", path, err)
		return
	}
	if len(rows) > 0 && parseLiteral(rows[0][0]).kind == text {
		rows = rows[1:]
	}
	p.Values = slices.Grow(p.Values, len(rows))
	for i, row := range rows {
		before := len(d.errs)
		var v float64
		quantity(&v)(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: row[0], Line: at.Line})
		if len(d.errs) > before {
			d.errs[before].Msg = fmt.Sprintf("%s: value %d: %s", path, i+1, d.errs[before].Msg)
			return
		}
		p.Values = append(p.Values, v)
	}
}
