package definitions

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"harelab/engine/auth"
	"harelab/engine/broker"
	"harelab/engine/settings"
	"harelab/engine/wire"
)

// Check finds out what Apply would change, and changes nothing. It carries the definitions
// out on a copy of the broker without its messages, so that every rule of the broker holds.
//
// Errors: [Errors], with the texts that clients get for the same declarations.
func (d *Definitions) Check(b *broker.Broker) (Changes, error) {
	copied, err := rehearsal(b)
	if err != nil {
		return Changes{}, err
	}
	defer copied.Close()
	run := run{target: copied, real: b}
	run.all(d)
	if err := run.errs.err(); err != nil {
		return Changes{}, err
	}
	return run.changes, nil
}

// Apply makes what the definitions define and is not there, and changes users,
// permissions and parameters that are different. It does so if Check finds no mistake, and
// otherwise changes nothing. When it returns, the changes are durable.
//
// A queue, exchange or binding that is there already must be the same, but for a binding's
// order. Nothing is deleted.
//
// Errors: those of Check; 541 if the store fails. If others declare meanwhile what the
// definitions have differently, Apply stops half-way and says so.
func (d *Definitions) Apply(b *broker.Broker) (Changes, error) {
	if _, err := d.Check(b); err != nil {
		return Changes{}, err
	}
	run := run{target: b, real: b}
	run.all(d)
	if err := run.errs.err(); err != nil {
		return run.changes, fmt.Errorf("definitions: stopped half-way, since something has changed or failed meanwhile: %w", err)
	}
	return run.changes, b.Sync()
}

// rehearsal returns a broker without a store that has the same definitions as b.
func rehearsal(b *broker.Broker) (*broker.Broker, error) {
	copied, err := broker.New(broker.Options{Auth: auth.Empty(), Clock: stopped{}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	copying := run{target: copied, real: copied}
	copying.all(collect(b))
	if err := copying.errs.err(); err != nil {
		return nil, fmt.Errorf("definitions: the broker cannot be copied: %w", err) // something was deleted meanwhile
	}
	return copied, nil
}

// stopped is a clock of a broker that is never used: nothing expires.
type stopped struct{}

func (stopped) Now() int64                                   { return 0 }
func (stopped) AfterFunc(time.Duration, func()) broker.Timer { return stopped{} }
func (stopped) Stop() bool                                   { return true }

// A run carries definitions out on a broker, and goes on after a mistake.
type run struct {
	target, real *broker.Broker // the same, or target is a copy of real
	sessions     map[string]*broker.Session
	grants       map[[2]string]auth.Permissions      // what users have, by user and virtual host
	topics       map[[3]string]auth.TopicPermissions // by user, virtual host and exchange
	changes      Changes
	errs         Errors
}

// all carries everything out, what others need first.
func (r *run) all(d *Definitions) {
	r.sessions = make(map[string]*broker.Session)
	r.grants = make(map[[2]string]auth.Permissions)
	for _, g := range r.target.Auth().Grants() {
		r.grants[[2]string{g.User, g.VHost}] = g.Permissions
	}
	r.topics = make(map[[3]string]auth.TopicPermissions)
	for _, g := range r.target.Auth().TopicGrants() {
		r.topics[[3]string{g.User, g.VHost, g.Exchange}] = g.TopicPermissions
	}
	each(r, "vhosts", d.VHosts, (*run).vhost)
	each(r, "users", d.Users, (*run).user)
	each(r, "permissions", d.Permissions, (*run).permission)
	each(r, "topic_permissions", d.TopicPermissions, (*run).topicPermission)
	each(r, "global_parameters", d.GlobalParameters, (*run).globalParameter)
	each(r, "policies", d.Policies, (*run).policy)
	each(r, "exchanges", d.Exchanges, (*run).exchange)
	each(r, "queues", d.Queues, (*run).queue)
	each(r, "bindings", d.Bindings, (*run).binding)
	each(r, "parameters", d.Parameters, (*run).parameter) // a limit may be below what there is already
}

// each carries out the entries of a list. do returns the outcome of one.
func each[T any](r *run, kind string, list []T, do func(*run, *T) (Outcome, error)) {
	for i := range list {
		o, err := do(r, &list[i])
		path := fmt.Sprintf("%s[%d]", kind, i)
		var skip *skipError
		switch {
		case err == nil:
			r.changes.count(kind, o)
		case errors.As(err, &skip):
			r.changes.count(kind, Skipped)
			r.changes.Skips = append(r.changes.Skips, path+": "+skip.why)
		default:
			r.errs.note(path+argumentPath(err), "%s", text(err))
		}
	}
}

// A skipError says why an entry has no place.
type skipError struct{ why string }

func (e *skipError) Error() string { return e.why }

// argumentNamed matches the texts about an argument that queues and exchanges have.
var argumentNamed = regexp.MustCompile(`^(?:invalid|inequivalent) arg '((?:x-|alternate-)[^']+)' for `)

// argumentPath returns the part of a path that leads to the argument that an error is
// about, or "".
func argumentPath(err error) string {
	if m := argumentNamed.FindStringSubmatch(text(err)); m != nil {
		return ".arguments." + m[1]
	}
	return ""
}

// text returns the text of an error without AMQP's code, in one line.
func text(err error) string {
	text := err.Error()
	var refused *broker.Error
	if errors.As(err, &refused) {
		text = refused.Text
	}
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(text), "\n\n", ": "), "\n", "; ")
}

