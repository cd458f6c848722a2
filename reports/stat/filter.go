package stat

import (
	"harelab/loadgen/run"
	"harelab/scenarios/metric"
)

// A filter selects messages by labels.
type filter struct {
	class, queue, tenant, worker members
}

// members says for each name of a list, by index, whether the labels admit it.
type members struct {
	by   []bool // nil admits all
	none bool   // for index -1: a message without a tenant, or without a worker
}

func (ds *dataset) filter(labels []metric.Label) filter {
	of := func(key string, n int, name func(int) string) members {
		used := false
		for _, l := range labels {
			used = used || l.Key == key
		}
		if !used {
			return members{}
		}
		m := members{by: make([]bool, n), none: metric.Admit(labels, key, "")}
		for i := range m.by {
			m.by[i] = metric.Admit(labels, key, name(i))
		}
		return m
	}
	r := ds.r
	return filter{
		class:  of("class", len(r.Classes), func(i int) string { return r.Classes[i] }),
		queue:  of("queue", len(r.Queues), func(i int) string { return r.Queues[i] }),
		tenant: of("tenant", len(r.Tenants), func(i int) string { return r.Tenants[i] }),
		worker: of("worker", len(r.Workers), func(i int) string { return r.Workers[i].Name }),
	}
}

func (m members) admits(i int32) bool {
	switch {
	case m.by == nil:
		return true
	case i < 0 || int(i) >= len(m.by):
		return m.none
	}
	return m.by[i]
}

// admits reports whether the labels select a message.
func (f *filter) admits(m *run.Message) bool {
	return f.class.admits(m.Class) && f.queue.admits(m.Queue) && f.tenant.admits(m.Tenant) && f.worker.admits(m.Worker)
}

// carries is admits for any worker: it ignores labels of workers.
func (f *filter) carries(m *run.Message) bool {
	return f.class.admits(m.Class) && f.queue.admits(m.Queue) && f.tenant.admits(m.Tenant)
}
