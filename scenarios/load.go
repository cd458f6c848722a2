package scenarios

import (
	"math"
	"sort"
	"time"

	"go.yaml.in/yaml/v3"

	"harelab/engine/nearest"
)

func (d *decoder) sequence(s *Scenario, n *yaml.Node) Sequence {
	q := Sequence{Connections: 1}
	d.object(n, "sequence", fields{
		"sequence":    d.text(&q.Name),
		"start":       d.time(&q.Start, 0),
		"connections": d.whole(&q.Connections, 1, 1000),
		"confirm":     d.confirm(&q),
		"in_step":     d.flag(&q.InStep),
		"phases": func(n *yaml.Node) {
			d.each(n, "phases", func(n *yaml.Node) { q.Phases = append(q.Phases, d.phase(s, n)) })
		},
		"admin": func(n *yaml.Node) {
			d.each(n, "admin", func(n *yaml.Node) {
				var a Admin
				d.object(n, "admin", fields{"do": choice(d, &a.Do, "rebind"), "rate": d.rate(&a.Rate)}, "do", "rate")
				d.use(n, FeatureRebind)
				q.Admin = append(q.Admin, a)
			})
		},
	}, "sequence")
	d.declare(n, "sequence", q.Name)
	for i, p := range q.Phases {
		switch {
		case p.Await == AwaitConfirm && p.Model == Closed && !q.Confirm:
			d.fail(n, "sequence %q: a user that awaits the confirm needs confirm", q.Name)
		case p.Model == Closed && p.Duration == 0 && i < len(q.Phases)-1:
			d.fail(n, "sequence %q: a closed phase that ends by count must be the last, since its end is not known before the run", q.Name)
		}
	}
	return q
}

// confirm reads "none", "each" (wait for the confirm before the next message), "all"
// (no limit on unconfirmed messages) or {max_in_flight: n}.
func (d *decoder) confirm(q *Sequence) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode {
			q.Confirm = true
			d.object(n, "confirm", fields{"max_in_flight": d.whole(&q.MaxInFlight, 0, 1<<20)}, "max_in_flight")
			return
		}
		var how string
		choice(d, &how, "none", "each", "all")(n)
		q.Confirm = how == "each" || how == "all"
		if how == "each" {
			q.MaxInFlight = 1
		}
	}
}

// maxCount bounds the count of one phase; MaxMessages bounds the sum.
const maxCount = 1 << 40

func (d *decoder) phase(s *Scenario, n *yaml.Node) Phase {
	p := Phase{Arrival: Arrival{Process: "constant"}, Await: AwaitDone, Think: Fixed(0)}
	var model string
	if m := field(n, "model"); m != nil {
		choice(d, &model, string(Burst), string(Open), string(Closed), string(Trace))(m)
	}
	p.Model = Model(model)
	read := fields{
		"model": func(*yaml.Node) {},
		"class": func(n *yaml.Node) { p.Pattern = append(p.Pattern, d.classIndex(s, n)) },
		"mix":   func(n *yaml.Node) { d.mix(s, &p, n) },
		"fix":   func(n *yaml.Node) { p.Fix = d.fix(n) },
	}
	required := []string{"model"}
	rate := 0.0
	switch p.Model {
	case Burst:
		read["count"] = d.whole(&p.Count, 0, maxCount)
		required = append(required, "count")
	case Open:
		read["count"] = d.whole(&p.Count, 1, maxCount)
		read["duration"] = d.time(&p.Duration, time.Microsecond)
		read["arrival"] = d.arrival(&p.Arrival)
		read["rate"] = d.rate(&rate)
		read["shape"] = func(n *yaml.Node) { p.Shape = d.shape(n) }
	case Closed:
		d.use(n, FeatureClosed)
		read["count"] = d.whole(&p.Count, 1, maxCount)
		read["duration"] = d.time(&p.Duration, time.Microsecond)
		read["users"] = d.whole(&p.Users, 1, 100_000)
		read["think"] = d.dist(&p.Think, timeUnit, timeExample)
		read["await"] = choice(d, &p.Await, AwaitDone, AwaitConfirm)
		required = append(required, "users")
	case Trace:
		delete(read, "class")
		delete(read, "mix")
		read["file"] = func(n *yaml.Node) { p.Rows = append(p.Rows, d.traceFile(s, n)...) }
		read["rows"] = func(n *yaml.Node) { p.Rows = append(p.Rows, d.traceRows(s, n)...) }
	default:
		if len(d.errs) == 0 {
			d.fail(n, "phase: field \"model\" is missing (have burst, open, closed, trace)")
		}
		return p
	}
	before := len(d.errs)
	d.object(n, "phase "+model, read, required...)
	if len(d.errs) == before { // else these checks would report the same mistakes again
		d.checkPhase(n, &p, rate)
		d.checkFix(s, n, &p)
	}
	return p
}