// session returns a session in a virtual host. Its changes are durable after Broker.Sync.
func (r *run) session(vhost string) (*broker.Session, error) {
	if s := r.sessions[vhost]; s != nil {
		return s, nil
	}
	if vhost == "" {
		return nil, errors.New("vhost is missing: this may be the export of a single virtual host")
	}
	s, err := r.target.Session(vhost, "")
	if err != nil {
		return nil, err
	}
	s.SyncLater()
	r.sessions[vhost] = s
	return s, nil
}

func (r *run) vhost(v *VHost) (Outcome, error) {
	host, ok := r.target.VHost(v.Name)
	o := Present
	if !ok {
		var err error
		if host, err = r.target.AddVHost(v.Name); err != nil {
			return 0, err
		}
		o = Made
	}
	m := broker.Metadata{Description: v.Description, Tags: v.Tags, DefaultQueueType: v.DefaultQueueType}
	nothing := m.Description == "" && m.Tags == nil && m.DefaultQueueType == ""
	if now := host.Metadata(); nothing || now.Description == m.Description && slices.Equal(now.Tags, m.Tags) && now.DefaultQueueType == m.DefaultQueueType {
		return o, nil
	}
	if ok {
		o = Changed
	}
	return o, host.SetMetadata(m)
}

func (r *run) user(u *User) (Outcome, error) {
	old, ok := r.target.Auth().User(u.Name)
	if !ok {
		if err := r.target.AddUser(u.Name, u.Hash, u.Tags...); err != nil {
			return 0, err
		}
		if reflect.DeepEqual(u.Limits, auth.Limits{}) {
			return Made, nil
		}
		return Made, r.target.SetUserLimits(u.Name, u.Limits)
	}
	sameHash := r.target.Auth().Hash(u.Name).Export() == u.Hash.Export()
	sameTags := slices.Equal(old.Tags, u.Tags)
	sameLimits := reflect.DeepEqual(old.Limits, u.Limits)
	if sameHash && sameTags && sameLimits {
		return Present, nil
	}
	return Changed, errors.Join(
		unless(sameHash, func() error { return r.target.SetPasswordHash(u.Name, u.Hash) }),
		unless(sameTags, func() error { return r.target.SetTags(u.Name, u.Tags...) }),
		unless(sameLimits, func() error { return r.target.SetUserLimits(u.Name, u.Limits) }),
	)
}

func unless(same bool, change func() error) error {
	if same {
		return nil
	}
	return change()
}

func (r *run) permission(g *auth.Grant) (Outcome, error) {
	at := [2]string{g.User, g.VHost}
	old, ok := r.grants[at]
	if ok && old == g.Permissions {
		return Present, nil
	}
	r.grants[at] = g.Permissions
	return madeUnless(ok), r.target.SetPermissions(g.User, g.VHost, g.Permissions)
}

func (r *run) topicPermission(g *auth.TopicGrant) (Outcome, error) {
	at := [3]string{g.User, g.VHost, g.Exchange}
	old, ok := r.topics[at]
	if ok && old == g.TopicPermissions {
		return Present, nil
	}
	r.topics[at] = g.TopicPermissions
	return madeUnless(ok), r.target.SetTopicPermissions(g.User, g.VHost, g.Exchange, g.TopicPermissions)
}

// madeUnless returns the outcome for something that was written.
func madeUnless(wasThere bool) Outcome {
	if wasThere {
		return Changed
	}
	return Made
}

func (r *run) globalParameter(p *GlobalParameter) (Outcome, error) {
	o := Made
	for _, old := range r.target.GlobalParameters() {
		if old.Name != p.Name {
			continue
		}
		if string(old.Value) == string(p.Value) {
			return Present, nil
		}
		o = Changed
	}
	return o, r.target.SetGlobalParameter(broker.GlobalParameter{Name: p.Name, Value: p.Value})
}

