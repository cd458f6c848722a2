package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"harelab/engine/dispatch"
	"harelab/engine/topic"
	"harelab/engine/wire"
)

// A policySetting is one setting in the definition of a policy.
type policySetting struct {
	name     string
	operator bool       // operator policies may have it too
	refused  queueTypes // a policy with this setting does not apply to queues of these types (capabilities/0 of their modules)

	// check returns the problem with a value, as RabbitMQ words it, or "".
	check func(name string, v any) (problem string)
}

// policySettings are the settings of RabbitMQ's policies (rabbit_policies,
// rabbit_mirror_queue_misc, rabbit_queue_location_validator), and after them this broker's
// own. RabbitMQ checks them in alphabetical order.
var policySettings = []policySetting{
	{"alternate-exchange", false, 0, str("alternate exchange name")},
	{"dead-letter-exchange", false, 0, str("dead letter exchange name")},
	{"dead-letter-routing-key", false, 0, checkPolicyDeadLetterKey},
	{"dead-letter-strategy", false, classic, words("dead letter strategy", "at-most-once", "at-least-once")},
	{"delivery-limit", true, classic, from(0, "delivery limit")},
	{"expires", true, 0, from(1, "queue expiry")},
	{"initial-cluster-size", false, both, from(0, "cluster size")},
	{"max-age", false, both, checkMaxAge},
	{"max-in-memory-bytes", true, 0, from(0, "maximum memory in bytes")},
	{"max-in-memory-length", true, 0, from(0, "maximum memory in bytes")},
	{"max-length", true, 0, from(0, "maximum length")},
	{"max-length-bytes", true, 0, from(0, "maximum length in bytes")},
	{"message-ttl", true, 0, from(0, "message TTL")},
	{"overflow", false, 0, words("overflow value", "drop-head", "reject-publish", "reject-publish-dlx")},
	{"queue-leader-locator", false, classic, words("queue leader locator value", "client-local", "balanced", "random", "least-leaders")},
	{"queue-mode", false, quorum, words("queue-mode value", "default", "lazy")},
	{"queue-version", false, 0, checkQueueVersion},
	{"stream-max-segment-size-bytes", false, both, checkSegmentSize},

	{"ha-mode", false, quorum, nil}, // checkMirroring checks all of ha-
	{"ha-params", false, quorum, nil},
	{"ha-sync-mode", false, quorum, nil},
	{"ha-sync-batch-size", false, 0, nil},
	{"ha-promote-on-shutdown", false, quorum, nil},
	{"ha-promote-on-failure", false, quorum, nil},

	{"queue-master-locator", false, quorum, checkMasterLocator},

	{"aging-us", false, 0, asArgument},
	{"consumer-timeout", true, 0, from(1, "consumer timeout")},
	{"dispatch", false, 0, asArgument},
	{"dispatch-seed", false, 0, asArgument},
	{"drr-cost", false, 0, asArgument},
	{"drr-quantum", false, 0, asArgument},
	{"drr-weights", false, 0, asArgument},
	{"fair-key", false, 0, asArgument},
	{"matcher", false, 0, checkMatcher},
	{"order", false, 0, asArgument},
}

// PolicySettings returns the names of the settings that policies of a kind may have.
func PolicySettings(kind PolicyKind) []string {
	var names []string
	for _, s := range policySettings {
		if kind == UserPolicy || s.operator {
			names = append(names, s.name)
		}
	}
	return names
}

// policySettingNamed returns the entry of policySettings for a name, or nil.
func policySettingNamed(name string) *policySetting {
	for i := range policySettings {
		if policySettings[i].name == name {
			return &policySettings[i]
		}
	}
	return nil
}

// checkDefinition returns the first problem with a definition, which is sorted, or "". As
// in RabbitMQ, problems with known settings come before unknown settings.
func checkDefinition(kind PolicyKind, d wire.Table) (problem string) {
	if len(d) == 0 {
		return "no policy provided"
	}
	var unknown []string
	for i, f := range d {
		s := policySettingNamed(f.Key)
		if i > 0 && d[i-1].Key == f.Key {
			return fmt.Sprintf("[%s] duplicate keys not allowed", policyTerm(f.Key))
		}
		switch {
		case s == nil || kind == OperatorPolicy && !s.operator:
			unknown = append(unknown, fmt.Sprintf("{%s,%s}", policyTerm(f.Key), policyTerm(f.Value)))
		case problem == "" && s.check != nil:
			problem = s.check(f.Key, f.Value)
		}
	}
	if problem == "" && kind == UserPolicy {
		problem = checkMirroring(d)
	}
	if problem == "" && unknown != nil {
		problem = fmt.Sprintf("[%s] are not recognised policy settings", strings.Join(unknown, ","))
	}
	return problem
}

