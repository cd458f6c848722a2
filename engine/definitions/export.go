package definitions

import (
	"bytes"
	"encoding/json"
	"strings"

	"harelab/engine/auth"
	"harelab/engine/broker"
	"harelab/engine/wire"
)

// version is the release of RabbitMQ whose format Export writes.
const version = "3.10.8"

// Export returns the definitions of a broker, in the form of the management API: without
// the predeclared exchanges and the exclusive queues. Password hashes are part of it.
func Export(b *broker.Broker) []byte {
	d := collect(b)
	return d.encode([]string{"users", "vhosts", "permissions", "topic_permissions", "parameters", "global_parameters",
		"policies", "queues", "exchanges", "bindings"}, true)
}

// ExportVHost returns the definitions of one virtual host of a broker, which name no
// virtual host, so that they can be imported into another one.
func ExportVHost(v *broker.VHost) []byte {
	d := new(Definitions)
	d.collectVHost(v)
	return d.encode([]string{"parameters", "policies", "queues", "exchanges", "bindings"}, false)
}

// collect returns the definitions of a broker. What is declared meanwhile may be missing.
func collect(b *broker.Broker) *Definitions {
	d := new(Definitions)
	users := b.Auth()
	for _, u := range users.Users() {
		d.Users = append(d.Users, User{Name: u.Name, Hash: users.Hash(u.Name), Tags: u.Tags, Limits: u.Limits})
	}
	d.Permissions, d.TopicPermissions = users.Grants(), users.TopicGrants()
	for _, p := range b.GlobalParameters() {
		d.GlobalParameters = append(d.GlobalParameters, GlobalParameter(p))
	}
	for _, v := range b.VHosts() {
		m := v.Metadata()
		d.VHosts = append(d.VHosts, VHost{Name: v.Name(), Description: m.Description, Tags: m.Tags, DefaultQueueType: m.DefaultQueueType})
		d.collectVHost(v)
	}
	return d
}

func (d *Definitions) collectVHost(v *broker.VHost) {
	for _, p := range v.Policies() {
		d.Policies = append(d.Policies, Policy{v.Name(), p})
	}
	for _, p := range v.OperatorPolicies() {
		d.Parameters = append(d.Parameters, Parameter{VHost: v.Name(), Component: operatorPolicy, Name: p.Name, Operator: p})
	}
	if limits := v.Limits().Table(); len(limits) > 0 {
		d.Parameters = append(d.Parameters, Parameter{VHost: v.Name(), Component: vhostLimits, Name: "limits", Limits: limits})
	}
	for _, x := range v.Exchanges() {
		if x.Name != "" && !strings.HasPrefix(x.Name, "amq.") {
			d.Exchanges = append(d.Exchanges, Exchange{Name: x.Name, VHost: v.Name(), Type: x.Type,
				Durable: x.Durable, AutoDelete: x.AutoDelete, Internal: x.Internal, Arguments: x.Arguments})
		}
	}
	exclusive := make(map[string]bool)
	for _, q := range v.Queues() {
		if q.Exclusive {
			exclusive[q.Name] = true
			continue
		}
		d.Queues = append(d.Queues, Queue{Name: q.Name, VHost: v.Name(), Durable: q.Durable, AutoDelete: q.AutoDelete, Arguments: q.Arguments})
	}
	for _, b := range v.Bindings() {
		toExchange := b.DestinationType == "exchange"
		if b.Source == "" || !toExchange && exclusive[b.Destination] {
			continue
		}
		d.Bindings = append(d.Bindings, Binding{Source: b.Source, VHost: v.Name(), Destination: b.Destination,
			ToExchange: toExchange, RoutingKey: b.RoutingKey, Arguments: b.Arguments})
	}
}

// encode writes lists of the definitions, with the names of the virtual hosts or without.
func (d *Definitions) encode(lists []string, vhosts bool) []byte {
	e := encoder{vhosts: vhosts}
	e.raw(`{"rabbit_version":"` + version + `","rabbitmq_version":"` + version + `","product_name":"RabbitMQ","product_version":"` + version + `"`)
	for _, name := range lists {
		e.raw(`,"` + name + `":[`)
		switch name {
		case "users":
			eachItem(&e, d.Users, e.user)
		case "vhosts":
			eachItem(&e, d.VHosts, e.vhost)
		case "permissions":
			eachItem(&e, d.Permissions, e.permission)
		case "topic_permissions":
			eachItem(&e, d.TopicPermissions, e.topicPermission)
		case "global_parameters":
			eachItem(&e, d.GlobalParameters, e.globalParameter)
		case "parameters":
			eachItem(&e, d.Parameters, e.parameter)
		case "policies":
			eachItem(&e, d.Policies, e.policy)
		case "queues":
			eachItem(&e, d.Queues, e.queue)
		case "exchanges":
			eachItem(&e, d.Exchanges, e.exchange)
		case "bindings":
			eachItem(&e, d.Bindings, e.binding)
		}
		e.raw("]")
	}
	e.raw("}")
	return e.out.Bytes()
}

