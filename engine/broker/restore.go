package broker

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"harelab/engine/dispatch"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// restore makes the exchanges, queues and bindings that the store holds, in the order in
// which they were declared, and fills the queues. Until everything was read it changes
// nothing in the store, so that a broker that cannot start leaves it as it was. Then the
// queues run: messages that have expired meanwhile are dropped or dead-lettered, behind
// those that were dead letters before.
func (b *Broker) restore() error {
	if err := b.restoreDeclared(); err != nil {
		return err
	}
	closed := false
	if err := b.store.Records(kindClosed, func(string, []byte) error { closed = true; return nil }); err != nil {
		return err
	}
	queues, err := b.fillQueues(!closed)
	if err != nil {
		return err
	}
	delays, err := b.fillDelays()
	if err != nil {
		return err
	}
	b.store.Start(&b.rounds)
	b.storeFirstUsers()
	if closed { // before any message can be delivered
		b.store.Delete(kindClosed, "")
		if err := b.Sync(); err != nil {
			return err
		}
	}
	b.run(func(op *operation) {
		for _, q := range queues {
			q.recovered(op)
		}
		for _, d := range delays {
			d.recovered(op)
		}
	})
	return nil
}

// restoreDeclared restores identities, users, virtual hosts, policies, exchanges, queues and
// bindings.
func (b *Broker) restoreDeclared() error {
	if err := b.queueIDs.restore(b.store); err != nil {
		return err
	}
	if err := b.messageIDs.restore(b.store); err != nil {
		return err
	}
	if err := b.restoreUsers(); err != nil {
		return err
	}
	if err := b.restoreParameters(); err != nil {
		return err
	}
	err := b.restoreVHosts()
	if err == nil {
		err = b.restoreVHostLimits()
	}
	for _, kind := range []struct {
		kind store.Kind
		make func(*VHost, *record, wire.Table) error
	}{
		{kindPolicy, (*VHost).restorePolicy},
		{kindOperatorPolicy, (*VHost).restoreOperatorPolicy},
		{kindExchange, (*VHost).restoreExchange},
		{kindQueue, (*VHost).restoreQueue},
		{kindBinding, (*VHost).restoreBinding},
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
	if err != nil {
		return err
	}
	x.seq = r.Seq
	if x.delays != nil && r.Queue != 0 {
		x.delays.storeID = r.Queue
		v.broker.queueIDs.passed(uint64(r.Queue))
	}
	return nil
}

func (v *VHost) restoreQueue(r *record, args wire.Table) error {
	b := v.broker
	v.mu.Lock()
	defer v.mu.Unlock()
	s, err := v.queueSettings(r.Name, args)
	if err != nil {
		return err
	}
	q := v.newQueue(QueueSpec{Name: r.Name, Durable: true, AutoDelete: r.AutoDelete, Arguments: args}, s)
	q.seq, q.storeID = r.Seq, r.Queue
	v.linkQueue(q)
	b.queueIDs.passed(uint64(r.Queue))
	return nil
}

func (v *VHost) restoreBinding(r *record, args wire.Table) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	x, ok := v.exchanges.GetString(r.Name)
	if !ok {
		return fmt.Errorf("a binding from %s, which is not there", v.exchangeResource(r.Name))
	}
	if r.ToExchange {
		to, ok := v.exchanges.GetString(r.Dest)
		if !ok {
			return fmt.Errorf("a binding to %s, which is not there", v.exchangeResource(r.Dest))
		}
		v.bind(x, &to.target, r.Key, args)
		return nil
	}
	to, ok := v.queues.GetString(r.Dest)
	if !ok {
		return fmt.Errorf("a binding to %s, which is not there", v.queueResource(r.Dest))
	}
	v.bind(x, &to.target, r.Key, args)
	return nil
}

// markDelivered stores which messages of a queue were delivered. It is called when the
// broker closes; deliveries do not change the store.
func (q *Queue) markDelivered(s store.Store) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted || q.storeID == 0 {
		return
	}
	q.eachStored(func(row *dispatch.Message, at stub) {
		if !at.spilled() && (row.Redelivered || row.State == dispatch.Unacked) {
			s.Add(q.storeID, at.id(), store.Entry{ExpiresAt: row.Expires, Redelivered: true})
		}
	})
}
