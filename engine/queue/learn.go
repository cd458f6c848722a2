package queue

import "harelab/engine/dispatch"

// tasks predicts the cost of messages without a cost hint. It learns the mean service
// time of messages with the same task name (Celery's task header) from
// acknowledgements.
//
// It measures a service from the consumer's previous acknowledgement, or from the
// delivery that ended its idleness, to the message's own acknowledgement. That is
// exact, with the round trip included, for a worker of one slot that acknowledges when
// its work is done. More slots make all services look shorter by the same factor.
//
// It learns the first maxTasks names of a queue and no more, because strangers choose
// the names.
type tasks struct {
	ids  map[string]uint32
	rows []taskMean
}

const (
	maxTasks = 1024
	recent   = 8 // a new service weighs at least 1/recent in the mean
)

// A taskMean is the mean service time of a task name.
type taskMean struct {
	mean    int64 // microseconds
	samples int64 // number of services, up to recent
}

// id returns the number of a name, from 1, or 0 if the name is not learned.
func (t *tasks) id(name string) uint32 {
	if name == "" {
		return 0
	}
	id, ok := t.ids[name]
	if !ok && len(t.rows) < maxTasks {
		if t.ids == nil {
			t.ids = make(map[string]uint32)
		}
		t.rows = append(t.rows, taskMean{})
		id = uint32(len(t.rows))
		t.ids[name] = id
	}
	return id
}

// mean returns the mean service time in microseconds, 0 if unknown.
func (t *tasks) mean(id uint32) int64 {
	if id == 0 {
		return 0
	}
	return t.rows[id-1].mean
}

// learn adds one service, in microseconds.
func (t *tasks) learn(id uint32, service int64) {
	if id == 0 {
		return
	}
	row := &t.rows[id-1]
	row.samples = min(row.samples+1, recent)
	row.mean += (service - row.mean) / row.samples
}

// predict notes a message's task, and sets its cost to what the queue has learned of the
// task, if it has none.
func (q *Queue) predict(m *dispatch.Message, task string) {
	m.Task = q.tasks.id(task)
	if m.Cost == 0 && !m.Costless {
		m.Cost = q.tasks.mean(m.Task)
	}
}

// ack frees an acknowledged message, and learns its service time.
func (q *Queue) ack(r dispatch.Ref) {
	if !q.isUnacked(r) {
		return
	}
	if m := q.msgs.At(r); m.Task != 0 && m.Consumer != dispatch.NoConsumer {
		q.tasks.learn(m.Task, q.now-q.cons.At(m.Consumer).Busy)
	}
	q.settle(r)
	q.free(r)
}
