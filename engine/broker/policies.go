package broker

import (
	"maps"
	"slices"

	"harelab/engine/exchange"
	"harelab/engine/settings"
	"harelab/engine/store"
	"harelab/engine/wire"
)

// A Policy gives settings to the queues and exchanges whose names match its pattern.
type Policy = settings.Policy

// SetPolicy adds a policy, or replaces the one of the same name. When it returns, the
// policy applies to all queues and exchanges that it matches, and is durable. Publishers and
// consumers go on meanwhile: no two queues are locked at a time.
//
// Errors: 406 with RabbitMQ's text for a policy that is not valid, 541 if the store has
// failed.
func (v *VHost) SetPolicy(p Policy) error { return v.setPolicy(settings.UserPolicy, p) }

// SetOperatorPolicy is [VHost.SetPolicy] for an operator policy, which may set limits and
// times only. Where a queue has both kinds of policies, the smaller limit counts.
func (v *VHost) SetOperatorPolicy(p Policy) error { return v.setPolicy(settings.OperatorPolicy, p) }

// DeletePolicy deletes the policy called name and reports whether there was one. Queues
// and exchanges return to what their arguments and other policies say.
//
// Errors: 541 if the store has failed.
func (v *VHost) DeletePolicy(name string) (bool, error) {
	return v.deletePolicy(settings.UserPolicy, name)
}

// DeleteOperatorPolicy is [VHost.DeletePolicy] for an operator policy.
func (v *VHost) DeleteOperatorPolicy(name string) (bool, error) {
	return v.deletePolicy(settings.OperatorPolicy, name)
}

// Policies lists the policies in order of precedence: by priority, then by name.
func (v *VHost) Policies() []Policy { return v.listPolicies(settings.UserPolicy) }

// OperatorPolicies lists the operator policies in order of precedence.
func (v *VHost) OperatorPolicies() []Policy { return v.listPolicies(settings.OperatorPolicy) }

func (v *VHost) listPolicies(kind settings.PolicyKind) []Policy {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.policies.List(kind)
}

// recordKinds are the kinds of the records of policies.
var recordKinds = [...]store.Kind{
	settings.UserPolicy:     kindPolicy,
	settings.OperatorPolicy: kindOperatorPolicy,
}

func (v *VHost) setPolicy(kind settings.PolicyKind, p Policy) error {
	b := v.broker
	return v.changePolicies(func() (settings.Policies, bool, error) {
		next, err := v.policies.With(kind, p)
		if err != nil || b.store == nil {
			return next, err == nil, unmet(err)
		}
		r := &record{VHost: v.name, Name: p.Name, Pattern: p.Pattern, ApplyTo: p.ApplyTo, Priority: p.Priority}
		b.put(recordKinds[kind], recordName(v.name, p.Name), r, p.Definition)
		return next, true, nil
	})
}

func (v *VHost) deletePolicy(kind settings.PolicyKind, name string) (found bool, err error) {
	b := v.broker
	err = v.changePolicies(func() (next settings.Policies, changed bool, err error) {
		if next, found = v.policies.Without(kind, name); found && b.store != nil {
			b.forget(recordKinds[kind], recordName(v.name, name))
		}
		return next, found, nil
	})
	return found, err
}

// changePolicies replaces the policies by those that change returns, with the virtual host
// locked, and applies them to the queues and exchanges. The lock policyChange puts the
// changes in order; queues and exchanges that are declared meanwhile get the new policies at
// once.
func (v *VHost) changePolicies(change func() (next settings.Policies, changed bool, err error)) error {
	if err := v.broker.mayStore(v.broker.store != nil); err != nil {
		return err
	}
	v.policyChange.Lock()
	defer v.policyChange.Unlock()
	v.mu.Lock()
	next, changed, err := change()
	if err != nil || !changed {
		v.mu.Unlock()
		return err
	}
	v.policies = next
	queues, exchanges := slices.Collect(maps.Keys(v.allQueues)), v.sortedExchanges()
	v.mu.Unlock()
	slices.SortFunc(queues, bySeq)
	for _, x := range exchanges {
		if err := x.applyPolicies(next); err != nil {
			return err
		}
	}
	v.broker.run(func(op *operation) {
		for _, q := range queues {
			if err == nil {
				err = q.applyPolicies(op, next)
			}
		}
	})
	if err != nil {
		return err
	}
	return v.broker.Sync()
}

// applyPolicies gives the queue the settings that the policies have for it, unless nothing
// changes.
func (q *Queue) applyPolicies(op *operation, all settings.Policies) error {
	v, old := q.vhost, q.settings.Load()
	applied := all.ForQueue(q.name, old.Quorum)
	if applied.Equal(old.Policies) {
		return nil
	}
	s, err := settings.ForQueue(q.args, applied, v.broker.defaults, v.queueResource(q.name))
	if err != nil {
		return unmet(err) // unreachable: the arguments and the policies were checked
	}
	op.begin()
	q.configure(op, s)
	op.end() // dead letters go out before the next queue is locked
	return nil
}

// applyPolicies gives the exchange the settings that the policies have for it, unless
// nothing changes.
func (x *Exchange) applyPolicies(all settings.Policies) error {
	v, old := x.vhost, x.settings.Load()
	applied := all.ForExchange(x.name)
	if applied.Equal(old.Policies) {
		return nil
	}
	s, err := settings.ForExchange(x.routes.Name, x.args, applied, v.broker.defaults, v.exchangeResource(x.name))
	if err != nil {
		return unmet(err) // unreachable: the arguments and the policies were checked
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if s.Matcher.Name != old.Matcher.Name {
		x.rebuild(x.config(s))
	}
	x.settings.Store(s)
	return nil
}

// rebuild makes a new router of the exchange's bindings and puts it in place of the old
// one. Publishers route on either meanwhile. Both use the same numbers for destinations.
// The virtual host is locked, so that no binding changes.
func (x *Exchange) rebuild(c exchange.Config) {
	router := x.routes.New(c)
	for _, b := range x.sortedOutgoing() {
		if b.variant == nil || x.routes.ByArguments { // else the last variant stands for all
			router.Bind(b.key, b.args, b.number)
		}
	}
	x.router.Store(&router)
}

func (v *VHost) restorePolicy(r *record, definition wire.Table) error {
	return v.restorePolicyOf(settings.UserPolicy, r, definition)
}

func (v *VHost) restoreOperatorPolicy(r *record, definition wire.Table) error {
	return v.restorePolicyOf(settings.OperatorPolicy, r, definition)
}

func (v *VHost) restorePolicyOf(kind settings.PolicyKind, r *record, definition wire.Table) (err error) {
	p := Policy{Name: r.Name, Pattern: r.Pattern, ApplyTo: r.ApplyTo, Priority: r.Priority, Definition: definition}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.policies, err = v.policies.With(kind, p)
	return err
}

// forgetPolicies deletes the records of the policies. The virtual host is locked.
func (v *VHost) forgetPolicies() {
	if v.broker.store == nil {
		return
	}
	for kind, records := range recordKinds {
		for _, p := range v.policies.List(settings.PolicyKind(kind)) {
			v.broker.forget(records, recordName(v.name, p.Name))
		}
	}
}
