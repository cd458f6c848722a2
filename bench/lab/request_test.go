package lab

import (
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for _, c := range []struct {
		in, name, fault string
	}{
		{in: "sim", name: "sim"},
		{in: "embedded", name: "embedded"},
		{in: "amqp://bob:secret@rabbit:5673/lab", name: "amqp://rabbit:5673/lab"},
		{in: "amqps://bob:secret@rabbit/", name: "amqps://rabbit/"},
		{in: "rabbit", fault: `unknown target "rabbit" (have sim, embedded, amqp://`},
		{in: "amqp://bob:secret@rabbit:port/", fault: `target "amqp://rabbit:port/"`},
		{in: "http://bob:secret@rabbit/", fault: `unknown target "http://rabbit/"`},
	} {
		got, err := ParseTarget(c.in)
		switch {
		case c.fault == "" && err != nil:
			t.Errorf("ParseTarget(%q): %v", c.in, err)
		case c.fault == "" && got.String() != c.name:
			t.Errorf("ParseTarget(%q) is called %q, want %q", c.in, got, c.name)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("ParseTarget(%q): %v, want %q", c.in, err, c.fault)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("ParseTarget(%q) shows the password: %v", c.in, err)
		}
		if err != nil && !IsUsage(err) {
			t.Errorf("ParseTarget(%q): %v is not a usage error", c.in, err)
		}
	}
}

// names lists the arms as "scenario/variant@target#repeat seed".
func names(arms []Arm) string {
	var b strings.Builder
	for _, a := range arms {
		b.WriteString(a.Name() + "@" + a.Target.String())
		if a.Repeat > 0 {
			b.WriteString("#2")
		}
		b.WriteString(" ")
	}
	return strings.TrimSpace(b.String())
}

func TestExpandGroupsByTarget(t *testing.T) {
	both := []Target{{Kind: Sim}, {Kind: Embedded}}
	for _, c := range []struct {
		name string
		q    Request
		want string
	}{
		{"all variants by default", Request{Scenarios: []string{"celery-optimized"}, Targets: both[:1], Repeat: 1},
			"celery-optimized@sim celery-optimized/same-load@sim celery-optimized/same-load-fair@sim"},
		{"a prediction is complete before a measurement begins",
			Request{Scenarios: []string{"celery-initial", "celery-optimized"}, Variants: []string{"base"}, Targets: both, Repeat: 1},
			"celery-initial@sim celery-optimized@sim celery-initial@embedded celery-optimized@embedded"},
		{"a scenario without variants always takes part",
			Request{Scenarios: []string{"celery-initial", "celery-optimized"}, Variants: []string{"same-load-fair"}, Targets: both[:1], Repeat: 1},
			"celery-initial@sim celery-optimized/same-load-fair@sim"},
		{"repeats", Request{Scenarios: []string{"celery-initial"}, Targets: both[:1], Repeat: 2},
			"celery-initial@sim celery-initial@sim#2"},
	} {
		arms, err := Expand(c.q)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := names(arms); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestRepeatsDrawOtherNumbersButTheSameOnEveryTarget(t *testing.T) {
	arms, err := Expand(Request{Scenarios: []string{"celery-initial"}, Repeat: 2,
		Targets: []Target{{Kind: Sim}, {Kind: Embedded}}})
	if err != nil {
		t.Fatal(err)
	}
	seeds := make([]uint64, len(arms))
	for i, a := range arms {
		seeds[i] = a.Scenario.Seed
	}
	if len(seeds) != 4 || seeds[0] == seeds[1] || seeds[0] != seeds[2] || seeds[1] != seeds[3] {
		t.Errorf("seeds %v, want two different ones, the same on both targets", seeds)
	}
}
