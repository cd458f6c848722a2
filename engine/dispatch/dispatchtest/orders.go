package dispatchtest

import (
	"slices"

	"harelab/engine/dispatch"
)

// A message is the model's view of a message.
type message struct {
	id          uint64
	ref         dispatch.Ref
	published   int64
	expires     int64
	cost        int64
	costless    bool
	tenant      string
	task        string
	priority    uint8
	bytes       uint32
	attempts    int
	redelivered bool
	holder      *consumer // nil if a Get took the message, or if it is not unacked
}

// An orderModel is an Order written as its rule says, whatever it costs.
type orderModel interface {
	push(m *message)
	pop(now int64) *message
	clone() orderModel // to look ahead
}

// orderModels are the models of orders, by name.
var orderModels = map[string]func(cfg dispatch.Config) orderModel{
	"fifo":     func(dispatch.Config) orderModel { return &keyModel{key: func(*message, int64) int64 { return 0 }} },
	"priority": func(cfg dispatch.Config) orderModel { return &keyModel{key: cap255(cfg).priority} },
	"sjf": func(dispatch.Config) orderModel {
		return &keyModel{key: func(m *message, _ int64) int64 { return -m.cost }}
	},
	"aging": func(cfg dispatch.Config) orderModel { return &keyModel{key: cap255(cfg).aging} },
	"drr":   func(cfg dispatch.Config) orderModel { return &turnModel{cfg: cfg, deficit: map[string]int64{}} },
}

// keyModel chooses the message with the greatest key, and the oldest on ties.
type keyModel struct {
	ready []*message
	key   func(m *message, now int64) int64
}

func (o *keyModel) push(m *message)   { o.ready = append(o.ready, m) }
func (o *keyModel) clone() orderModel { return &keyModel{slices.Clone(o.ready), o.key} }

func (o *keyModel) pop(now int64) *message {
	best := 0
	for i, m := range o.ready {
		k, b := o.key(m, now), o.key(o.ready[best], now)
		if k > b || k == b && m.id < o.ready[best].id {
			best = i
		}
	}
	m := o.ready[best]
	o.ready = slices.Delete(o.ready, best, best+1)
	return m
}

// keySettings are the settings of the keys, with their defaults filled in.
type keySettings dispatch.Config

func cap255(cfg dispatch.Config) keySettings {
	if cfg.MaxPriority == 0 {
		cfg.MaxPriority = 255
	}
	if cfg.AgingUS == 0 {
		cfg.AgingUS = 1_000_000
	}
	return keySettings(cfg)
}

func (s keySettings) priority(m *message, _ int64) int64 {
	return int64(min(m.priority, s.MaxPriority))
}

func (s keySettings) aging(m *message, now int64) int64 {
	return s.priority(m, now) + (now-m.published)/s.AgingUS
}

// turnModel is deficit round robin as rule R7 says.
type turnModel struct {
	cfg     dispatch.Config
	ready   []*message
	list    []string // backlogged tenants
	deficit map[string]int64
	started bool // the head's turn has started
}

func (o *turnModel) clone() orderModel {
	c := *o
	c.ready, c.list = slices.Clone(o.ready), slices.Clone(o.list)
	c.deficit = map[string]int64{}
	for k, v := range o.deficit {
		c.deficit[k] = v
	}
	return &c
}

func (o *turnModel) push(m *message) {
	if !slices.Contains(o.list, m.tenant) {
		o.list = append(o.list, m.tenant)
	}
	o.ready = append(o.ready, m)
}

func (o *turnModel) pop(int64) *message {
	for {
		tenant := o.list[0]
		if !o.started {
			o.deficit[tenant] += max(o.cfg.Quantum, 1) * max(o.cfg.Weights[tenant], 1)
			o.started = true
		}
		oldest := -1
		for i, m := range o.ready {
			if m.tenant == tenant && (oldest < 0 || m.id < o.ready[oldest].id) {
				oldest = i
			}
		}
		m := o.ready[oldest]
		if cost := o.cost(m); cost <= o.deficit[tenant] {
			o.deficit[tenant] -= cost
			o.ready = slices.Delete(o.ready, oldest, oldest+1)
			if !slices.ContainsFunc(o.ready, func(o *message) bool { return o.tenant == tenant }) {
				o.list, o.started, o.deficit[tenant] = o.list[1:], false, 0
			}
			return m
		}
		o.list, o.started = append(o.list[1:], tenant), false
	}
}

func (o *turnModel) cost(m *message) int64 {
	switch {
	case !o.cfg.CostByService:
		return 1
	case m.cost == 0 && !m.costless:
		return max(o.cfg.Quantum, 1)
	}
	return m.cost
}