func (r *run) policy(p *Policy) (Outcome, error) {
	s, err := r.session(p.VHost)
	if err != nil {
		return 0, err
	}
	v := s.VHost()
	return setPolicy(v.Policies(), p.Policy, v.SetPolicy)
}

func (r *run) parameter(p *Parameter) (Outcome, error) {
	s, err := r.session(p.VHost)
	if err != nil {
		return 0, err
	}
	v := s.VHost()
	if p.Component == operatorPolicy {
		return setPolicy(v.OperatorPolicies(), p.Operator, v.SetOperatorPolicy)
	}
	limits, err := settings.ParseVHostLimits(p.Limits)
	if err != nil {
		return 0, err
	}
	if reflect.DeepEqual(limits, v.Limits()) {
		return Present, nil
	}
	return madeUnless(v.Limits() != broker.VHostLimits{}), v.SetLimits(limits)
}

// setPolicy sets a policy, unless it is there already.
func setPolicy(there []broker.Policy, p broker.Policy, set func(broker.Policy) error) (Outcome, error) {
	i := slices.IndexFunc(there, func(old broker.Policy) bool { return old.Name == p.Name })
	if i >= 0 && samePolicy(there[i], p) {
		return Present, nil
	}
	return madeUnless(i >= 0), set(p)
}

// samePolicy compares policies; the order of settings does not count.
func samePolicy(a, b broker.Policy) bool {
	sorted := func(p *broker.Policy) string {
		t := slices.SortedStableFunc(slices.Values(p.Definition), func(a, b wire.Field) int { return strings.Compare(a.Key, b.Key) })
		return string(appendTable(nil, t))
	}
	return a.Pattern == b.Pattern && a.Priority == b.Priority &&
		cmp.Or(a.ApplyTo, "all") == cmp.Or(b.ApplyTo, "all") && sorted(&a) == sorted(&b)
}

func (r *run) exchange(x *Exchange) (Outcome, error) {
	s, err := r.session(x.VHost)
	if err != nil {
		return 0, err
	}
	o := Made
	if s.VHost().HasExchange(x.Name) {
		o = Present
	}
	return o, s.DeclareExchange(broker.ExchangeSpec{Name: x.Name, Type: x.Type,
		Durable: x.Durable, AutoDelete: x.AutoDelete, Internal: x.Internal, Arguments: x.Arguments})
}

func (r *run) queue(q *Queue) (Outcome, error) {
	s, err := r.session(q.VHost)
	if err != nil {
		return 0, err
	}
	// Exclusive queues are not copied to a rehearsal, since they belong to connections.
	if v, ok := r.real.VHost(q.VHost); ok {
		if now, ok := v.Queue(q.Name); ok && now.Exclusive {
			return 0, fmt.Errorf("queue '%s' in vhost '%s' is exclusive to a connection now", q.Name, q.VHost)
		}
	}
	o := Made
	if _, ok := s.VHost().Queue(q.Name); ok {
		o = Present
	}
	_, err = s.DeclareQueue(broker.QueueSpec{Name: q.Name, Durable: q.Durable, AutoDelete: q.AutoDelete, Arguments: q.Arguments})
	return o, err
}

func (r *run) binding(b *Binding) (Outcome, error) {
	s, err := r.session(b.VHost)
	if err != nil {
		return 0, err
	}
	if missing := r.missingEnd(s, b); missing != "" {
		return 0, &skipError{missing}
	}
	spec := broker.BindingSpec{Source: b.Source, Destination: b.Destination, ToExchange: b.ToExchange, RoutingKey: b.RoutingKey, Arguments: b.Arguments}
	o := Made
	if s.VHost().HasBinding(spec) {
		o = Present
	}
	return o, s.Bind(spec)
}

// missingEnd says which end of a binding does not exist, or "" if both do.
func (r *run) missingEnd(s *broker.Session, b *Binding) string {
	v := s.VHost()
	is := func(what, kind, name string) string {
		return fmt.Sprintf("its %s, %s '%s' in vhost '%s', does not exist", what, kind, name, b.VHost)
	}
	switch _, isQueue := v.Queue(b.Destination); {
	case !v.HasExchange(b.Source):
		return is("source", "exchange", b.Source)
	case b.ToExchange && !v.HasExchange(b.Destination):
		return is("destination", "exchange", b.Destination)
	case !b.ToExchange && !isQueue:
		return is("destination", "queue", b.Destination)
	}
	return ""
}
