package dispatch

// PriorityOrder is the order of a queue with a maximum priority (x-max-priority) that
// does not choose its own.
const PriorityOrder = "priority"

func init() {
	RegisterOrder(OrderStrategy{
		Name:  PriorityOrder,
		Doc:   "the highest priority first, the oldest within (x-max-priority)",
		Needs: NeedPriority,
		New:   func(cfg Config, t *Messages) Order { return &priority{newLevels(cfg, t)} },
	})
}

// priority is strict: a message waits for all of higher priority, which starves
// it once these are enough to fill the consumers (Cobham 1954). Priorities
// above the maximum count as the maximum, as in RabbitMQ
// (rabbit_priority_queue). O(1).
type priority struct{ levels }

func (o *priority) Pop(int64) Ref { return o.pop(o.below(256)) }

func (o *priority) Peek(int64) Ref { return o.lists[o.below(256)].peek(o.t) }
