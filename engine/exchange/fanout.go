package exchange

import (
	"slices"
	"sync/atomic"

	"harelab/engine/topic"
	"harelab/engine/wire"
)

func init() {
	Register(Type{
		Name: "fanout",
		Doc:  "every message to every destination",
		New:  func(Config) Exchange { return &fanout{bindings: make(map[topic.Dest]int)} },
	})
}

// fanout ignores keys. Bind and Unbind copy the list of destinations, so the list
// that Route reads never changes.
type fanout struct {
	bindings map[topic.Dest]int
	dests    atomic.Pointer[[]topic.Dest]
}

func (x *fanout) Bind(_ string, _ wire.Table, d topic.Dest) {
	x.bindings[d]++
	if x.bindings[d] == 1 {
		x.publish(append(slices.Clone(x.current()), d))
	}
}

func (x *fanout) Unbind(_ string, _ wire.Table, d topic.Dest) {
	x.bindings[d]--
	if x.bindings[d] == 0 {
		delete(x.bindings, d)
		x.publish(remove(x.current(), d))
	}
}

func (x *fanout) Route(dst []topic.Dest, _ *Message) []topic.Dest {
	return append(dst, x.current()...)
}

func (x *fanout) current() []topic.Dest {
	if p := x.dests.Load(); p != nil {
		return *p
	}
	return nil
}

func (x *fanout) publish(dests []topic.Dest) { x.dests.Store(&dests) }

// remove returns a copy of dests without d.
func remove(dests []topic.Dest, d topic.Dest) []topic.Dest {
	rest := make([]topic.Dest, 0, len(dests))
	for _, e := range dests {
		if e != d {
			rest = append(rest, e)
		}
	}
	return rest
}
