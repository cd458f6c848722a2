package exchange

import (
	"slices"

	"harelab/engine/internal/nametable"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

func init() {
	Register(Type{
		Name: "direct",
		Doc:  "to the destinations whose binding key is the routing key",
		New:  func(Config) Exchange { return new(direct) },
	})
}

// direct keeps a list of destinations for each binding key. Bind and Unbind copy the
// list of their key, so the list that Route reads never changes.
type direct struct {
	byKey nametable.Table[[]topic.Dest]
}

func (x *direct) Bind(key string, _ wire.Table, d topic.Dest) {
	dests, _ := x.byKey.GetString(key)
	x.byKey.Set(key, append(slices.Clip(dests), d))
}

func (x *direct) Unbind(key string, _ wire.Table, d topic.Dest) {
	dests, _ := x.byKey.GetString(key)
	if rest := remove(dests, d); len(rest) > 0 {
		x.byKey.Set(key, rest)
	} else {
		x.byKey.Delete(key)
	}
}

func (x *direct) Route(dst []topic.Dest, m *Message) []topic.Dest {
	dests, _ := x.byKey.Get(m.RoutingKey)
	return append(dst, dests...)
}
