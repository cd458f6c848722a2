package settings

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"harelab/engine/wire"
)

// A Policy gives settings to the queues and exchanges whose names match its pattern.
type Policy struct {
	Name       string
	Pattern    string     // regular expression of package regexp; it matches a part of a name
	ApplyTo    string     // queues, exchanges or all; empty: all
	Priority   int        // of the policies that match, the one with the greatest priority applies, and no other
	Definition wire.Table // the settings, by name: see PolicySettings
}

// A PolicyKind tells policies from operator policies. A queue or exchange has the best
// policy of each kind. Where both have a limit, the smaller one counts.
type PolicyKind uint8

// The two kinds.
const (
	UserPolicy     PolicyKind = iota
	OperatorPolicy            // may set limits and times only
	policyKinds
)

// Policies is an immutable set of policies of a virtual host. The zero value is empty.
type Policies struct {
	sorted [policyKinds][]*policy // in order of precedence: by priority, then by name
}

type policy struct {
	Policy
	match   *regexp.Regexp
	refused queueTypes // types of queue that do not know one of the settings
}

// Applied is what the policies of a queue or an exchange come to. It is immutable.
type Applied struct {
	Policy, Operator string     // names; empty: no policy of that kind applies
	Definition       wire.Table // the settings of both, sorted by name
}

// With returns the set with one more policy, in place of the one of the same name.
//
// Errors: RabbitMQ's texts for a policy that is not valid, one a line, after the line
// "Validation failed" (rabbit_policy, validation/3).
func (p Policies) With(kind PolicyKind, add Policy) (Policies, error) {
	add.Definition = slices.Clone(add.Definition)
	slices.SortStableFunc(add.Definition, func(a, b wire.Field) int { return cmp.Compare(a.Key, b.Key) })
	add.ApplyTo = cmp.Or(add.ApplyTo, "all")
	var problems strings.Builder
	note := func(problem string) {
		if problem != "" {
			problems.WriteString(problem + "\n")
		}
	}
	note(checkDefinition(kind, add.Definition))
	if !slices.Contains([]string{"all", "queues", "exchanges"}, add.ApplyTo) {
		note(fmt.Sprintf("apply-to '%s' unrecognised; should be 'queues', 'exchanges' or 'all'", add.ApplyTo))
	}
	match, err := regexp.Compile(add.Pattern)
	if err != nil {
		note(fmt.Sprintf("pattern should be regular expression but is invalid: %v", err))
	}
	if problems.Len() > 0 {
		return p, errors.New("Validation failed\n\n" + problems.String())
	}
	next, _ := p.Without(kind, add.Name)
	added := &policy{Policy: add, match: match}
	for _, f := range add.Definition {
		added.refused |= policySettingNamed(f.Key).refused
	}
	sorted := append(slices.Clip(next.sorted[kind]), added)
	slices.SortFunc(sorted, func(a, b *policy) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Name, b.Name))
	})
	next.sorted[kind] = sorted
	return next, nil
}

// Without returns the set without the policy called name, and whether there was one.
func (p Policies) Without(kind PolicyKind, name string) (next Policies, found bool) {
	i := slices.IndexFunc(p.sorted[kind], func(q *policy) bool { return q.Name == name })
	if i < 0 {
		return p, false
	}
	p.sorted[kind] = slices.Delete(slices.Clone(p.sorted[kind]), i, i+1)
	return p, true
}

// List returns the policies of a kind in order of precedence.
func (p Policies) List(kind PolicyKind) []Policy {
	list := make([]Policy, 0, len(p.sorted[kind]))
	for _, q := range p.sorted[kind] {
		list = append(list, q.Policy)
	}
	return list
}

// ForQueue returns what applies to the queue called name, or nil if nothing does. isQuorum
// is its type: a policy does not apply to a queue whose type lacks one of its settings
// (rabbit_queue_type, is_policy_applicable/2).
func (p Policies) ForQueue(name string, isQuorum bool) *Applied {
	on := classic
	if isQuorum {
		on = quorum
	}
	return p.apply(func(q *policy) bool {
		return q.ApplyTo != "exchanges" && q.refused&on == 0 && q.match.MatchString(name)
	})
}

// ForExchange returns what applies to the exchange called name, or nil if nothing does.
func (p Policies) ForExchange(name string) *Applied {
	return p.apply(func(q *policy) bool { return q.ApplyTo != "queues" && q.match.MatchString(name) })
}

func (p *Policies) apply(matches func(*policy) bool) *Applied {
	var best [policyKinds]*policy
	for kind, sorted := range p.sorted {
		if i := slices.IndexFunc(sorted, matches); i >= 0 {
			best[kind] = sorted[i]
		}
	}
	user, operator := best[UserPolicy], best[OperatorPolicy]
	switch {
	case user == nil && operator == nil:
		return nil
	case operator == nil:
		return &Applied{Policy: user.Name, Definition: user.Definition}
	case user == nil:
		return &Applied{Operator: operator.Name, Definition: operator.Definition}
	}
	return &Applied{user.Name, operator.Name, mergeDefinitions(user.Definition, operator.Definition)}
}

// mergeDefinitions returns the settings of a policy and an operator policy. Of a setting
// that both have, the smaller value counts (rabbit_policy, merge_operator_definitions/2).
// Both are sorted.
func mergeDefinitions(user, operator wire.Table) wire.Table {
	merged := slices.Clone(user)
	for _, f := range operator {
		own, ok := user.Get(f.Key)
		if !ok || smaller(f.Value, own) {
			merged.Set(f.Key, f.Value)
		}
	}
	slices.SortFunc(merged, func(a, b wire.Field) int { return cmp.Compare(a.Key, b.Key) })
	return merged
}

// smaller compares two integers.
func smaller(a, b any) bool {
	x, isX := wire.Integer(a)
	y, isY := wire.Integer(b)
	return isX && isY && x < y
}

// Equal reports whether a and b come to the same. Either may be nil.
func (a *Applied) Equal(b *Applied) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Policy == b.Policy && a.Operator == b.Operator && slices.EqualFunc(a.Definition, b.Definition,
		func(f, g wire.Field) bool { return f.Key == g.Key && sameValue(f.Value, g.Value) })
}

// Names returns the names of the policy and the operator policy, or empty ones.
func (a *Applied) Names() (user, operator string) {
	if a == nil {
		return "", ""
	}
	return a.Policy, a.Operator
}

// Settings returns the effective definition, or nil.
func (a *Applied) Settings() wire.Table {
	if a == nil {
		return nil
	}
	return a.Definition
}