// policyTerm formats a value as RabbitMQ prints values from JSON.
func policyTerm(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case []any:
		terms := make([]string, len(v))
		for i, e := range v {
			terms[i] = policyTerm(e)
		}
		return "[" + strings.Join(terms, ",") + "]"
	case wire.Table:
		terms := make([]string, len(v))
		for i, f := range v {
			terms[i] = policyTerm(f.Key) + " => " + policyTerm(f.Value)
		}
		return "#{" + strings.Join(terms, ",") + "}"
	}
	return wire.Term(v)
}

type policyCheck = func(name string, v any) string

func notValid(v any, what string) string {
	return fmt.Sprintf("%s is not a valid %s", policyTerm(v), what)
}

// from accepts integers from least on.
func from(least int64, what string) policyCheck {
	return func(_ string, v any) string {
		if n, ok := wire.Integer(v); ok && n >= least {
			return ""
		}
		return notValid(v, what)
	}
}

func str(what string) policyCheck {
	return func(_ string, v any) string {
		if _, ok := v.(string); ok {
			return ""
		}
		return notValid(v, what)
	}
}

// words accepts one of some texts.
func words(what string, accepted ...string) policyCheck {
	return func(_ string, v any) string {
		if s, ok := v.(string); ok && slices.Contains(accepted, s) {
			return ""
		}
		return notValid(v, what)
	}
}

// checkPolicyDeadLetterKey also refuses keys that are too long for a message, which
// RabbitMQ accepts and cannot deliver with.
func checkPolicyDeadLetterKey(_ string, v any) string {
	if s, ok := v.(string); ok && len(s) <= wire.MaxShortString {
		return ""
	}
	return notValid(v, "dead letter routing key")
}

// checkMaxAge accepts a number and a unit (rabbit_amqqueue, check_max_age/1).
func checkMaxAge(_ string, v any) string {
	s, _ := v.(string)
	digits := strings.TrimRight(s, "YMDhms")
	if n, err := strconv.ParseUint(digits, 10, 64); err != nil || n == 0 || len(s) != len(digits)+1 {
		return notValid(v, "max age")
	}
	return ""
}

func checkQueueVersion(_ string, v any) string {
	if n, ok := wire.Integer(v); ok && (n == 1 || n == 2) {
		return ""
	}
	return notValid(v, "queue-version value")
}

func checkSegmentSize(_ string, v any) string {
	if n, ok := wire.Integer(v); ok && n >= 0 && n <= 3_000_000_000 {
		return ""
	}
	return notValid(v, "segment size")
}

func checkMasterLocator(_ string, v any) string {
	if s, ok := v.(string); ok && slices.Contains([]string{"min-masters", "client-local", "random"}, s) {
		return ""
	}
	return fmt.Sprintf("%s invalid queue-master-locator value", policyTerm(v))
}

func checkMatcher(name string, v any) string {
	s, ok := v.(string)
	if !ok {
		return notValid(v, name)
	}
	if _, err := topic.Lookup(s); err != nil {
		return fmt.Sprintf("%s: %v", notValid(v, name), err)
	}
	return ""
}

// asArgument checks a setting as the argument of queue.declare that it stands for.
func asArgument(name string, v any) string {
	s, names := new(Queue), strategyNames{selector: dispatch.DefaultSelector, order: dispatch.DefaultOrder}
	problem := argumentNamed("x-"+name).read(s, &names, v, nil)
	if problem == "" {
		_, problem = s.lookUp(names)
	}
	if problem != "" {
		return fmt.Sprintf("%s: %s", notValid(v, name), problem)
	}
	return ""
}

