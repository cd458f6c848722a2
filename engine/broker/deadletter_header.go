package broker

import (
	"cmp"
	"slices"

	"harelab/engine/wire"
)

// The header x-death lists the deaths of a message, one for each queue and reason, the
// latest first (rabbit_dead_letter, update_x_death_header/2). A client may send anything
// in it. Elements that are not tables are dropped; RabbitMQ's queue crashes on them and
// loses its messages.

// addDeath puts a death at the head of x-death, or counts it if x-death has one for the
// same queue and reason. The first death is also kept in headers of its own. All headers
// are sorted.
func addDeath(ps *wire.Properties, d wire.Table) {
	headers := slices.Clone(ps.Headers)
	switch list, ok := headers.Get("x-death"); list := list.(type) {
	case []any:
		headers.Set("x-death", joinDeaths(d, groupDeaths(list)))
	default:
		if !ok {
			for _, name := range []string{"reason", "queue", "exchange"} {
				value, _ := d.Get(name)
				headers.Set("x-first-death-"+name, value)
			}
		}
		headers.Set("x-death", []any{d})
	}
	sortFields(headers)
	ps.Headers = headers
}

// joinDeaths puts a death before the others. If one of them is for the same queue and
// reason, that one goes first instead and its count rises.
func joinDeaths(d wire.Table, others []wire.Table) []any {
	if i := slices.IndexFunc(others, func(o wire.Table) bool { return causeOf(o) == causeOf(d) }); i >= 0 {
		d = slices.Clone(others[i])
		count, _ := d.Get("count")
		n, _ := wire.Integer(count)
		setCount(&d, n+1)
		others = slices.Delete(others, i, i+1)
	}
	sortFields(d)
	all := []any{d}
	for _, o := range others {
		all = append(all, o)
	}
	return all
}

// groupDeaths returns the deaths in a list without those for the same queue and reason as
// an earlier one. If the list has several elements the order is reversed, as RabbitMQ
// does with each death.
func groupDeaths(list []any) []wire.Table {
	var deaths []wire.Table
	counts := make(map[cause]int64)
	for _, v := range list {
		d, ok := v.(wire.Table)
		if !ok {
			continue
		}
		if counts[causeOf(d)]++; counts[causeOf(d)] == 1 {
			deaths = append(deaths, d)
		}
	}
	if len(list) == 1 {
		return deaths
	}
	for i, d := range deaths {
		if _, counted := d.Get("count"); !counted {
			d = slices.Clone(d)
			setCount(&d, counts[causeOf(d)])
			deaths[i] = d
		}
	}
	slices.Reverse(deaths)
	return deaths
}

// setCount sets the number of deaths that d stands for.
func setCount(d *wire.Table, n int64) {
	if _, ok := d.Get("count"); !ok {
		*d = slices.Insert(*d, 0, wire.Field{Key: "count"})
	}
	d.Set("count", n)
}

// A cause is the queue and the reason of a death. Deaths with the same cause are counted
// together.
type cause struct{ queue, reason any }

func causeOf(d wire.Table) cause { return cause{textOf(d, "queue"), textOf(d, "reason")} }

// textOf returns the text of a field, or nil if it has none.
func textOf(d wire.Table, key string) any {
	switch v, _ := d.Get(key); v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return nil
}

// sortFields sorts a table by its keys.
func sortFields(t wire.Table) {
	slices.SortStableFunc(t, func(a, b wire.Field) int { return cmp.Compare(a.Key, b.Key) })
}
