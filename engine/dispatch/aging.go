package dispatch

func init() {
	RegisterOrder(OrderStrategy{
		Name:  "aging",
		Doc:   "the highest priority first; waiting raises a message's priority",
		Needs: NeedPriority | NeedTime,
		New: func(cfg Config, t *Messages) Order {
			if cfg.AgingUS <= 0 {
				cfg.AgingUS = 1_000_000
			}
			return &aging{levels: newLevels(cfg, t), step: cfg.AgingUS}
		},
	})
}

// aging chooses the message with the highest priority + floor(waited/step), and the
// oldest on ties. That bounds how long messages of higher priority can hold back one
// of lower priority (Kleinrock 1964). Within a priority the oldest message is the
// best, so only the heads of the levels in use are compared: at most 256, whatever the
// backlog.
type aging struct {
	levels
	step int64 // microseconds of waiting that raise a message by one priority
}

func (o *aging) Pop(now int64) Ref { return o.pop(o.best(now)) }

func (o *aging) Peek(now int64) Ref { return o.lists[o.best(now)].peek(o.t) }

func (o *aging) best(now int64) int {
	best := o.below(256)
	m := o.t.At(o.lists[best].peek(o.t))
	key, id := o.key(best, m, now), m.ID
	for p := o.below(best); p >= 0; p = o.below(p) {
		m := o.t.At(o.lists[p].peek(o.t))
		if k := o.key(p, m, now); k > key || k == key && m.ID < id {
			best, key, id = p, k, m.ID
		}
	}
	return best
}

func (o *aging) key(p int, m *Message, now int64) int64 {
	return int64(p) + max(now-m.Published, 0)/o.step
}
