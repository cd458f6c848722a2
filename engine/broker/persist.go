package broker

import (
	"encoding/json"
	"strings"

	"harelab/engine/store"
	"harelab/engine/wire"
)

// Kinds of records. A record's name has the virtual host as its first part (a user's record
// has the user); each part ends with a zero octet.
const (
	kindVHost     store.Kind = 'v'
	kindExchange  store.Kind = 'x'
	kindQueue     store.Kind = 'q'
	kindBinding   store.Kind = 'b'
	kindUser      store.Kind = 'u' // the record without a name says that the store has users of its own
	kindGrant     store.Kind = 'r'
	kindTopic     store.Kind = 't'
	kindParameter store.Kind = 'g'

	kindPolicy         store.Kind = 'p'
	kindOperatorPolicy store.Kind = 'o'
	kindLimits         store.Kind = 'l' // of virtual hosts

	kindClosed store.Kind = 'c' // a record without name and value: the broker was closed, it did not crash
)

// A record is the value of a record in the store: what was declared, and its place in the
// order of declarations.
type record struct {
	Seq        uint64
	VHost      string
	Name       string        `json:",omitempty"` // of a queue, exchange or policy, or of the source of a binding
	Type       string        `json:",omitempty"`
	AutoDelete bool          `json:",omitempty"`
	Internal   bool          `json:",omitempty"`
	Queue      store.QueueID `json:",omitempty"` // of a queue, or of the messages that an exchange delays
	Dest       string        `json:",omitempty"` // destination of a binding
	ToExchange bool          `json:",omitempty"`
	Key        string        `json:",omitempty"`
	Arguments  []byte        `json:",omitempty"` // an encoded table; of a policy: its definition
	Pattern    string        `json:",omitempty"`
	ApplyTo    string        `json:",omitempty"`
	Priority   int           `json:",omitempty"`
}

func recordName(parts ...string) string { return strings.Join(parts, "\x00") + "\x00" }

func (b *Broker) put(kind store.Kind, name string, r *record, args wire.Table) {
	if len(args) > 0 {
		r.Arguments = wire.AppendTable(nil, args)
	}
	value, err := json.Marshal(r)
	if err != nil {
		panic(err) // unreachable: the struct has plain fields
	}
	b.store.Put(kind, name, value)
	b.recordsChanged.Store(true)
}

func (b *Broker) forget(kind store.Kind, name string) {
	b.store.Delete(kind, name)
	b.recordsChanged.Store(true)
}

func (v *VHost) storeExchange(x *Exchange) {
	if v.broker.store != nil && x.durable {
		r := &record{Seq: x.seq, VHost: v.name, Name: x.name, Type: x.kind.Name, AutoDelete: x.autoDelete, Internal: x.internal}
		if x.delays != nil {
			x.delays.storeID = store.QueueID(v.broker.queueIDs.next(v.broker.store))
			r.Queue = x.delays.storeID
		}
		v.broker.put(kindExchange, recordName(v.name, x.name), r, x.args)
	}
}

func (v *VHost) forgetExchange(x *Exchange) {
	if v.broker.store != nil && x.durable {
		v.broker.forget(kindExchange, recordName(v.name, x.name))
	}
}

// storeQueue gives a durable queue an identity and puts its record. Exclusive queues are
// not stored, since they end with their connection.
func (v *VHost) storeQueue(q *Queue) {
	b := v.broker
	if b.store == nil || !q.durable || q.owner != nil {
		return
	}
	q.storeID = store.QueueID(b.queueIDs.next(b.store))
	r := &record{Seq: q.seq, VHost: v.name, Name: q.name, AutoDelete: q.autoDelete, Queue: q.storeID}
	b.put(kindQueue, recordName(v.name, q.name), r, q.args)
}

// forgetQueue deletes the queue's record. Its messages must have been dropped before.
func (v *VHost) forgetQueue(q *Queue) {
	if q.storeID != 0 {
		v.broker.forget(kindQueue, recordName(v.name, q.name))
	}
}

// durableBinding reports whether a binding outlives the broker, as it does if both of its
// ends do.
func durableBinding(x *Exchange, to *target) bool {
	if to.queue != nil {
		return x.durable && to.queue.storeID != 0
	}
	return x.durable && to.exchange.durable
}

func (b *binding) durable() bool { return durableBinding(b.source, b.dest) }

func (b *binding) recordName() string {
	kind := "q"
	if b.dest.exchange != nil {
		kind = "x"
	}
	return recordName(b.source.vhost.name, b.source.name, kind, b.dest.name(), b.key, b.id)
}

func (v *VHost) storeBinding(b *binding) {
	if v.broker.store != nil && b.durable() {
		r := &record{Seq: b.seq, VHost: v.name, Name: b.source.name, Dest: b.dest.name(), ToExchange: b.dest.exchange != nil, Key: b.key}
		v.broker.put(kindBinding, b.recordName(), r, b.args)
	}
}

func (v *VHost) forgetBinding(b *binding) {
	if v.broker.store != nil && b.durable() {
		v.broker.forget(kindBinding, b.recordName())
	}
}