// checkMirroring checks the settings of mirrored queues, which have no effect here
// (rabbit_mirror_queue_misc, validate_policy/1).
func checkMirroring(d wire.Table) string {
	mode, hasMode := d.Get("ha-mode")
	get := func(name string) (any, bool) { return d.Get("ha-" + name) }
	params, hasParams := get("params")
	syncMode, hasSyncMode := get("sync-mode")
	size, hasSize := get("sync-batch-size")
	shutdown, hasShutdown := get("promote-on-shutdown")
	failure, hasFailure := get("promote-on-failure")
	if !hasMode {
		if hasParams || hasSyncMode || hasSize || hasShutdown || hasFailure {
			return "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown"
		}
		return ""
	}
	if problem := checkMirrors(mode, params, hasParams); problem != "" {
		return problem
	}
	if hasSyncMode && syncMode != "automatic" && syncMode != "manual" {
		return fmt.Sprintf(`ha-sync-mode must be "manual" or "automatic", got %s`, policyTerm(syncMode))
	}
	if n, ok := wire.Integer(size); hasSize && (!ok || n <= 0) {
		return fmt.Sprintf("ha-sync-batch-size takes an integer greater than 0, %s given", policyTerm(size))
	}
	if hasShutdown && shutdown != "always" && shutdown != "when-synced" {
		return fmt.Sprintf(`ha-promote-on-shutdown must be "always" or "when-synced", got %s`, policyTerm(shutdown))
	}
	if hasFailure && failure != "always" && failure != "when-synced" {
		return fmt.Sprintf(`ha-promote-on-failure must be "always" or "when-synced", got %s`, policyTerm(failure))
	}
	return ""
}

// checkMirrors checks ha-mode and ha-params (rabbit_mirror_queue_mode_all, _exactly,
// _nodes).
func checkMirrors(mode, params any, has bool) string {
	given := "none"
	if has {
		given = policyTerm(params)
	}
	switch mode {
	case "all":
		if has {
			return `ha-mode="all" does not take parameters`
		}
	case "exactly":
		if n, ok := wire.Integer(params); !ok || n <= 0 {
			return fmt.Sprintf(`ha-mode="exactly" takes an integer, %s given`, given)
		}
	case "nodes":
		list, ok := params.([]any)
		switch {
		case !ok:
			return fmt.Sprintf(`ha-mode="nodes" takes a list, %s given`, given)
		case len(list) == 0:
			return `ha-mode="nodes" list must be non-empty`
		}
		var wrong []any
		for _, node := range list {
			if _, ok := node.(string); !ok {
				wrong = append(wrong, node)
			}
		}
		if wrong != nil {
			return fmt.Sprintf(`ha-mode="nodes" takes a list of strings, %s was not a string`, policyTerm(wrong))
		}
	default:
		return fmt.Sprintf("%s is not a valid ha-mode value", policyTerm(mode))
	}
	return ""
}

// ParseDefinition reads the definition of a policy from JSON, as the HTTP API and
// definition files have it. Integers become int64; those beyond it the nearest one.
//
// Errors: text that is not one JSON object; a name that occurs twice in an object.
func ParseDefinition(text []byte) (wire.Table, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decodeValue(d)
	if err != nil {
		return nil, fmt.Errorf("settings: definition: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("settings: definition: text goes on after the object")
	}
	t, ok := v.(wire.Table)
	if !ok {
		return nil, fmt.Errorf("settings: definition %.40s is not a JSON object", text)
	}
	return t, nil
}

// decodeValue reads one JSON value. The decoder bounds the depth of objects and arrays
// only for whole values, so that depth is bounded here.
func decodeValue(d *json.Decoder) (any, error) { return decodeAt(d, 0) }

// maxDepth is the depth of a definition's values: a list of nodes, or weights by tenant,
// are the deepest ones that make sense.
const maxDepth = 4

func decodeAt(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Number:
		return number64(token)
	case json.Delim:
		if depth == maxDepth {
			return nil, fmt.Errorf("deeper than %d levels", maxDepth)
		}
		if token == '[' {
			return decodeArray(d, depth)
		}
		return decodeObject(d, depth)
	}
	return token, nil // a text, a bool or nil
}

func decodeArray(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := decodeAt(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func decodeObject(d *json.Decoder, depth int) (any, error) {
	table := wire.Table{}
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string) // the decoder refuses other names
		v, err := decodeAt(d, depth+1)
		switch {
		case err != nil:
			return nil, err
		case seen[name]:
			return nil, fmt.Errorf("%q occurs twice", name)
		case len(name) > wire.MaxShortString:
			return nil, fmt.Errorf("name of %d octets, want at most %d", len(name), wire.MaxShortString)
		}
		seen[name] = true
		table = append(table, wire.Field{Key: name, Value: v})
	}
	_, err := d.Token()
	return table, err
}

// number64 returns a JSON number as Erlang reads it: an integer unless it has a fraction
// or an exponent.
func number64(n json.Number) (any, error) {
	if strings.ContainsAny(n.String(), ".eE") {
		return n.Float64()
	}
	whole, err := n.Int64()
	if errors.Is(err, strconv.ErrRange) { // whole is the nearest one
		return whole, nil
	}
	return whole, err
}
