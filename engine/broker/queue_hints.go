package broker

import (
	"harelab/engine/dispatch"
	"harelab/engine/message"
	"harelab/engine/wire"
)

// hints sets the fields of meta that the queue's strategies need. It reads them from the
// message's headers, an encoded table, which it does not touch if no strategy needs
// anything.
func (q *Queue) hints(meta *dispatch.Meta, m *message.Message, table []byte) {
	s := q.settings.Load()
	if s.Needs&dispatch.NeedCost != 0 {
		if v, ok := wire.TableLookup(table, "x-cost"); ok {
			meta.Cost, _ = v.Int64()
		} else if v, ok := wire.TableLookup(table, "task"); ok { // Celery's name of the task
			name, _ := v.Bytes()
			meta.Task = q.intern(name)
		}
	}
	if s.Needs&dispatch.NeedTenant == 0 {
		return
	}
	if s.FairKey.RoutingKey {
		meta.Tenant = q.intern(m.RoutingKey())
	} else if v, ok := wire.TableLookup(table, s.FairKey.Header); ok {
		name, _ := v.Bytes()
		meta.Tenant = q.intern(name)
	}
}

// maxInterned is the number of names that a queue interns at most: publishers choose them.
const maxInterned = 1024

// intern returns a name as a string. It allocates once for each name, not for each
// message.
func (q *Queue) intern(name []byte) string {
	if s, ok := q.interned[string(name)]; ok {
		return s
	}
	if q.interned == nil || len(q.interned) >= maxInterned {
		q.interned = make(map[string]string)
	}
	s := string(name)
	q.interned[s] = s
	return s
}
