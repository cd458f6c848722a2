package plot

import (
	"slices"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/scenarios/metric"
)

// An asked is the messages that a report is about.
type asked struct {
	who    string // their name in words, as "quick (all tenants but noisy)"; empty for all messages
	labels []metric.Label
}

// askedOf returns the messages that the first goal of the runs selects, or else those
// of the class that stands out. A goal about one worker says nothing about messages.
func askedOf(in *arms.Set) asked {
	goals := judge.Goals(arms.Summaries(in.Runs))
	if len(goals) > 0 {
		labels := goals[0].Selecting()
		onWorker := slices.ContainsFunc(labels, func(l metric.Label) bool { return l.Key == "worker" })
		if len(labels) > 0 && !onWorker {
			return asked{judge.Goal{Query: goals[0].Query}.Who(), labels} // finished or not
		}
	}
	if class := emphasis(in); class != "" {
		return ofClass(class)
	}
	return asked{}
}

func ofClass(name string) asked {
	return asked{name, []metric.Label{{Key: "class", Value: name}}}
}

// admits returns a function that reports whether a message of a run is one of them.
func (a asked) admits(r *run.Result) func(m *run.Message) bool {
	of := func(key string, names []string) func(i int32) bool {
		if !slices.ContainsFunc(a.labels, func(l metric.Label) bool { return l.Key == key }) {
			return func(int32) bool { return true }
		}
		none := metric.Admit(a.labels, key, "")
		by := make([]bool, len(names))
		for i, name := range names {
			by[i] = metric.Admit(a.labels, key, name)
		}
		return func(i int32) bool {
			if i < 0 || int(i) >= len(by) {
				return none
			}
			return by[i]
		}
	}
	workers := make([]string, len(r.Workers))
	for i, w := range r.Workers {
		workers[i] = w.Name
	}
	class, queue, tenant, worker := of("class", r.Classes), of("queue", r.Queues), of("tenant", r.Tenants), of("worker", workers)
	return func(m *run.Message) bool {
		return class(m.Class) && queue(m.Queue) && tenant(m.Tenant) && worker(m.Worker)
	}
}
