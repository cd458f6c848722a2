package dispatch

// DefaultOrder is the order of a queue that names none.
const DefaultOrder = "fifo"

func init() {
	RegisterOrder(OrderStrategy{
		Name: DefaultOrder,
		Doc:  "the oldest message first",
		New:  func(_ Config, t *Messages) Order { return &fifo{t: t, list: newAgeList()} },
	})
}

// fifo is first in, first out. A requeued message goes to its original place, as in
// RabbitMQ's classic queues (rabbit_variable_queue:requeue_merge). O(1).
type fifo struct {
	t    *Messages
	list ageList
}

func (o *fifo) Push(r Ref)     { o.list.push(o.t, r) }
func (o *fifo) Pop(int64) Ref  { return o.list.pop(o.t) }
func (o *fifo) Peek(int64) Ref { return o.list.peek(o.t) }
func (o *fifo) Len() int       { return o.list.n }