// checkPhase completes a phase, and refuses combinations of fields that have no
// meaning.
func (d *decoder) checkPhase(n *yaml.Node, p *Phase, rate float64) {
	if p.Model != Trace && len(p.Pattern) == 0 && len(p.Weights) == 0 {
		d.fail(n, "phase: give either class or mix")
	}
	if len(p.Pattern) > 1 && field(n, "class") != nil || len(p.Weights) > 0 && len(p.Pattern) > 0 {
		d.fail(n, "phase: give either class or mix, not both")
	}
	switch p.Model {
	case Open:
		d.checkRate(n, p, rate)
	case Closed:
		if p.Duration == 0 && p.Count == 0 {
			d.fail(n, "phase closed: give duration or count")
		}
	case Trace:
		sort.SliceStable(p.Rows, func(i, j int) bool { return p.Rows[i].At < p.Rows[j].At })
		if len(p.Rows) > 0 {
			p.Duration = p.Rows[len(p.Rows)-1].At
		}
	}
}

// checkRate turns rate and duration into a shape, or a shape into its duration.
func (d *decoder) checkRate(n *yaml.Node, p *Phase, rate float64) {
	if len(p.Shape) > 0 {
		if field(n, "rate") != nil || p.Duration != 0 {
			d.fail(n, "phase open: shape gives rate and duration: leave those out")
		}
		for _, seg := range p.Shape {
			p.Duration += seg.For
		}
	} else {
		if rate == 0 {
			d.fail(n, "phase open: give a rate above 0/s, or a shape")
			return
		}
		if p.Duration == 0 {
			if p.Count == 0 {
				d.fail(n, "phase open: give duration or count")
				return
			}
			// Count ends the phase, which is long enough for any draw of the arrivals.
			t, ok := duration(math.Max(1, 10*float64(p.Count)/rate))
			if !ok {
				d.fail(n, "phase open: %d messages at %g/s take longer than a run can", p.Count, rate)
				return
			}
			p.Duration = t
		}
		p.Shape = []Segment{{For: p.Duration, From: rate, To: rate}}
	}
}

func (d *decoder) arrival(a *Arrival) func(*yaml.Node) {
	const constant, poisson, gamma, mmpp = "constant", "poisson", "gamma", "mmpp"
	return func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			choice(d, &a.Process, constant, poisson)(n)
			return
		}
		read := fields{"process": choice(d, &a.Process, constant, poisson, gamma, mmpp)}
		required := []string{"process"}
		if p := field(n, "process"); p != nil {
			switch p.Value {
			case gamma:
				read["shape"] = d.number(&a.Shape, 1e-3, 1e6)
				required = append(required, "shape")
			case mmpp:
				read["burst"] = d.time(&a.Burst, time.Microsecond)
				read["pause"] = d.time(&a.Pause, time.Microsecond)
				required = append(required, "burst", "pause")
			}
		}
		d.object(n, "arrival", read, required...)
	}
}

