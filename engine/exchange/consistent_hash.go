package exchange

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"harelab/engine/topic"
	"harelab/engine/wire"
)

func init() {
	Register(Type{
		Name:         "x-consistent-hash",
		Doc:          "to one destination, by a hash of the routing key, a header or a property; the binding key is a weight",
		Once:         true,
		CheckDeclare: checkHashArguments,
		Check:        checkWeight,
		New:          newConsistentHash,
	})
}

// consistentHash chooses a destination by jump consistent hash. Each destination has as
// many buckets as its binding key says, one after the other in the order of binding. A new
// destination takes its share from the others and moves nothing between them
// (RabbitMQ: rabbit_exchange_type_consistent_hash, which uses another hash).
type consistentHash struct {
	choices
	header   string // hash this header; empty: none
	property string // hash this property; empty: none
}

func newConsistentHash(c Config) Exchange {
	x := new(consistentHash)
	x.header, _ = textArgument(c.Arguments, "hash-header")
	x.property, _ = textArgument(c.Arguments, "hash-property")
	return x
}

func textArgument(args wire.Table, name string) (text string, ok bool) {
	v, _ := args.Get(name)
	text, ok = v.(string)
	return text, ok
}

// checkHashArguments is validate/1 of RabbitMQ's module.
func checkHashArguments(args wire.Table) (refusal string) {
	_, byHeader := args.Get("hash-header")
	v, byProperty := args.Get("hash-property")
	switch {
	case byHeader && byProperty:
		return "hash-header and hash-property are mutually exclusive"
	case byProperty && v != "correlation_id" && v != "message_id" && v != "timestamp":
		text, ok := v.(string)
		if !ok {
			text = wire.Term(v)
		}
		return "Unsupported property: " + text
	}
	return ""
}

// maxWeight bounds the buckets of a destination, which RabbitMQ does not.
const maxWeight = 1 << 20

// checkWeight is validate_binding/2 of RabbitMQ's module.
func checkWeight(key string, _ wire.Table) (refusal string) {
	n, err := strconv.Atoi(key)
	switch {
	case err != nil:
		return fmt.Sprintf("The binding key must be an integer: %s", wire.Term(key))
	case n < 1:
		return "The binding key must be greater than 0"
	case n > maxWeight:
		return fmt.Sprintf("The binding key must be at most %d", maxWeight)
	}
	return ""
}

func (x *consistentHash) Bind(key string, _ wire.Table, d topic.Dest) {
	weight, _ := strconv.Atoi(key)
	x.bind(key, d, min(max(weight, 1), maxWeight))
}

func (x *consistentHash) Unbind(key string, _ wire.Table, d topic.Dest) { x.unbind(key, d) }

func (x *consistentHash) Route(dst []topic.Dest, m *Message) []topic.Dest {
	list, buckets := x.list()
	if list == nil {
		return dst
	}
	return append(dst, list.at(jump(x.hash(m), buckets)))
}

// hash returns the hash of what the exchange looks at. All messages without it have the
// same hash. A property costs an allocation, for the list is read as a whole.
func (x *consistentHash) hash(m *Message) uint64 {
	switch {
	case x.header != "":
		v, ok := wire.TableLookup(m.Headers, x.header)
		if !ok {
			return 0
		}
		if n, ok := v.Int64(); ok { // the same number in any type is the same
			var b [8]byte
			binary.BigEndian.PutUint64(b[:], uint64(n))
			return hash(b[:])
		}
		return hash(v.Raw)
	case x.property != "":
		return x.hashProperty(m)
	}
	return hash(m.RoutingKey)
}

func (x *consistentHash) hashProperty(m *Message) uint64 {
	if m.Properties == nil {
		return 0
	}
	p, err := wire.ParseProperties(m.Properties)
	if err != nil {
		return 0 // unreachable: the properties were checked when they came
	}
	switch x.property {
	case "correlation_id":
		return hash([]byte(p.CorrelationID))
	case "message_id":
		return hash([]byte(p.MessageID))
	}
	return hash(strconv.AppendUint(nil, p.Timestamp, 10))
}
