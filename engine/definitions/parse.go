package definitions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"harelab/engine/auth"
	"harelab/engine/bom"
	"harelab/engine/broker"
	"harelab/engine/nearest"
	"harelab/engine/wire"
)

// MaxText is the length of the longest text that Parse reads, in octets. It holds about
// half a million queues.
const MaxText = 64 << 20

// sections are the lists of a file, and what adds an entry of each.
var sections = map[string]func(*Definitions, *entry){
	"users":             (*Definitions).addUser,
	"vhosts":            (*Definitions).addVHost,
	"permissions":       (*Definitions).addPermission,
	"topic_permissions": (*Definitions).addTopicPermission,
	"global_parameters": (*Definitions).addGlobalParameter,
	"policies":          (*Definitions).addPolicy,
	"parameters":        (*Definitions).addParameter,
	"exchanges":         (*Definitions).addExchange,
	"queues":            (*Definitions).addQueue,
	"bindings":          (*Definitions).addBinding,
}

// remarks are the members of a file that say who wrote it and when. They define nothing.
var remarks = []string{"rabbit_version", "rabbitmq_version", "product_name", "product_version",
	"rabbitmq_definition_format", "original_cluster_name", "explanation", "original_vhost_name"}

// Parse reads a definitions file. It goes on after a mistake in an entry.
//
// Errors: [Errors], for a text that is longer than MaxText or not JSON, for unknown,
// missing and repeated keys, and for values of the wrong type. They hold no password and no
// hash.
func Parse(text []byte) (*Definitions, error) {
	p := &parser{definitions: new(Definitions)}
	if err := p.file(text); err != nil {
		p.errs.note(p.path, "%s", err.Error())
	}
	if err := p.errs.err(); err != nil {
		return nil, err
	}
	return p.definitions, nil
}

type parser struct {
	d           *json.Decoder
	definitions *Definitions
	path        string // of what is read now
	errs        Errors
}

// file reads the whole file. Its error ends the reading.
func (p *parser) file(text []byte) error {
	if len(text) > MaxText {
		return fmt.Errorf("text of %d octets: longer than %d", len(text), MaxText)
	}
	text, err := bom.Cut(text)
	if err != nil {
		return err
	}
	p.d = json.NewDecoder(bytes.NewReader(text))
	p.d.UseNumber()
	if err := p.top(); err != nil {
		return errors.New(syntaxError(text, p.d, err))
	}
	p.path = ""
	if _, err := p.d.Token(); !errors.Is(err, io.EOF) {
		return errors.New(syntaxError(text, p.d, errors.New("the text goes on after the object")))
	}
	return nil
}

func (p *parser) top() error {
	t, err := p.d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return errors.New("give an object of lists, as in {\"queues\": [...]}")
	}
	seen := make(map[string]bool)
	for p.d.More() {
		name, err := readName(p.d)
		if err != nil {
			return err
		}
		p.path = name
		if seen[name] {
			p.errs.note(name, "occurs twice")
		}
		seen[name] = true
		if err := p.section(name); err != nil {
			return err
		}
	}
	_, err = p.d.Token()
	return err
}

// section reads the value of one member of the file.
func (p *parser) section(name string) error {
	t, err := p.d.Token()
	if err != nil {
		return err
	}
	add, ok := sections[name]
	if !ok {
		if !slices.Contains(remarks, name) {
			p.errs.note(short(name), "unknown key%s", nearest.Choices(name, sectionNames()))
		}
		_, err := readValue(p.d, t, 1)
		return err
	}
	if t != json.Delim('[') {
		v, err := readValue(p.d, t, 1)
		p.errs.note(name, "give a list of objects, not %s", describe(v))
		return err
	}
	for i := 0; p.d.More(); i++ {
		p.path = fmt.Sprintf("%s[%d]", name, i)
		v, err := next(p.d, 1)
		if err != nil {
			return err
		}
		o, ok := v.(object)
		if !ok {
			p.errs.note(p.path, "give an object, not %s", describe(v))
			continue
		}
		e := &entry{all: o, path: p.path, errs: &p.errs}
		add(p.definitions, e)
		e.end()
	}
	_, err = p.d.Token()
	return err
}

