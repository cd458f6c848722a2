package dispatch

// PriorityOrder is the order of a queue that has a maximum priority (x-max-priority)
// and names no order.
const PriorityOrder = "priority"

func init() {
	RegisterOrder(OrderStrategy{
		Name:  PriorityOrder,
		Doc:   "the highest priority first, within it the oldest message (x-max-priority)",
		Needs: NeedPriority,
		New:   func(cfg Config, t *Messages) Order { return &priority{newLevels(cfg, t)} },
	})
}

// priority is strict: a message waits for all messages of higher priority, and starves
// when these keep all consumers busy (Cobham 1954). A priority above the maximum
// counts as the maximum, as in RabbitMQ (rabbit_priority_queue). O(1).
type priority struct{ levels }

func (o *priority) Pop(int64) Ref { return o.pop(o.below(256)) }

func (o *priority) Peek(int64) Ref { return o.lists[o.below(256)].peek(o.t) }
