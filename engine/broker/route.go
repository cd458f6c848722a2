package broker

import (
	"slices"

	"harelab/engine/wire"
)

// route fills t.queues with the queues that a message goes to, each once. t.keys are
// its routing keys. It takes no lock.
//
// An exchange that is reached a second time is passed over, so that cycles of
// bindings and of alternate exchanges end. An alternate exchange gets what its
// exchange routes nowhere at all (rabbit_exchange, route/2).
func (t *turn) route(x *Exchange, properties []byte) {
	t.queues = t.queues[:0]
	if len(t.seen) > 0 {
		clear(t.seen)
	}
	t.exchanges = append(t.exchanges[:0], x)
	for i := 0; i < len(t.exchanges); i++ { // grows while it goes
		x := t.exchanges[i]
		t.unique = i == 0 && len(t.keys) == 1
		found := false
		for _, key := range t.keys {
			if x.isDefault {
				found = t.routeToName(x.vhost, key) || found
			} else {
				found = x.route(t, key, properties) || found
			}
		}
		if !found && x.alternate != "" {
			if alternate, ok := x.vhost.exchanges.GetString(x.alternate); ok {
				t.visitExchange(alternate)
			}
		}
	}
}

// routeToName routes on the default exchange: to the queue called like the key.
func (t *turn) routeToName(v *VHost, key []byte) bool {
	q, ok := v.queues.Get(key)
	if ok {
		t.visitQueue(q)
	}
	return ok
}

// visit notes a target, unless the message has been there.
func (t *turn) visit(to *target) {
	if to.queue != nil {
		t.visitQueue(to.queue)
	} else {
		t.visitExchange(to.exchange)
	}
}

// manySeen is how many queues a scan for duplicates is good for. More are sorted out
// by a map.
const manySeen = 32

func (t *turn) visitQueue(q *Queue) {
	switch {
	case t.unique: // one exchange, one key: each queue comes once
	case len(t.queues) < manySeen:
		if slices.Contains(t.queues, q) {
			return
		}
	default:
		if t.seen == nil {
			t.seen = make(map[*Queue]struct{})
		}
		if len(t.seen) == 0 {
			for _, known := range t.queues {
				t.seen[known] = struct{}{}
			}
		}
		if _, known := t.seen[q]; known {
			return
		}
		t.seen[q] = struct{}{}
	}
	t.queues = append(t.queues, q)
}

func (t *turn) visitExchange(x *Exchange) {
	if !slices.Contains(t.exchanges, x) {
		t.exchanges = append(t.exchanges, x)
	}
}

// setKeys sets the routing keys of a message: its own and those of the headers CC and
// BCC, which must be arrays, of long strings where they matter (rabbit_basic,
// header_routes/1). It reports whether there is a BCC, which nobody may see.
func (t *turn) setKeys(key, properties []byte) (bcc bool, err error) {
	t.keys = append(t.keys[:0], key)
	table, ok := wire.PropertyHeaders(properties)
	if !ok {
		return false, nil
	}
	for _, name := range [...]string{"CC", "BCC"} {
		v, ok := wire.TableLookup(table, name)
		if !ok || v.Type == 'V' {
			continue
		}
		bcc = name == "BCC"
		if v.Type != 'A' {
			return false, wire.Errorf(wire.PreconditionFailed, `invalid message: {unacceptable_type_in_header,"%s",%s}`, name, v.TypeName())
		}
		keys, err := v.Any()
		if err != nil {
			return false, err
		}
		for _, k := range keys.([]any) {
			if s, ok := k.(string); ok {
				t.keys = append(t.keys, []byte(s))
			}
		}
	}
	return bcc, nil
}