// shape reads the segments of a rate: {hold: r, for: t}, {ramp: r, for: t} from the
// end of the last segment (or from: r), and {sine: mean, amplitude, period, for}.
func (d *decoder) shape(n *yaml.Node) []Segment {
	var shape []Segment
	level := 0.0
	d.each(n, "shape", func(n *yaml.Node) {
		seg := Segment{From: level, To: level}
		read := fields{"for": d.time(&seg.For, time.Microsecond)}
		required := []string{"for"}
		switch {
		case field(n, "hold") != nil:
			read["hold"] = d.rate(&seg.To)
		case field(n, "ramp") != nil:
			read["ramp"] = d.rate(&seg.To)
			read["from"] = d.rate(&seg.From)
		case field(n, "sine") != nil:
			read["sine"] = d.rate(&seg.To)
			read["amplitude"] = d.rate(&seg.Amplitude)
			read["period"] = d.time(&seg.Period, time.Microsecond)
			required = append(required, "amplitude", "period")
		default:
			d.fail(n, "shape: give hold, ramp or sine")
			return
		}
		d.object(n, "shape", read, required...)
		if field(n, "ramp") == nil {
			seg.From = seg.To
		}
		if seg.Amplitude > seg.To {
			d.fail(n, "shape: amplitude %g/s is larger than the mean rate %g/s", seg.Amplitude, seg.To)
		}
		level = seg.To
		shape = append(shape, seg)
	})
	return shape
}

// classIndex looks up a class by name.
func (d *decoder) classIndex(s *Scenario, n *yaml.Node) int {
	var name string
	d.text(&name)(n)
	return d.classNamed(s, n, name)
}

func (d *decoder) classNamed(s *Scenario, n *yaml.Node, name string) int {
	names := make([]string, len(s.Classes))
	for i := range s.Classes {
		if names[i] = s.Classes[i].Name; names[i] == name {
			return i
		}
	}
	d.fail(n, "unknown class %q%s", name, nearest.Choices(name, names))
	return 0
}

func (d *decoder) mix(s *Scenario, p *Phase, n *yaml.Node) {
	d.object(n, "mix", fields{
		"pattern": func(n *yaml.Node) {
			d.each(n, "pattern", func(n *yaml.Node) { p.Pattern = append(p.Pattern, d.classIndex(s, n)) })
		},
		"weights": func(n *yaml.Node) {
			names, weights := d.weights(n, "weights")
			p.Weights = make([]float64, len(s.Classes))
			for i, name := range names {
				if c := d.classNamed(s, n, name); c < len(p.Weights) {
					p.Weights[c] = weights[i]
				}
			}
		},
	})
}

func (d *decoder) fix(n *yaml.Node) map[string]string {
	fixed := map[string]string{}
	if n.Kind != yaml.MappingNode {
		d.fail(n, "fix: give a mapping of keys to values, as {tenant: noisy}")
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var s string
		d.text(&s)(n.Content[i+1])
		fixed[n.Content[i].Value] = s
	}
	return fixed
}

// checkFix refuses fixed keys that no class of the phase has.
func (d *decoder) checkFix(s *Scenario, n *yaml.Node, p *Phase) {
	for _, name := range sortedKeys(p.Fix) {
		var have []string
		for _, c := range p.classes(s) {
			for _, k := range s.Classes[c].Keys {
				have = append(have, k.Name)
			}
		}
		known := false
		for _, h := range have {
			known = known || h == name
		}
		if !known {
			d.fail(field(n, "fix"), "fix: no class of this phase has the key %q%s", name, nearest.Choices(name, have))
		}
	}
}

// classes returns the indexes of the classes a phase may publish.
func (p *Phase) classes(s *Scenario) []int {
	var list []int
	for c := range s.Classes {
		used := c < len(p.Weights) && p.Weights[c] > 0
		for _, q := range p.Pattern {
			used = used || q == c
		}
		for i := range p.Rows {
			used = used || p.Rows[i].Class == c
		}
		if used {
			list = append(list, c)
		}
	}
	return list
}
