package broker

import (
	"cmp"
	"slices"

	"harelab/engine/queue"
	"harelab/engine/wire"
)

// deadLetter publishes a message that a queue lost to the queue's dead letter
// exchange (rabbit_dead_letter, publish/5). It takes over the effect's reference.
func (t *turn) deadLetter(e effect) {
	defer e.msg.Release()
	s := &e.queue.settings
	x, ok := e.queue.vhost.exchanges.GetString(*s.deadLetterTo)
	if !ok {
		return
	}
	ps, err := wire.ParseProperties(e.msg.Properties())
	if err != nil {
		return // cannot be: they were checked when they came
	}
	key := e.msg.RoutingKey()
	if _, err := t.setKeys(key, e.msg.Properties()); err != nil {
		t.keys = append(t.keys[:0], key)
	}
	original := slices.Clone(t.keys)
	if s.deadLetterAs != nil {
		key = []byte(*s.deadLetterAs)
		t.keys = append(t.keys[:0], key)
		ps.Headers = without(ps.Headers, "CC")
	}
	addDeath(&ps, death(e, original, t.time(), ps.Expiration))
	ps.Remove(wire.FlagExpiration)
	properties, err := wire.EncodeProperties(nil, &ps)
	if err != nil {
		return // headers at the limit of what a table holds: nothing can be added
	}
	t.route(x, properties)
	if e.reason != queue.Rejected {
		deaths, _ := ps.Headers.Get("x-death")
		t.queues = slices.DeleteFunc(t.queues, func(q *Queue) bool { return isCycle(q.name, deaths) })
	}
	if len(t.queues) > 0 {
		t.enqueue(newMessage([]byte(x.name), key, properties, e.msg.Body()), -1)
	}
}

// death is the record of one death, as it stands in the header x-death.
func death(e effect, keys [][]byte, now int64, expiration string) wire.Table {
	routingKeys := make([]any, len(keys))
	for i, k := range keys {
		routingKeys[i] = string(k)
	}
	d := wire.Table{
		{Key: "count", Value: int64(1)},
		{Key: "reason", Value: e.reason.String()},
		{Key: "queue", Value: e.queue.name},
		{Key: "time", Value: wire.Timestamp(max(now, 0) / 1_000_000)},
		{Key: "exchange", Value: string(e.msg.Exchange())},
		{Key: "routing-keys", Value: routingKeys},
	}
	if expiration != "" {
		d = append(d, wire.Field{Key: "original-expiration", Value: expiration})
	}
	return d
}

// addDeath puts a death at the head of the list in x-death. One for the same queue
// and reason is counted there instead of added. The first is also kept in headers of
// its own.
func addDeath(ps *wire.Properties, d wire.Table) {
	queueName, _ := d.Get("queue")
	reason, _ := d.Get("reason")
	exchange, _ := d.Get("exchange")
	headers := slices.Clone(ps.Headers)
	list, _ := headers.Get("x-death")
	deaths, _ := list.([]any)
	if _, ok := headers.Get("x-first-death-reason"); !ok && len(deaths) == 0 {
		headers.Set("x-death", nil) // comes before them, as in RabbitMQ
		headers.Set("x-first-death-exchange", exchange)
		headers.Set("x-first-death-queue", queueName)
		headers.Set("x-first-death-reason", reason)
	}
	if len(deaths) > 0 {
		sortFields(d)
	}
	others := make([]any, 0, 1+len(deaths))
	others = append(others, d)
	for _, old := range deaths {
		table, _ := old.(wire.Table)
		q, _ := table.Get("queue")
		r, _ := table.Get("reason")
		if q != queueName || r != reason {
			others = append(others, old)
			continue
		}
		count, _ := table.Get("count")
		n, _ := toInt(count)
		known := slices.Clone(table)
		known.Set("count", n+1)
		sortFields(known)
		others[0] = known
	}
	headers.Set("x-death", others)
	ps.Headers = headers
}

// sortFields orders a death that joins others, as RabbitMQ does (rabbit_misc,
// sort_field_table/1).
func sortFields(death wire.Table) {
	slices.SortStableFunc(death, func(a, b wire.Field) int { return cmp.Compare(a.Key, b.Key) })
}

// isCycle reports whether a message that has died like this has been in a queue
// before and came back without anybody rejecting it (rabbit_dead_letter, is_cycle/2).
func isCycle(queueName string, deaths any) bool {
	list, _ := deaths.([]any)
	for _, d := range list {
		table, _ := d.(wire.Table)
		if reason, _ := table.Get("reason"); reason == queue.Rejected.String() {
			return false
		}
		if q, _ := table.Get("queue"); q == queueName {
			return true
		}
	}
	return false
}
