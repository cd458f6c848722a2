package metric

import (
	"fmt"
	"slices"

	"harelab/engine/nearest"
)

// A Scope holds the values that labels may have: the classes, tenants, queues and
// workers of a run, or those that a scenario can have. A nil list is not known and
// admits every value.
type Scope struct {
	Classes, Tenants, Queues, Workers []string
}

// names returns the values that a label with a key may have.
func (s Scope) names(key string) []string {
	switch key {
	case "class":
		return s.Classes
	case "tenant":
		return s.Tenants
	case "queue":
		return s.Queues
	}
	return s.Workers
}

// Join returns the names of both scopes. A list that is not known in one of them is
// not known in the result.
func (s Scope) Join(o Scope) Scope {
	join := func(a, b []string) []string {
		if a == nil || b == nil {
			return nil
		}
		out := slices.Clone(a)
		for _, name := range b {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
		return out
	}
	return Scope{join(s.Classes, o.Classes), join(s.Tenants, o.Tenants), join(s.Queues, o.Queues), join(s.Workers, o.Workers)}
}

// Check returns an error for the first label of q, with = or !=, whose value is not
// in the scope.
func (s Scope) Check(q Query) error {
	for _, l := range q.Selecting() {
		if have := s.names(l.Key); have != nil && !slices.Contains(have, l.Value) {
			return fmt.Errorf("metric %q: there is no %s %q%s", q, l.Key, l.Value, nearest.Choices(l.Value, have))
		}
	}
	return nil
}
