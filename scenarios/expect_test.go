package scenarios

import (
	"slices"
	"strings"
	"testing"
)

// TestScopeIsWhatCanBe: labels may name workers and queues as count expands them,
// and every tenant that a template, its keys and the phases that fix one can make.
func TestScopeIsWhatCanBe(t *testing.T) {
	const counted = `schema: harelab/v1
name: counted
params: {n: 3}
topology: {queues: [{name: "q-{i}", count: 2}, {name: back}]}
classes:
  - {name: a, publish: {exchange: "", key: back}, keys: {tenant: {dist: uniform, values: [x, y]}}, service: 1ms}
  - {name: b, publish: {exchange: "", key: back, tenant: "{class}-{zone}"}, keys: {zone: {dist: zipf, n: 2, prefix: z}}, service: 1ms}
  - {name: c, publish: {exchange: "", key: back}, service: 1ms}
load:
  - {sequence: s, phases: [{class: a, model: burst, count: 1, fix: {tenant: noisy}}]}
workers:
  - {name: w, count: =n, consume: [{queue: back}]}
`
	f, err := Parse("t.yaml", []byte(counted))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := s.Scope()
	for what, c := range map[string]struct{ got, want []string }{
		"classes": {got.Classes, []string{"a", "b", "c"}},
		"tenants": {got.Tenants, []string{"x", "y", "noisy", "b-z0", "b-z1"}},
		"queues":  {got.Queues, []string{"q-0", "q-1", "back"}},
		"workers": {got.Workers, []string{"w-1", "w-2", "w-3"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s %q, want %q", what, c.got, c.want)
		}
	}
	many, err := Parse("t.yaml", []byte(strings.Replace(counted, "n: 2, prefix", "n: 20000, prefix", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if s, err = many.Resolve(Options{}); err != nil || s.Scope().Tenants != nil {
		t.Errorf("20,000 tenants are listed (error %v), want them not known", err)
	}
}
