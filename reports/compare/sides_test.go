package compare

import (
	"slices"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/internal/specimen"
	"harelab/reports/stat"
)

// on returns a specimen's run on a foreign broker at this address.
func on(address string) *run.Result {
	r := specimen.Foreign(specimen.CeleryInitial())
	r.Target.URL = address
	return r
}

// TestFoldersWithOtherArms: folders with different numbers of arms are compared in the
// arms that both have.
func TestFoldersWithOtherArms(t *testing.T) {
	initial, split := specimen.CeleryInitial(), specimen.CeleryOptimized("same-load", 40, 4, false)
	for _, tt := range []struct {
		name      string
		base, new []*stat.Summary
		arms      []string // that are compared
		notes     []string
	}{
		{"one and both", virtual(initial), virtual(initial, split), []string{"celery-initial on sim"},
			[]string{"celery-optimized/same-load on sim is not compared: base does not have it"}},
		{"both and one", virtual(initial, split), virtual(split), []string{"celery-optimized/same-load on sim"},
			[]string{"celery-initial on sim is not compared: new does not have it"}},
		{"one of two brokers", virtual(on("amqp://two/")), virtual(on("amqp://one/"), on("amqp://two/")),
			[]string{"celery-initial on RabbitMQ 3.10.8 amqp://two/"},
			[]string{"celery-initial on RabbitMQ 3.10.8 amqp://one/ is not compared: base does not have it"}},
		{"one and another", virtual(initial), virtual(split), []string{""}, nil},
	} {
		sides, err := Sides([]string{"base", "new"}, [][]*stat.Summary{tt.base, tt.new}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := Compare(sides[0], sides[1])
		var compared []string
		for _, r := range c.Rows {
			if !slices.Contains(compared, r.Key.Arm) {
				compared = append(compared, r.Key.Arm)
			}
		}
		if !slices.Equal(compared, tt.arms) {
			t.Errorf("%s: compares %q, want %q", tt.name, compared, tt.arms)
		}
		for _, n := range tt.notes {
			if !slices.Contains(c.Warnings, n) {
				t.Errorf("%s: warnings %q, want %q", tt.name, c.Warnings, n)
			}
		}
		results, err := Gate(tt.base, tt.new, []GateRule{rule(t, "wait.max +5%")})
		if err != nil || len(results) != len(tt.arms) {
			t.Errorf("%s: gate %v, %v, want a result for each of %q", tt.name, results, err, tt.arms)
		}
	}
	_, err := Gate(virtual(initial, split), virtual(specimen.Tenants(10)), nil)
	if want := "no arm in common: celery-initial on sim and celery-optimized/same-load on sim in the base, "; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestAPredictionStaysExact: a run in virtual time is exact, also beside a measured one.
func TestAPredictionStaysExact(t *testing.T) {
	ss := virtual(specimen.CeleryInitial(), specimen.Measured(specimen.CeleryInitial()))
	s := side(t, "s", ss, wait)
	if k := s.Keys; len(k) != 2 || !s.Exact[k[0]] || s.Exact[k[1]] {
		t.Errorf("exact %v of %v, want the first only", s.Exact, k)
	}
}

func rule(t *testing.T, text string) GateRule {
	t.Helper()
	r, err := ParseGateRule(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
