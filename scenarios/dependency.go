package scenarios

import "go.yaml.in/yaml/v3"

// A Dependency is what workers call to do their work: a database, an API. It works on
// Capacity attempts at a time, each for its service time, and on the others in the order
// in which they came. So an attempt takes its service time while fewer than Capacity are
// in progress, and longer the more there are. The dependency does not learn that a
// caller gave up (fail.timeout) or died: it works on every attempt to its end, also on
// one that is to fail.
//
// This is a queue of many servers with impatient callers whom the servers do not see
// leave. Its abandoned work is what sustains a retry storm after its trigger has gone: a
// metastable failure (Bronson, Aghayev, Charapko and Zhu, "Metastable failures in
// distributed systems", HotOS 2021; Huang et al., "Metastable failures in the wild",
// OSDI 2022).
type Dependency struct {
	Name     string
	Capacity int
}

func (d *decoder) dependency(n *yaml.Node) Dependency {
	var x Dependency
	d.object(n, "dependency", fields{
		"name":     d.text(&x.Name),
		"capacity": d.whole(&x.Capacity, 1, 1_000_000),
	}, "name", "capacity")
	d.declare(n, "dependency", x.Name)
	d.use(n, FeatureDependency)
	return x
}

func (x Dependency) yaml() string {
	var f flow
	f.add("name", quote(x.Name))
	f.add("capacity", whole(x.Capacity, 0))
	return f.String()
}
