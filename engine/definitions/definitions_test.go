package definitions

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/engine/broker"
	"harelab/engine/store"
	"harelab/engine/store/memory"
)

func newBroker(t testing.TB, s store.Store) *broker.Broker {
	t.Helper()
	b, err := broker.New(broker.Options{Store: s, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parse(t testing.TB, text []byte) *Definitions {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func apply(t testing.TB, d *Definitions, b *broker.Broker) Changes {
	t.Helper()
	c, err := d.Apply(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// plain decodes an export for comparison: lists in a fixed order, and the forms in which
// rabbitmqctl and the management API write the same in one form.
func plain(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var file map[string]any
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatalf("%v in %.200s", err, text)
	}
	for _, remark := range []string{"product_name", "product_version"} {
		delete(file, remark) // rabbitmqctl does not write it
	}
	internal := make(map[string]bool)
	for _, x := range items(file, "exchanges") {
		internal[x["name"].(string)] = x["internal"] == true
		delete(x, "internal") // rabbitmqctl does not write it
	}
	for _, q := range items(file, "queues") {
		delete(q, "type") // the management API does not write it
	}
	for _, v := range items(file, "vhosts") {
		delete(v, "limits")
		if m, ok := v["metadata"].(map[string]any); ok {
			if tags, ok := m["tags"].(string); ok {
				m["tags"] = split(tags)
			}
		}
	}
	for _, p := range items(file, "parameters") {
		if value := p["value"].(map[string]any); p["component"] == operatorPolicy {
			value["definition"] = fromPairList(value["definition"])
		}
	}
	for name, list := range file {
		if list, ok := list.([]any); ok {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(line(a), line(b)) })
			file[name] = list
		}
	}
	return file
}

func items(file map[string]any, name string) (all []map[string]any) {
	list, _ := file[name].([]any)
	for _, item := range list {
		all = append(all, item.(map[string]any))
	}
	return all
}

func split(tags string) []any {
	all := []any{}
	for _, tag := range strings.Split(tags, ",") {
		if tag != "" {
			all = append(all, tag)
		}
	}
	return all
}

// fromPairList returns the object that RabbitMQ wrote as a list of pairs.
func fromPairList(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	object := make(map[string]any)
	for _, pair := range list {
		object[pair.([]any)[0].(string)] = pair.([]any)[1]
	}
	return object
}

func line(v any) string {
	text, err := json.Marshal(v) // members in order of their names
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestRoundTrip imports what RabbitMQ 3.10.8 exported, and exports the same.
func TestRoundTrip(t *testing.T) {
	for _, test := range []struct {
		file  string
		skips []string
		edit  func(want map[string]any)
	}{
		{file: "management.json", edit: func(want map[string]any) {
			for _, v := range items(want, "vhosts") { // the management API writes the name only
				v["metadata"] = map[string]any{"description": "Default virtual host", "tags": []any{}}
			}
		}},
		{file: "rabbitmqctl.json", skips: []string{
			"bindings[1]: its destination, exchange 'x-alt' in vhost '/', does not exist",
			"bindings[8]: its destination, exchange 'x-alt' in vhost '/', does not exist",
			"bindings[10]: its destination, exchange 'x-alt' in vhost 'prod', does not exist",
			"bindings[17]: its destination, exchange 'x-alt' in vhost 'prod', does not exist",
		}, edit: func(want map[string]any) { // rabbitmqctl leaves out internal exchanges, and not their bindings
			want["bindings"] = slices.DeleteFunc(want["bindings"].([]any), func(b any) bool {
				return b.(map[string]any)["destination"] == "x-alt"
			})
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			text := read(t, test.file)
			want := plain(t, text)
			test.edit(want)
			s := memory.New()
			b := newBroker(t, s)
			d := parse(t, text)
			dry, err := d.Check(b)
			if err != nil {
				t.Fatal(err)
			}
			c := apply(t, d, b)
			if diff := cmp.Diff(dry, c); diff != "" {
				t.Errorf("what Check said, and what Apply did: %s", diff)
			}
			if diff := cmp.Diff(test.skips, c.Skips); diff != "" {
				t.Errorf("skipped (-want +got)\n%s", diff)
			}
			exported := Export(b)
			if diff := cmp.Diff(want, plain(t, exported)); diff != "" {
				t.Errorf("exported (-want +got)\n%s", diff)
			}

			again := apply(t, parse(t, exported), b)
			if again.Total(Made)+again.Total(Changed)+again.Total(Skipped) > 0 {
				t.Errorf("what was exported is imported as %s, want all of it there already", &again)
			}
			if diff := cmp.Diff(string(exported), string(Export(b))); diff != "" {
				t.Errorf("exported twice: %s", diff)
			}

			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			for _, lists := range []string{"queues", "exchanges", "bindings"} { // what is durable
				want[lists] = durable(want, lists)
			}
			if diff := cmp.Diff(want, plain(t, Export(newBroker(t, s)))); diff != "" {
				t.Errorf("exported after a restart (-want +got)\n%s", diff)
			}
		})
	}
}

// durable returns the entries of a list that outlive the broker.
func durable(file map[string]any, list string) []any {
	lives := func(kind string, vhost, name any) bool {
		if name := name.(string); strings.HasPrefix(name, "amq.") && kind == "exchanges" {
			return true
		}
		return slices.ContainsFunc(items(file, kind), func(i map[string]any) bool {
			return i["vhost"] == vhost && i["name"] == name && i["durable"] == true
		})
	}
	all := []any{}
	for _, i := range items(file, list) {
		switch {
		case list != "bindings" && i["durable"] == true:
		case list == "bindings" && lives("exchanges", i["vhost"], i["source"]) && lives(i["destination_type"].(string)+"s", i["vhost"], i["destination"]):
		default:
			continue
		}
		all = append(all, i)
	}
	return all
}

// TestOneVHost: the export of one virtual host names none, and can go into another.
func TestOneVHost(t *testing.T) {
	b := newBroker(t, nil)
	apply(t, parse(t, read(t, "rabbitmqctl.json")), b)
	from, _ := b.VHost("prod")
	text := ExportVHost(from)
	d := parse(t, text)
	if _, err := d.Check(b); err == nil || !strings.HasPrefix(err.Error(), "policies[0]: vhost is missing") {
		t.Errorf("without a virtual host: %v", err)
	}
	to, err := b.AddVHost("copy")
	if err != nil {
		t.Fatal(err)
	}
	apply(t, d.In("copy"), b)
	if diff := cmp.Diff(string(text), string(ExportVHost(to))); diff != "" {
		t.Errorf("the copy is different: %s", diff)
	}
	if strings.Contains(string(text), `"vhost"`) {
		t.Errorf("the export of one virtual host names it: %s", text)
	}
}

// TestAllOrNothing: a mistake in the last entry leaves the broker as it was.
func TestAllOrNothing(t *testing.T) {
	b := newBroker(t, nil)
	apply(t, parse(t, []byte(`{"queues": [{"name": "q", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {"x-max-length": 7}}]}`)), b)
	before := Export(b)
	for _, test := range []struct{ text, want string }{
		{`{"vhosts": [{"name": "new"}], "users": [{"name": "u", "tags": []}],
			"queues": [{"name": "new", "vhost": "new", "durable": true, "auto_delete": false},
				{"name": "q", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {"x-max-length": 8}}]}`,
			"queues[1].arguments.x-max-length: inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received '8' but current is '7'"},
		{`{"queues": [{"name": "a", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {"x-max-priority": 256}}]}`,
			"queues[0].arguments.x-max-priority: invalid arg 'x-max-priority' for queue 'a' in vhost '/': {max_value_exceeded,256}"},
		{`{"queues": [{"name": "a", "vhost": "/", "durable": true, "auto_delete": false, "type": "stream"}]}`,
			`queues[0].arguments.x-queue-type: invalid arg 'x-queue-type' for queue 'a' in vhost '/': "unsupported queue type 'stream'"`},
		{`{"queues": [{"name": "a", "vhost": "none", "durable": true, "auto_delete": false}]}`, "queues[0]: vhost none not found"},
		{`{"exchanges": [{"name": "amq.topic", "vhost": "/", "type": "direct", "durable": true, "auto_delete": false}]}`,
			"exchanges[0]: inequivalent arg 'type' for exchange 'amq.topic' in vhost '/': received 'direct' but current is 'topic'"},
		{`{"exchanges": [{"name": "x", "vhost": "/", "type": "x-none", "durable": true, "auto_delete": false}]}`,
			"exchanges[0]: unknown exchange type 'x-none'"},
		{`{"users": [{"name": "u", "tags": []}], "permissions": [{"user": "u", "vhost": "/", "configure": "(", "write": "", "read": ""}]}`,
			"permissions[0]: auth: permission: error parsing regexp: missing closing ): `(`"},
		{`{"permissions": [{"user": "nobody", "vhost": "/", "configure": "", "write": "", "read": ""}]}`,
			`permissions[0]: auth: no such user: "nobody"`},
		{`{"topic_permissions": [{"user": "guest", "vhost": "none", "exchange": "amq.topic", "write": "", "read": ""}]}`,
			"topic_permissions[0]: no vhost 'none'"},
		{`{"queues": [{"name": "a", "vhost": "/", "durable": true, "auto_delete": false}],
			"bindings": [{"source": "amq.headers", "vhost": "/", "destination": "a", "destination_type": "queue", "routing_key": "", "arguments": {"x-match": "some"}}]}`,
			`bindings[0]: Invalid x-match field value <<"some">>; expected all, any, all-with-x, or any-with-x`},
		{`{"policies": [{"vhost": "/", "name": "p", "pattern": "(", "definition": {"max-length": -1}}]}`,
			"policies[0]: Validation failed: -1 is not a valid maximum length; pattern should be regular expression but is invalid: "},
		{`{"parameters": [{"vhost": "/", "component": "operator_policy", "name": "p", "value": {"pattern": "", "definition": [["max-length", "x"]]}}]}`,
			`parameters[0]: Validation failed: <<"x">> is not a valid maximum length`},
	} {
		c, err := parse(t, []byte(test.text)).Apply(b)
		if err == nil {
			t.Errorf("%s: applied, %s", test.text, &c)
			continue
		}
		if got := err.Error(); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s:\n got %s\nwant %s", test.text, got, test.want)
		}
		if diff := cmp.Diff(string(before), string(Export(b))); diff != "" {
			t.Fatalf("%s: something was changed: %s", test.text, diff)
		}
	}
}

func TestParseMistakes(t *testing.T) {
	deep := `{"queues": [{"arguments": ` + strings.Repeat(`{"a":`, 70) + `1` + strings.Repeat(`}`, 70) + `}]}`
	wide := `{"queues": [{"arguments": {"l": [` + strings.Repeat(`1,`, 5000) + `1]}}]}`
	for _, test := range []struct {
		text string
		want []string
	}{
		{``, []string{"line 1: the text ends too soon"}},
		{`[]`, []string{`line 1: give an object of lists, as in {"queues": [...]}`}},
		{"{\n\"queues\": [}", []string{"queues: line 2: invalid character '}' looking for beginning of value"}},
		{"{\"queues\":\n [{\"name\": \"q\"", []string{"queues[0]: line 2: the text ends too soon"}},
		{"{}\n{}", []string{"line 2: the text goes on after the object"}},
		{`{"queus": []}`, []string{`queus: unknown key: did you mean "queues"? (have bindings, exchanges, `}},
		{`{"queues": [], "queues": []}`, []string{"queues: occurs twice"}},
		{`{"queues": {}}`, []string{"queues: give a list of objects, not an object"}},
		{`{"queues": [7]}`, []string{"queues[0]: give an object, not 7"}},
		{`{"queues": [{"name": "q", "durable": "yes"}]}`, []string{
			`queues[0].durable: give true or false, not "yes"`, "queues[0].auto_delete: missing: give true or false"}},
		{`{"queues": [{"name": "", "durable": true, "auto_delete": true, "argumnts": {}}]}`, []string{
			"queues[0].name: missing", `queues[0].argumnts: unknown key: did you mean "arguments"?`}},
		{`{"queues": [{"name": "` + strings.Repeat("n", 256) + `", "durable": true, "auto_delete": true}]}`, []string{"queues[0].name: 256 octets: give at most 255"}},
		{`{"queues": [{"name": "q", "durable": true, "auto_delete": true, "arguments": {"x": {"` + strings.Repeat("n", 256) + `": 1}}}]}`, []string{
			"queues[0].arguments.x." + strings.Repeat("n", 80) + "...: name of 256 octets: give at most 255"}},
		{`{"queues": [{"name": "q", "durable": true, "auto_delete": true, "arguments": {"x-max-length": 1e999}}]}`, []string{
			"queues[0]: line 1: arguments: x-max-length: number 1e999 is out of range"}},
		{`{"queues": [{"arguments": {"x-max-length": 99999999999999999999}}]}`, []string{
			"queues[0]: line 1: arguments: x-max-length: number 99999999999999999999 is out of range: give -9223372036854775808 to "}},
		{`{"queues": [{"arguments": {"a": 1, "a": 2}}]}`, []string{`queues[0]: line 1: arguments: "a" occurs twice`}},
		{deep, []string{"queues[0]: line 1: arguments: a: a: a: "}},
		{wide, []string{"queues[0]: line 1: arguments: l: more than 4096 elements of a list"}},
		{`{"users": [{"name": "u", "password_hash": "c2VjcmV0"}]}`, []string{
			"users[0].tags: missing: give a list, or [] for none", "users[0].password_hash: password hash of 6 octets"}},
		{`{"users": [{"name": "u", "tags": {}, "hashing_algorithm": "rot13", "limits": {"max-connections": "2"}}]}`, []string{
			"users[0].tags: give a list of words, not an object",
			`users[0].password_hash: unknown hashing algorithm "rot13" (have rabbit_password_hashing_sha256, `,
			`users[0].limits.max-connections: give a whole number, not "2"`}},
		{`{"bindings": [{"source": "x", "destination": "q", "destination_type": "quue"}]}`, []string{`bindings[0].destination_type: "quue": give queue or exchange`}},
		{`{"parameters": [{"vhost": "/", "component": "shovel", "name": "s", "value": {"src-uri": "amqp://u:p@h"}}]}`, []string{
			`parameters[0].component: unknown component "shovel" (have operator_policy, vhost-limits)`}},
		{`{"policies": [{"vhost": "/", "name": "p", "definition": [1], "priority": 1.5}]}`, []string{
			"policies[0].pattern: missing", "policies[0].priority: give a whole number, not 1.5", "policies[0].definition: give an object, not a list"}},
		{`{"global_parameters": [{"name": "g"}]}`, []string{"global_parameters[0].value: missing"}},
		{"\xff\xfe{\x00}\x00", []string{"the text is in UTF-16: save it as UTF-8"}},
	} {
		_, err := Parse([]byte(test.text))
		if err == nil {
			t.Errorf("%.100s: no mistake", test.text)
			continue
		}
		got := strings.Split(err.Error(), "\n")
		if len(got) != len(test.want) {
			t.Errorf("%.100s: got %q, want %q", test.text, got, test.want)
			continue
		}
		for i, want := range test.want {
			if !strings.HasPrefix(got[i], want) {
				t.Errorf("%.100s:\n got %s\nwant %s", test.text, got[i], want)
			}
		}
	}
	if _, err := Parse(make([]byte, MaxText+1)); err == nil || err.Error() != "text of 67108865 octets: longer than 67108864" {
		t.Errorf("a text that is too long: %v", err)
	}
}

// TestManyMistakes: the number of mistakes that are told is bounded.
func TestManyMistakes(t *testing.T) {
	_, err := Parse([]byte(`{"queues": [` + strings.Repeat("1,", 1000) + `1]}`))
	if got := strings.Count(fmt.Sprint(err), "\n") + 1; got != maxErrors {
		t.Errorf("%d mistakes, want %d", got, maxErrors)
	}
}

// TestLimitBelowWhatThereIs: a limit does not count the queues that are there already.
func TestLimitBelowWhatThereIs(t *testing.T) {
	const queues = `"queues": [{"name": "a", "vhost": "/", "durable": true, "auto_delete": false}, {"name": "b", "vhost": "/", "durable": true, "auto_delete": false}]`
	limit := func(n int) []byte {
		return fmt.Appendf(nil, `{"parameters": [{"vhost": "/", "component": "vhost-limits", "name": "limits", "value": {"max-queues": %d}}], %s}`, n, queues)
	}
	b := newBroker(t, nil)
	for _, test := range []struct {
		max     int
		outcome Outcome
	}{{1, Made}, {1, Present}, {0, Changed}, {-1, Changed}} {
		if c := apply(t, parse(t, limit(test.max)), b); c.Counts["parameters"][test.outcome] != 1 {
			t.Errorf("max-queues %d: %v, want it %s", test.max, c.Counts["parameters"], test.outcome)
		}
	}
}

// FuzzDefinitions: what can be applied can be exported, and is then there already.
func FuzzDefinitions(f *testing.F) {
	for _, name := range []string{"rabbitmqctl.json", "management.json"} {
		f.Add(read(f, name))
	}
	f.Add([]byte(`{"vhosts":[{"name":"v","metadata":{"description":"d","tags":["a"]}}],"users":[{"name":"u","tags":"a, b","limits":{"max-channels":1}}]}`))
	f.Add([]byte(`{"queues":[{"name":"q","vhost":"/","durable":true,"auto_delete":false,"arguments":{"x-max-length":1,"a":[1,2.5,null,{"b":"c"}]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		b := newBroker(t, nil)
		before := Export(b)
		d = d.In("/")
		if _, err := d.Check(b); err != nil {
			if after := Export(b); string(after) != string(before) {
				t.Fatalf("Check changed the broker: %s", after)
			}
			return
		}
		apply(t, d, b)
		exported := Export(b)
		if c := apply(t, parse(t, exported), b); c.Total(Made)+c.Total(Changed)+c.Total(Skipped) > 0 {
			t.Errorf("%s is imported as %s", exported, &c)
		}
	})
}

// TestDefaultQueueType: a virtual host's type of queue comes and goes with definitions.
func TestDefaultQueueType(t *testing.T) {
	b := newBroker(t, nil)
	text := []byte(`{"vhosts":[{"name":"v","metadata":{"description":"d","tags":[],"default_queue_type":"quorum"}}]}`)
	apply(t, parse(t, text), b)
	v, _ := b.VHost("v")
	if got := v.Metadata().DefaultQueueType; got != "quorum" {
		t.Errorf("type %q, want quorum", got)
	}
	if text := Export(b); !strings.Contains(string(text), `"default_queue_type":"quorum"`) {
		t.Errorf("exported without the type: %s", text)
	}
	if again := apply(t, parse(t, text), b); again.Total(Made)+again.Total(Changed) > 0 {
		t.Errorf("imported twice: %s", &again)
	}
	if _, err := Parse([]byte(`{"vhosts":[{"name":"v","metadata":{"default_queue_type":"undefined"}}]}`)); err != nil {
		t.Error(err)
	}
}