// An encoder writes objects with their members in RabbitMQ's order.
type encoder struct {
	out    bytes.Buffer
	vhosts bool
	first  bool // no member of the object was written
}

func eachItem[T any](e *encoder, list []T, write func(*T)) {
	for i := range list {
		if i > 0 {
			e.raw(",")
		}
		e.raw("{")
		e.first = true
		write(&list[i])
		e.raw("}")
	}
}

func (e *encoder) raw(s string) { e.out.WriteString(s) }

// member writes a member with a plain value.
func (e *encoder) member(name string, v any) { e.encoded(name, appendJSON(nil, v)) }

func (e *encoder) encoded(name string, value []byte) {
	if !e.first {
		e.raw(",")
	}
	e.first = false
	e.out.Write(appendJSON(nil, name))
	e.raw(":")
	e.out.Write(value)
}

func (e *encoder) arguments(t wire.Table) { e.encoded("arguments", appendTable(nil, t)) }

// vhostMember writes in which virtual host an entry is.
func (e *encoder) vhostMember(vhost string) {
	if e.vhosts {
		e.member("vhost", vhost)
	}
}

func (e *encoder) user(u *User) {
	e.member("name", u.Name)
	e.member("password_hash", u.Hash.Export())
	e.member("hashing_algorithm", u.Hash.Algorithm())
	e.member("tags", list(u.Tags))
	e.member("limits", u.Limits)
}

func (e *encoder) vhost(v *VHost) {
	e.member("name", v.Name)
	metadata, err := json.Marshal(struct {
		Description string   `json:"description"`
		Tags        []string `json:"tags"`
		QueueType   string   `json:"default_queue_type,omitempty"`
	}{v.Description, list(v.Tags), v.DefaultQueueType})
	if err == nil {
		e.encoded("metadata", metadata)
	}
}

// list returns words as a list that is not null.
func list(words []string) []string { return append([]string{}, words...) }

func (e *encoder) permission(g *auth.Grant) {
	e.member("user", g.User)
	e.member("vhost", g.VHost)
	e.member("configure", g.Configure)
	e.member("write", g.Write)
	e.member("read", g.Read)
}

func (e *encoder) topicPermission(g *auth.TopicGrant) {
	e.member("user", g.User)
	e.member("vhost", g.VHost)
	e.member("exchange", g.Exchange)
	e.member("write", g.Write)
	e.member("read", g.Read)
}

func (e *encoder) globalParameter(p *GlobalParameter) {
	e.member("name", p.Name)
	e.encoded("value", p.Value)
}

func (e *encoder) parameter(p *Parameter) {
	e.vhostMember(p.VHost)
	e.member("component", p.Component)
	e.member("name", p.Name)
	if p.Component == vhostLimits {
		e.encoded("value", appendTable(nil, p.Limits))
		return
	}
	o := &p.Operator
	value := encoder{first: true}
	value.raw("{")
	value.member("apply-to", o.ApplyTo)
	value.encoded("definition", appendTable(nil, o.Definition))
	value.member("pattern", o.Pattern)
	value.member(priority, o.Priority)
	value.raw("}")
	e.encoded("value", value.out.Bytes())
}

func (e *encoder) policy(p *Policy) {
	e.vhostMember(p.VHost)
	e.member("name", p.Name)
	e.member("pattern", p.Pattern)
	e.member("apply-to", p.ApplyTo)
	e.encoded("definition", appendTable(nil, p.Definition))
	e.member(priority, p.Priority)
}

func (e *encoder) queue(q *Queue) {
	e.member("name", q.Name)
	e.vhostMember(q.VHost)
	e.member("durable", q.Durable)
	e.member("auto_delete", q.AutoDelete)
	e.arguments(q.Arguments)
}

func (e *encoder) exchange(x *Exchange) {
	e.member("name", x.Name)
	e.vhostMember(x.VHost)
	e.member("type", x.Type)
	e.member("durable", x.Durable)
	e.member("auto_delete", x.AutoDelete)
	e.member("internal", x.Internal)
	e.arguments(x.Arguments)
}

func (e *encoder) binding(b *Binding) {
	kind := "queue"
	if b.ToExchange {
		kind = "exchange"
	}
	e.member("source", b.Source)
	e.vhostMember(b.VHost)
	e.member("destination", b.Destination)
	e.member("destination_type", kind)
	e.member("routing_key", b.RoutingKey)
	e.arguments(b.Arguments)
}
