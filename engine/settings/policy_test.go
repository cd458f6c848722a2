package settings

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/engine/queue"
	"harelab/engine/wire"
)

// definition parses a definition, which must be one.
func definition(t *testing.T, text string) wire.Table {
	t.Helper()
	d, err := ParseDefinition([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// set returns a set with one more policy.
func set(t *testing.T, p Policies, kind PolicyKind, name, pattern, applyTo string, priority int, text string) Policies {
	t.Helper()
	next, err := p.With(kind, Policy{name, pattern, applyTo, priority, definition(t, text)})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// TestPolicyIsRefused has RabbitMQ's answers to policies that are not valid.
func TestPolicyIsRefused(t *testing.T) {
	for _, tt := range []struct{ definition, problem string }{
		{`{"max-length":-1}`, `-1 is not a valid maximum length`},
		{`{"max-length":1.0}`, `1.0 is not a valid maximum length`},
		{`{"max-length":"x"}`, `<<"x">> is not a valid maximum length`},
		{`{"max-length":true}`, `true is not a valid maximum length`},
		{`{"max-length":null}`, `null is not a valid maximum length`},
		{`{"max-length":[1,2]}`, `[1,2] is not a valid maximum length`},
		{`{"max-length":{"a":"b"}}`, `#{<<"a">> => <<"b">>} is not a valid maximum length`},
		{`{"max-length-bytes":-1}`, `-1 is not a valid maximum length in bytes`},
		{`{"max-in-memory-length":-1}`, `-1 is not a valid maximum memory in bytes`},
		{`{"expires":0}`, `0 is not a valid queue expiry`},
		{`{"message-ttl":-1}`, `-1 is not a valid message TTL`},
		{`{"delivery-limit":"x"}`, `<<"x">> is not a valid delivery limit`},
		{`{"dead-letter-exchange":1,"alternate-exchange":[]}`, `[] is not a valid alternate exchange name`},
		{`{"dead-letter-exchange":1}`, `1 is not a valid dead letter exchange name`},
		{`{"dead-letter-routing-key":1}`, `1 is not a valid dead letter routing key`},
		{`{"dead-letter-strategy":"never"}`, `<<"never">> is not a valid dead letter strategy`},
		{`{"overflow":"x","queue-mode":1}`, `<<"x">> is not a valid overflow value`},
		{`{"queue-mode":1}`, `1 is not a valid queue-mode value`},
		{`{"queue-version":3}`, `3 is not a valid queue-version value`},
		{`{"max-age":"foo"}`, `<<"foo">> is not a valid max age`},
		{`{"max-age":"0h"}`, `<<"0h">> is not a valid max age`},
		{`{"max-age":"1hm"}`, `<<"1hm">> is not a valid max age`},
		{`{"queue-leader-locator":"x"}`, `<<"x">> is not a valid queue leader locator value`},
		{`{"initial-cluster-size":-1}`, `-1 is not a valid cluster size`},
		{`{"stream-max-segment-size-bytes":3000000001}`, `3000000001 is not a valid segment size`},
		{`{"queue-master-locator":"foo"}`, `<<"foo">> invalid queue-master-locator value`},
		{`{}`, `no policy provided`},
		{`{"foo":1,"bar":"x"}`, `[{<<"bar">>,<<"x">>},{<<"foo">>,1}] are not recognised policy settings`},
		{`{"foo":1,"max-length":-1}`, `-1 is not a valid maximum length`},
		{`{"ha-params":1}`, `ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown`},
		{`{"ha-mode":"exactly","ha-params":0}`, `ha-mode="exactly" takes an integer, 0 given`},
		{`{"ha-mode":"exactly","ha-params":"x"}`, `ha-mode="exactly" takes an integer, <<"x">> given`},
		{`{"ha-mode":"nodes"}`, `ha-mode="nodes" takes a list, none given`},
		{`{"ha-mode":"nodes","ha-params":[]}`, `ha-mode="nodes" list must be non-empty`},
		{`{"ha-mode":"nodes","ha-params":[1,"x"]}`, `ha-mode="nodes" takes a list of strings, [1] was not a string`},
		{`{"ha-mode":"all","ha-params":2}`, `ha-mode="all" does not take parameters`},
		{`{"ha-mode":"what"}`, `<<"what">> is not a valid ha-mode value`},
		{`{"ha-mode":"all","ha-sync-mode":"x"}`, `ha-sync-mode must be "manual" or "automatic", got <<"x">>`},
		{`{"ha-mode":"all","ha-sync-batch-size":0}`, `ha-sync-batch-size takes an integer greater than 0, 0 given`},
		{`{"ha-mode":"all","ha-promote-on-shutdown":"x"}`, `ha-promote-on-shutdown must be "always" or "when-synced", got <<"x">>`},
	} {
		_, err := Policies{}.With(UserPolicy, Policy{Name: "p", Definition: definition(t, tt.definition)})
		wantError(t, err, "Validation failed\n\n"+tt.problem+"\n")
	}
	long := Policy{Definition: args("dead-letter-routing-key", strings.Repeat("x", 256))}
	if _, err := (Policies{}).With(UserPolicy, long); err == nil {
		t.Error("a routing key of 256 octets is accepted")
	}
	for name, value := range map[string]any{"dispatch": "rrr", "order": "fifoo", "matcher": "tire", "fair-key": "tenant", "drr-cost": "two", "drr-quantum": int64(0)} {
		_, err := Policies{}.With(UserPolicy, Policy{Definition: args(name, value)})
		if !strings.Contains(errorText(err), fmt.Sprintf("%s is not a valid %s: ", policyTerm(value), name)) {
			t.Errorf("%s=%v: error %q, want what is wrong with it", name, value, errorText(err))
		}
	}
}

// TestOperatorPolicyIsRefused: operator policies have limits and times only.
func TestOperatorPolicyIsRefused(t *testing.T) {
	for _, s := range policySettings {
		_, err := Policies{}.With(OperatorPolicy, Policy{Definition: args(s.name, int64(5))})
		if (err == nil) != s.operator {
			t.Errorf("operator policy with %s: %v", s.name, err)
		}
	}
}

// TestPolicyIsRefusedForAll: all that is wrong is said at once.
func TestPolicyIsRefusedForAll(t *testing.T) {
	_, err := Policies{}.With(UserPolicy, Policy{Name: "p", Pattern: "(", ApplyTo: "foo", Definition: args("max-length", int64(-1))})
	const want = "Validation failed\n\n-1 is not a valid maximum length\n" +
		"apply-to 'foo' unrecognised; should be 'queues', 'exchanges' or 'all'\n" +
		"pattern should be regular expression but is invalid: error parsing regexp: missing closing ): `(`\n"
	wantError(t, err, want)
}

// TestWhichPolicyApplies: the one with the greatest priority of those that match, by name,
// kind of resource and type of queue.
func TestWhichPolicyApplies(t *testing.T) {
	var p Policies
	p = set(t, p, UserPolicy, "low", "", "all", 0, `{"max-length":1}`)
	p = set(t, p, UserPolicy, "b", "^q", "queues", 5, `{"max-length":2}`)
	p = set(t, p, UserPolicy, "a", "q", "queues", 5, `{"max-length":3}`)
	p = set(t, p, UserPolicy, "quorum", "", "all", 9, `{"delivery-limit":3}`)
	p = set(t, p, UserPolicy, "lazy", "^lazy", "all", 10, `{"queue-mode":"lazy"}`)
	p = set(t, p, UserPolicy, "x", "", "exchanges", 10, `{"alternate-exchange":"ae"}`)
	for _, tt := range []struct {
		name     string
		isQuorum bool
		want     string
	}{
		{"other", false, "low"},
		{"q", false, "a"}, // of equal priority: the first name
		{"q", true, "quorum"},
		{"lazy", false, "lazy"},
		{"lazy", true, "quorum"},
	} {
		if got, _ := p.ForQueue(tt.name, tt.isQuorum).Names(); got != tt.want {
			t.Errorf("queue %s, quorum %t: policy %q, want %q", tt.name, tt.isQuorum, got, tt.want)
		}
	}
	if got, _ := p.ForExchange("e").Names(); got != "x" {
		t.Errorf("exchange: policy %q, want x", got)
	}
	q, found := p.Without(UserPolicy, "quorum")
	if got, _ := q.ForQueue("other", true).Names(); !found || got != "low" {
		t.Errorf("without quorum (found %t): policy %q, want low", found, got)
	}
	if got, _ := p.ForQueue("other", true).Names(); got != "quorum" {
		t.Error("Without changed its receiver")
	}
	if _, found := q.Without(UserPolicy, "quorum"); found {
		t.Error("Without finds what is gone")
	}
	again := set(t, p, UserPolicy, "quorum", "^z", "all", 9, `{"delivery-limit":3}`)
	if n := len(again.List(UserPolicy)); n != 6 {
		t.Errorf("%d policies after one was replaced, want 6", n)
	}
	if (Policies{}).ForQueue("q", false) != nil || (Policies{}).ForExchange("x") != nil {
		t.Error("something applies in an empty set")
	}
}

// TestMerge: of a limit that both kinds have the smaller one counts.
func TestMerge(t *testing.T) {
	var p Policies
	p = set(t, p, UserPolicy, "u", "", "", 0, `{"max-length":5,"message-ttl":5,"overflow":"drop-head"}`)
	p = set(t, p, OperatorPolicy, "o", "", "", 0, `{"max-length":3,"message-ttl":7,"expires":9}`)
	want := &Applied{"u", "o", args("expires", int64(9), "max-length", int64(3), "message-ttl", int64(5), "overflow", "drop-head")}
	got := p.ForQueue("q", false)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("- want, + got\n%s", diff)
	}
	if !got.Equal(want) || got.Equal(nil) || got.Equal(&Applied{"u", "o", args("expires", int64(9))}) {
		t.Error("Equal is wrong")
	}
}

// TestPolicyAndArgument has each setting in an argument, in a policy, and in both.
func TestPolicyAndArgument(t *testing.T) {
	limit := func(f func(queue.Limits) int64) func(*Queue) any {
		return func(q *Queue) any { return f(q.Limits) }
	}
	maxLength := limit(func(l queue.Limits) int64 { return l.MaxLength })
	maxBytes := limit(func(l queue.Limits) int64 { return l.MaxBytes })
	ttl := limit(func(l queue.Limits) int64 { return l.MessageTTL })
	deliveries := limit(func(l queue.Limits) int64 { return l.DeliveryLimit })
	overflow := func(q *Queue) any { return q.Limits.Overflow }
	expires := func(q *Queue) any { return q.Expires }
	deadTo := func(q *Queue) any {
		if q.DeadLetterTo == nil {
			return nil
		}
		return *q.DeadLetterTo
	}
	deadAs := func(q *Queue) any {
		if q.DeadLetterAs == nil {
			return nil
		}
		return *q.DeadLetterAs
	}
	strategies := func(q *Queue) any { return q.Selector.Name + " " + q.Order.Name }
	for _, tt := range []struct {
		name     string
		on       queueTypes
		args     wire.Table
		policy   string
		get      func(*Queue) any
		want     any
		onQuorum any // nil: want
	}{
		{"a length by policy", both, nil, `{"max-length":3}`, maxLength, int64(3), nil},
		{"the smaller length", both, args("x-max-length", int32(2)), `{"max-length":3}`, maxLength, int64(2), nil},
		{"the smaller length is the policy's", both, args("x-max-length", int32(4)), `{"max-length":3}`, maxLength, int64(3), nil},
		{"the smaller size", both, args("x-max-length-bytes", int32(4)), `{"max-length-bytes":3}`, maxBytes, int64(3), nil},
		{"the shorter time to live", both, args("x-message-ttl", int32(4)), `{"message-ttl":3}`, ttl, int64(3000), nil},
		{"a time to live beyond all times", both, nil, `{"message-ttl":9223372036854775807}`, ttl, int64(MaxTimer * 1000), nil},
		{"the shorter expiry, or the policy's", both, args("x-expires", int32(4)), `{"expires":5}`, expires, int64(4000), int64(5000)},
		{"the argument's overflow, or the policy's", both, args("x-overflow", "drop-head"), `{"overflow":"reject-publish"}`, overflow, queue.DropHead, queue.RejectPublish},
		{"an overflow that quorum queues do not have", both, nil, `{"overflow":"reject-publish-dlx"}`, overflow, queue.RejectPublishDLX, queue.DropHead},
		{"the smaller delivery limit", quorum, args("x-delivery-limit", int32(4)), `{"delivery-limit":3}`, deliveries, nil, int64(3)},
		{"the argument's exchange for dead letters", both, args("x-dead-letter-exchange", "a"), `{"dead-letter-exchange":"p"}`, deadTo, "a", nil},
		{"an exchange for dead letters by policy", both, nil, `{"dead-letter-exchange":"p"}`, deadTo, "p", nil},
		{"a key for dead letters needs an exchange", both, nil, `{"dead-letter-routing-key":"p"}`, deadAs, nil, nil},
		{"which may be an argument", both, args("x-dead-letter-exchange", "a"), `{"dead-letter-routing-key":"p"}`, deadAs, "p", nil},
		{"or the policy's own", both, nil, `{"dead-letter-routing-key":"p","dead-letter-exchange":"p"}`, deadAs, "p", nil},
		{"strategies by policy", both, nil, `{"dispatch":"fair","order":"drr"}`, strategies, "fair drr", nil},
		{"or by argument", both, args("x-dispatch", "jsq"), `{"dispatch":"fair","order":"sjf"}`, strategies, "jsq sjf", nil},
		{"mirrors have no effect", classic, nil, `{"ha-mode":"all"}`, strategies, "rr fifo", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := set(t, Policies{}, UserPolicy, "p", "", "", 0, tt.policy)
			for of := range typeNames {
				if tt.on&of == 0 {
					continue
				}
				s, err := ForQueue(ofType(of, tt.args), p.ForQueue("q", of == quorum), defaults(t), resource)
				if err != nil {
					t.Fatal(err)
				}
				want := tt.want
				if of == quorum && tt.onQuorum != nil {
					want = tt.onQuorum
				}
				if got := tt.get(s); got != want {
					t.Errorf("%s: %v, want %v", typeNames[of], got, want)
				}
			}
		})
	}
}

// TestExchangePolicy: arguments win.
func TestExchangePolicy(t *testing.T) {
	p := set(t, Policies{}, UserPolicy, "p", "", "", 0, `{"alternate-exchange":"p","matcher":"dfa"}`)
	x, err := ForExchange("topic", nil, p.ForExchange("x"), defaults(t), resource)
	if err != nil || x.Alternate != "p" || x.Matcher.Name != "dfa" {
		t.Errorf("%+v, %v, want what the policy says", x, err)
	}
	x, err = ForExchange("topic", args("alternate-exchange", "a", "x-matcher", "trie"), p.ForExchange("x"), defaults(t), resource)
	if err != nil || x.Alternate != "a" || x.Matcher.Name != "trie" {
		t.Errorf("%+v, %v, want what the arguments say", x, err)
	}
}

func TestParseDefinition(t *testing.T) {
	got := definition(t, `{"b":[1,"x",true,null,1.5,1e2],"a":{"c":{}},"n":99999999999999999999}`)
	want := wire.Table{{Key: "b", Value: []any{int64(1), "x", true, nil, 1.5, 100.0}},
		{Key: "a", Value: wire.Table{{Key: "c", Value: wire.Table{}}}}, {Key: "n", Value: int64(1<<63 - 1)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("- want, + got\n%s", diff)
	}
	for _, bad := range []string{``, `[]`, `1`, `{`, `{}x`, `{"a":1,"a":2}`, `{"a":[[[[1]]]]}`, `{"a":1e999}`, `{"` + strings.Repeat("x", 256) + `":1}`} {
		if d, err := ParseDefinition([]byte(bad)); err == nil {
			t.Errorf("%q is read as %v", bad, d)
		}
	}
}

// FuzzPolicy reads definitions. One that a policy accepts makes settings of queues and
// exchanges, survives the store, and never raises a limit that an operator has set.
func FuzzPolicy(f *testing.F) {
	f.Add(`{"max-length":3,"message-ttl":60000,"dead-letter-exchange":""}`, "^q", `{"max-length":2}`)
	f.Add(`{"dispatch":"fair","order":"drr","drr-weights":{"a":2},"fair-key":"header:tenant"}`, "", `{"expires":1}`)
	f.Add(`{"ha-mode":"nodes","ha-params":["a"]}`, "(", `{"overflow":"drop-head"}`)
	f.Add(`{"overflow":"reject-publish-dlx","delivery-limit":9999999999999999999}`, "q$", `{"delivery-limit":0}`)
	f.Fuzz(func(t *testing.T, user, pattern, operator string) {
		var p Policies
		for kind, text := range []string{user, operator} {
			d, err := ParseDefinition([]byte(text))
			if err != nil {
				continue
			}
			next, err := p.With(PolicyKind(kind), Policy{Name: "p", Pattern: pattern, Definition: d})
			if err != nil {
				continue
			}
			p = next
		}
		for of := range typeNames {
			applied := p.ForQueue("q", of == quorum)
			s, err := ForQueue(ofType(of, args("x-max-length", int32(100))), applied, defaults(t), resource)
			if err != nil {
				t.Fatalf("%s under %+v: %v", typeNames[of], applied, err)
			}
			if limit, ok := applied.Settings().Get("max-length"); ok {
				if n, _ := wire.Integer(limit); s.Limits.MaxLength != min(n, 100) {
					t.Errorf("length %d under %+v, want at most 100", s.Limits.MaxLength, applied)
				}
			}
			stored, _, err := wire.ParseTable(wire.AppendTable(nil, applied.Settings()))
			if err != nil || !applied.Equal(applied) || applied != nil && !applied.Equal(&Applied{applied.Policy, applied.Operator, stored}) {
				t.Errorf("%+v is stored as %v, %v", applied, stored, err)
			}
		}
		if _, err := ForExchange("topic", nil, p.ForExchange("q"), defaults(t), resource); err != nil {
			t.Error(err)
		}
	})
}
