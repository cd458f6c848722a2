package scenarios

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (d *decoder) network(w *Network) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.object(n, "network", fields{"rtt": d.time(&w.RTT, 0)})
		if w.RTT > 0 {
			d.use(n, FeatureRTT)
		}
	}
}

func (d *decoder) stop(s *Stop) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.object(n, "stop", fields{
			"when":    choice(d, &s.When, StopDrained, StopPublished, StopPublishedAndIdle),
			"idle":    d.time(&s.Idle, time.Millisecond),
			"timeout": d.time(&s.Timeout, time.Millisecond),
		}, "when")
	}
}

// gauges are the values of measure.gauges. A result has a finding for a gauge that
// its runner does not record.
var gauges = []string{"ready", "unacked", "held", "consumer_unacked", "heap", "allocs", "gc", "cpu", "match_ns"}

func (d *decoder) measure(m *Measure) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.object(n, "measure", fields{
			"interval": d.time(&m.Interval, time.Millisecond),
			"warmup":   d.time(&m.Warmup, 0),
			"trace":    d.trace(&m.Trace),
			"group_by": func(n *yaml.Node) {
				d.each(n, "group_by", func(n *yaml.Node) {
					var g string
					choice(d, &g, "class", "queue", "worker", "tenant")(n)
					m.GroupBy = append(m.GroupBy, g)
				})
			},
			"gauges": func(n *yaml.Node) {
				d.each(n, "gauges", func(n *yaml.Node) {
					var g string
					choice(d, &g, gauges...)(n)
					m.Gauges = append(m.Gauges, g)
				})
			},
		})
	}
}

// trace reads the share of messages to list: all, none or sample:1%.
func (d *decoder) trace(p *float64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var s string
		d.text(&s)(n)
		rest, sampled := strings.CutPrefix(s, "sample:")
		switch {
		case s == "all":
			*p = 1
		case s == "none":
			*p = 0
		case sampled:
			share := *n
			share.Value = rest
			d.share(p)(&share)
		default:
			d.fail(n, "trace: unknown value %q (have all, none, sample:1%%)", s)
		}
	}
}

// charts are the values of report.charts: those of runs, then those of sweeps.
var charts = []string{"lanes", "finished", "throughput", "hdr", "slowdown", "waits", "wait-parts", "shares", "depth", "heatmap", "lines", "ranking", "pareto"}

// Charts returns the names that report.charts can have.
func Charts() []string { return slices.Clone(charts) }

func (d *decoder) report(r *Report) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.object(n, "report", fields{
			"headline":     d.headline(r),
			"compare_with": d.text(&r.CompareWith),
			"charts": func(n *yaml.Node) {
				d.each(n, "charts", func(n *yaml.Node) {
					var c string
					choice(d, &c, charts...)(n)
					r.Charts = append(r.Charts, c)
				})
			},
		})
	}
}
