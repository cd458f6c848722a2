package exchange

import (
	"harelab/engine/topic"
	"harelab/engine/wire"
)

func init() {
	Register(Type{
		Name: "x-modulus-hash",
		Doc:  "to one destination, by a hash of the routing key modulo their number",
		Once: true,
		New:  func(Config) Exchange { return new(modulusHash) },
	})
}

// modulusHash is RabbitMQ's rabbit_sharding_exchange_type_modulus_hash with another hash.
// A new destination moves most routing keys.
type modulusHash struct{ choices }

func (x *modulusHash) Bind(key string, _ wire.Table, d topic.Dest)   { x.bind(key, d, 1) }
func (x *modulusHash) Unbind(key string, _ wire.Table, d topic.Dest) { x.unbind(key, d) }

func (x *modulusHash) Route(dst []topic.Dest, m *Message) []topic.Dest {
	list, n := x.list()
	if list == nil {
		return dst
	}
	return append(dst, list.dests[hash(m.RoutingKey)%uint64(n)])
}