func sectionNames() []string {
	var names []string
	for name := range sections {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (d *Definitions) addUser(e *entry) {
	u := User{Name: e.name("name"), Tags: e.words("tags")}
	if !e.has("tags") {
		e.fail("tags", "missing: give a list, or [] for none")
	}
	algorithm, text, password := e.text("hashing_algorithm"), e.text("password_hash"), e.text("password")
	var err error
	if password != "" && text == "" {
		u.Hash, err = auth.HashPassword(password)
	} else {
		u.Hash, err = auth.ParseNamedHash(algorithm, text)
	}
	if err != nil {
		e.fail("password_hash", "%s", strings.TrimPrefix(err.Error(), "auth: "))
	}
	limits := e.part("limits")
	u.Limits = auth.Limits{
		MaxConnections: limits.limit("max-connections"),
		MaxChannels:    limits.limit("max-channels"),
	}
	limits.end()
	d.Users = append(d.Users, u)
}

func (d *Definitions) addVHost(e *entry) {
	v := VHost{Name: e.name("name"), Description: e.text("description"), Tags: e.words("tags")}
	if e.has("metadata") {
		m := e.part("metadata")
		v.Description, v.Tags = m.text("description"), m.words("tags")
		v.DefaultQueueType = m.text("default_queue_type")
		m.end()
	}
	if v.DefaultQueueType == "undefined" { // as RabbitMQ writes it
		v.DefaultQueueType = ""
	}
	e.skip("limits") // they are also among the parameters
	e.skip("tracing")
	e.skip("default_queue_type")
	d.VHosts = append(d.VHosts, v)
}

func (d *Definitions) addPermission(e *entry) {
	d.Permissions = append(d.Permissions, auth.Grant{User: e.name("user"), VHost: e.name("vhost"), Permissions: auth.Permissions{
		Configure: e.must("configure"), Write: e.must("write"), Read: e.must("read"),
	}})
}

func (d *Definitions) addTopicPermission(e *entry) {
	d.TopicPermissions = append(d.TopicPermissions, auth.TopicGrant{User: e.name("user"), VHost: e.name("vhost"), Exchange: e.must("exchange"),
		TopicPermissions: auth.TopicPermissions{Write: e.must("write"), Read: e.must("read")}})
}

func (d *Definitions) addGlobalParameter(e *entry) {
	p := GlobalParameter{Name: e.name("name")}
	v, ok := e.take("value")
	if !ok {
		e.fail("value", "missing")
	}
	p.Value = appendValue(nil, v)
	d.GlobalParameters = append(d.GlobalParameters, p)
}

func (d *Definitions) addPolicy(e *entry) {
	p := Policy{VHost: e.short("vhost")}
	p.Policy = e.policy(e.name("name"))
	d.Policies = append(d.Policies, p)
}

// policy takes what policies and operator policies have besides their name.
func (e *entry) policy(name string) broker.Policy {
	p := broker.Policy{Name: name, Pattern: e.must("pattern"), ApplyTo: e.text("apply-to")}
	if n := e.limit(priority); n != nil {
		p.Priority = *n
	}
	p.Definition = e.table("definition")
	return p
}

const (
	operatorPolicy = "operator_policy" // a component
	vhostLimits    = "vhost-limits"    // a component
	priority       = "priority"        // a key of policies
)

func (d *Definitions) addParameter(e *entry) {
	p := Parameter{VHost: e.short("vhost"), Component: e.must("component"), Name: e.name("name")}
	switch p.Component {
	case operatorPolicy:
		value := e.part("value")
		p.Operator = value.policy(p.Name)
		value.end()
	case vhostLimits:
		p.Limits = e.table("value")
	case "":
	default:
		e.skip("value")
		e.fail("component", "unknown component %q%s", short(p.Component), nearest.Choices(p.Component, []string{operatorPolicy, vhostLimits}))
	}
	d.Parameters = append(d.Parameters, p)
}

func (d *Definitions) addExchange(e *entry) {
	d.Exchanges = append(d.Exchanges, Exchange{
		Name: e.name("name"), VHost: e.short("vhost"), Type: e.must("type"),
		Durable: e.flag("durable", true), AutoDelete: e.flag("auto_delete", true), Internal: e.flag("internal", false),
		Arguments: e.table("arguments"),
	})
}

func (d *Definitions) addQueue(e *entry) {
	q := Queue{
		Name: e.name("name"), VHost: e.short("vhost"),
		Durable: e.flag("durable", true), AutoDelete: e.flag("auto_delete", true),
		Arguments: e.table("arguments"),
	}
	// The type is also an argument. A file that has it only here means it, too.
	if kind := e.text("type"); kind != "" && kind != "classic" {
		if _, ok := q.Arguments.Get("x-queue-type"); !ok {
			q.Arguments.Set("x-queue-type", kind)
		}
	}
	d.Queues = append(d.Queues, q)
}

func (d *Definitions) addBinding(e *entry) {
	b := Binding{Source: e.name("source"), VHost: e.short("vhost"), Destination: e.name("destination")}
	switch kind := e.must("destination_type"); kind {
	case "exchange":
		b.ToExchange = true
	case "queue", "":
	default:
		e.fail("destination_type", "%q: give queue or exchange", short(kind))
	}
	b.RoutingKey = e.short("routing_key")
	b.Arguments = e.table("arguments")
	e.skip("properties_key") // the HTTP API's name for the binding
	d.Bindings = append(d.Bindings, b)
}

// An entry is one object of the file. Its methods take members out of it and note what is
// wrong with them.
type entry struct {
	all   object
	path  string
	errs  *Errors
	taken []string
}

func (e *entry) fail(name, format string, args ...any) {
	e.errs.note(e.path+"."+name, format, args...)
}

// take returns a member.
func (e *entry) take(name string) (value, bool) {
	e.taken = append(e.taken, name)
	return e.all.get(name)
}

// skip takes a member that is not used.
func (e *entry) skip(name string) { e.take(name) }

func (e *entry) has(name string) bool {
	_, ok := e.all.get(name)
	return ok
}

// end notes the members that were not taken.
func (e *entry) end() {
	for _, m := range e.all {
		if !slices.Contains(e.taken, m.name) {
			e.fail(short(m.name), "unknown key%s", nearest.Choices(m.name, e.taken))
		}
	}
}

// text takes a text. A missing one and null are empty.
func (e *entry) text(name string) string {
	v, _ := e.take(name)
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	e.fail(name, "give a text, not %s", describe(v))
	return ""
}

// must is text for a member that may not be missing.
func (e *entry) must(name string) string {
	if !e.has(name) {
		e.fail(name, "missing")
	}
	return e.text(name)
}

// short is text for a name or a routing key, which may be empty.
func (e *entry) short(name string) string {
	s := e.text(name)
	if len(s) > wire.MaxShortString {
		e.fail(name, "%d octets: give at most %d", len(s), wire.MaxShortString)
	}
	return s
}

// name is short for a name that may not be empty.
func (e *entry) name(name string) string {
	s := e.short(name)
	if v, ok := e.all.get(name); s == "" && (!ok || v == "" || v == nil) {
		e.fail(name, "missing")
	}
	return s
}

func (e *entry) flag(name string, required bool) bool {
	v, ok := e.take(name)
	if !ok {
		if required {
			e.fail(name, "missing: give true or false")
		}
		return false
	}
	b, ok := v.(bool)
	if !ok {
		e.fail(name, "give true or false, not %s", describe(v))
	}
	return b
}

// words takes a list of words, or a text of words with commas between them.
func (e *entry) words(name string) []string {
	v, _ := e.take(name)
	var words []string
	switch v := v.(type) {
	case nil:
	case string:
		for _, w := range strings.Split(v, ",") {
			if w = strings.TrimSpace(w); w != "" {
				words = append(words, w)
			}
		}
	case []value:
		for i, w := range v {
			s, ok := w.(string)
			if !ok {
				e.fail(fmt.Sprintf("%s[%d]", name, i), "give a word, not %s", describe(w))
			}
			words = append(words, s)
		}
	default:
		e.fail(name, "give a list of words, not %s", describe(v))
	}
	return words
}

// members takes an object. RabbitMQ writes some objects as lists of pairs.
func (e *entry) members(name string) object {
	v, _ := e.take(name)
	switch v := v.(type) {
	case nil:
		return nil
	case object:
		return v
	case []value:
		if o, ok := fromPairs(v); ok {
			return o
		}
	}
	e.fail(name, "give an object, not %s", describe(v))
	return nil
}

// fromPairs returns the object that a list of pairs stands for.
func fromPairs(list []value) (object, bool) {
	o := object{}
	for _, v := range list {
		pair, ok := v.([]value)
		if !ok || len(pair) != 2 {
			return nil, false
		}
		name, ok := pair[0].(string)
		if _, twice := o.get(name); !ok || twice {
			return nil, false
		}
		o = append(o, member{name, pair[1]})
	}
	return o, true
}

func (e *entry) table(name string) wire.Table {
	t, err := table(e.members(name))
	var at *pathError
	if errors.As(err, &at) {
		path, text := at.whole()
		e.errs.note(e.path+"."+name+path, "%s", text)
	}
	return t
}

// part takes an object as an entry of its own.
func (e *entry) part(name string) *entry {
	return &entry{all: e.members(name), path: e.path + "." + name, errs: e.errs}
}

// limit takes a whole number, or nil if it is missing.
func (e *entry) limit(name string) *int {
	v, ok := e.take(name)
	if !ok {
		return nil
	}
	n, ok := v.(int64)
	if !ok || n != int64(int(n)) {
		e.fail(name, "give a whole number, not %s", describe(v))
		return nil
	}
	whole := int(n)
	return &whole
}
