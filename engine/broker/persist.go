package broker

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"harelab/engine/message"
	"harelab/engine/settings"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// Kinds of records. Names begin with the virtual host; parts end with a zero octet.
const (
	recordVHost    store.Kind = 'v'
	recordExchange store.Kind = 'x'
	recordQueue    store.Kind = 'q'
	recordBinding  store.Kind = 'b'
)

// record is the value of a record: what was declared, and its place in the order of
// declarations.
type record struct {
	Seq        uint64
	VHost      string
	Name       string        `json:",omitempty"` // of a queue or exchange; source of a binding
	Type       string        `json:",omitempty"`
	AutoDelete bool          `json:",omitempty"`
	Internal   bool          `json:",omitempty"`
	Queue      store.QueueID `json:",omitempty"`
	Dest       string        `json:",omitempty"`
	ToExchange bool          `json:",omitempty"`
	Key        string        `json:",omitempty"`
	Arguments  []byte        `json:",omitempty"` // an encoded table
}

func recordName(parts ...string) string { return strings.Join(parts, "\x00") + "\x00" }

func (b *Broker) put(kind store.Kind, name string, r *record, args wire.Table) {
	if len(args) > 0 {
		r.Arguments = wire.AppendTable(nil, args)
	}
	value, err := json.Marshal(r)
	if err != nil {
		panic(err) // a struct of plain fields
	}
	b.store.Put(kind, name, value)
}

// sync waits until what was declared is durable.
func (b *Broker) sync() error {
	if b.store == nil {
		return nil
	}
	if err := b.store.Sync(); err != nil {
		return refuse(wire.InternalError, "store: %v", err)
	}
	return nil
}

func (v *VHost) recordExchange(x *Exchange) {
	if v.broker.store != nil && x.durable {
		r := &record{Seq: x.seq, VHost: v.name, Name: x.name, Type: x.kind.Name, AutoDelete: x.autoDelete, Internal: x.internal}
		v.broker.put(recordExchange, recordName(v.name, x.name), r, x.args)
	}
}

func (v *VHost) forgetExchange(x *Exchange) {
	if v.broker.store != nil && x.durable {
		v.broker.store.Delete(recordExchange, recordName(v.name, x.name))
	}
}

// recordQueue gives a durable queue its place in the store. An exclusive one goes
// with its connection and has none.
func (v *VHost) recordQueue(q *Queue) {
	b := v.broker
	if b.store == nil || !q.durable || q.owner != nil {
		return
	}
	q.storeID = store.QueueID(b.queueIDs.Add(1))
	r := &record{Seq: q.seq, VHost: v.name, Name: q.name, AutoDelete: q.autoDelete, Queue: q.storeID}
	b.put(recordQueue, recordName(v.name, q.name), r, q.args)
}

func (v *VHost) forgetQueue(q *Queue) {
	if q.storeID != 0 {
		v.broker.store.Delete(recordQueue, recordName(v.name, q.name))
		v.broker.store.Drop(q.storeID)
	}
}

// durable reports whether a binding outlives the broker: both of its ends do.
func (b *binding) durable() bool {
	if b.dest.queue != nil {
		return b.source.durable && b.dest.queue.storeID != 0
	}
	return b.source.durable && b.dest.exchange.durable
}

func (b *binding) recordName() string {
	kind := "q"
	if b.dest.exchange != nil {
		kind = "x"
	}
	return recordName(b.source.vhost.name, b.source.name, kind, b.dest.name(), b.key, b.id)
}

func (v *VHost) recordBinding(b *binding) {
	if v.broker.store != nil && b.durable() {
		r := &record{Seq: b.seq, VHost: v.name, Name: b.source.name, Dest: b.dest.name(), ToExchange: b.dest.exchange != nil, Key: b.key}
		v.broker.put(recordBinding, b.recordName(), r, b.args)
	}
}

func (v *VHost) forgetBinding(b *binding) {
	if v.broker.store != nil && b.durable() {
		v.broker.store.Delete(recordBinding, b.recordName())
	}
}

// restore makes what the store holds, in the order in which it was declared.
func (b *Broker) restore() error {
	err := b.store.Records(recordVHost, func(name string, _ []byte) error {
		b.addVHost(name)
		return nil
	})
	for _, kind := range []struct {
		kind store.Kind
		make func(*VHost, *record, wire.Table) error
	}{
		{recordExchange, (*VHost).restoreExchange},
		{recordQueue, (*VHost).restoreQueue},
		{recordBinding, (*VHost).restoreBinding},
	} {
		if err == nil {
			err = b.restoreKind(kind.kind, kind.make)
		}
	}
	return err
}

func (b *Broker) restoreKind(kind store.Kind, make func(*VHost, *record, wire.Table) error) error {
	var records []record
	err := b.store.Records(kind, func(name string, value []byte) error {
		var r record
		if err := json.Unmarshal(value, &r); err != nil {
			return fmt.Errorf("record %q: %w", name, err)
		}
		records = append(records, r)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.Seq, b.Seq) })
	for i := range records {
		r := &records[i]
		var args wire.Table
		if len(r.Arguments) > 0 {
			if args, _, err = wire.ParseTable(r.Arguments); err != nil {
				return fmt.Errorf("record of %q: %w", r.Name, err)
			}
		}
		v := b.addVHost(r.VHost)
		if err := make(v, r, args); err != nil {
			return fmt.Errorf("record of %q: %w", r.Name, err)
		}
		v.seq = max(v.seq, r.Seq)
	}
	return nil
}

func (v *VHost) restoreExchange(r *record, args wire.Table) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	x, err := v.addExchange(ExchangeSpec{Name: r.Name, Type: r.Type, Durable: true, AutoDelete: r.AutoDelete, Internal: r.Internal, Arguments: args})
	if err == nil {
		x.seq = r.Seq
	}
	return err
}

func (v *VHost) restoreQueue(r *record, args wire.Table) error {
	b := v.broker
	s, err := settings.ForQueue(args, b.defaults, v.queueName(r.Name))
	if err != nil {
		return unmet(err)
	}
	v.mu.Lock()
	q := v.newQueue(QueueSpec{Name: r.Name, Durable: true, AutoDelete: r.AutoDelete, Arguments: args}, s)
	q.seq, q.storeID = r.Seq, r.Queue
	v.linkQueue(q)
	v.mu.Unlock()
	b.queueIDs.Store(max(b.queueIDs.Load(), uint64(r.Queue)))
	b.ownTurn(func(t *turn) {
		q.startIdle(t)
		err = b.store.Entries(q.storeID, func(id store.MessageID, e store.Entry) error {
			b.records.Store(max(b.records.Load(), uint64(id)))
			m, err := message.Decode(e.Data)
			if err == nil {
				m.SetStoreID(uint64(id))
				q.restore(t, b.book.Enter(m), e)
			}
			return err
		})
	})
	return err
}

func (v *VHost) restoreBinding(r *record, args wire.Table) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	x, ok := v.exchanges.GetString(r.Name)
	if !ok {
		return fmt.Errorf("no exchange %q", r.Name)
	}
	if r.ToExchange {
		if to, ok := v.exchanges.GetString(r.Dest); ok {
			v.bind(x, &to.target, r.Key, args)
		}
	} else if to, ok := v.queues.GetString(r.Dest); ok {
		v.bind(x, &to.target, r.Key, args)
	}
	return nil
}
