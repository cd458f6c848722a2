package queue

import "harelab/engine/dispatch"

// tasks learns what messages cost that do not say so: the mean service time of
// messages with the same task name (Celery's task header), from
// acknowledgements.
//
// A service is taken to last from the consumer's previous acknowledgement, or
// the delivery that ended its idleness, to its own acknowledgement. For a
// worker of one slot that acknowledges when it is done that is exact, round
// trip included; more slots make all its services look shorter alike.
//
// The first maxTasks names of a queue are learned: names come from strangers.
type tasks struct {
	ids  map[string]uint32
	rows []taskMean
}

const (
	maxTasks = 1024
	recent   = 8 // services that count as much as all before them
)

// A taskMean is what is known of a name.
type taskMean struct {
	mean    int64 // microseconds
	samples int64 // up to recent
}

// id returns the number of a name, from 1; 0 if it is not learned.
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

// learn takes in one service.
func (t *tasks) learn(id uint32, service int64) {
	if id == 0 {
		return
	}
	row := &t.rows[id-1]
	row.samples = min(row.samples+1, recent)
	row.mean += (service - row.mean) / row.samples
}

// ack frees a message that is done, and learns from it.
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
