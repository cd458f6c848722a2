package broker

import (
	"fmt"

	"harelab/engine/wire"
)

// queueArgumentNames are the arguments that must be the same when a queue is
// declared again.
var queueArgumentNames = func() []string {
	names := make([]string, len(queueArguments))
	for i := range queueArguments {
		names[i] = queueArguments[i].name
	}
	return names
}()

// checkArguments compares some arguments of a declaration with those of what is
// there (rabbit_misc, assert_args_equivalence/4).
func checkArguments(current, received wire.Table, resource string, names []string) error {
	for _, name := range names {
		cur, hasCur := current.Get(name)
		got, hasGot := received.Get(name)
		switch {
		case !hasCur && !hasGot:
		case hasCur && hasGot:
			if !sameValue(cur, got) {
				return inequivalent(name, resource, quoted(got), quoted(cur))
			}
		default:
			return inequivalent(name, resource, typed(got, hasGot), typed(cur, hasCur))
		}
	}
	return nil
}

func inequivalent(name, resource, received, current string) error {
	return wire.Errorf(wire.PreconditionFailed, "inequivalent arg '%s' for %s: received %s but current is %s", name, resource, received, current)
}

// sameValue compares table values; integers count by value, whatever their size.
func sameValue(a, b any) bool {
	x, xok := toInt(a)
	y, yok := toInt(b)
	if xok || yok {
		return xok && yok && x == y
	}
	return string(wire.AppendTable(nil, wire.Table{{Value: a}})) == string(wire.AppendTable(nil, wire.Table{{Value: b}}))
}

func quoted(v any) string { return fmt.Sprintf("'%v'", v) }

// typed formats a value of which there may be none.
func typed(v any, ok bool) string {
	if !ok {
		return "none"
	}
	return fmt.Sprintf("the value '%v' of type '%s'", v, wire.TypeName(v))
}
