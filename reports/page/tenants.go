package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"harelab/reports/arms"
	"harelab/reports/judge"
	"harelab/reports/stat"
	"harelab/scenarios/metric"
)

// maxTenants is the number of tenants of an arm that the table has: of more, the
// one with the most work and those whose messages wait longest.
const maxTenants = 12

// tenantTables returns a table of every tenant of every arm with several tenants, or
// none if there is no such arm.
func tenantTables(in *arms.Set) []tableView {
	var rows [][]cell
	note := "Work: the tenant's share of all the work asked for. Slots: its share of the time in which slots were busy. With fair dispatch, a tenant that asks for little waits little."
	cut := false
	for _, a := range in.Arms {
		if len(a.First().Result.Tenants) < 2 {
			continue
		}
		work, busy := tenantTime(a.First())
		names := slices.Clone(a.First().Result.Tenants)
		if len(names) > maxTenants {
			cut = true
			slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(work[y], work[x]) })
			slices.SortStableFunc(names[1:], func(x, y string) int {
				return cmp.Compare(wait(a, "p99", y), wait(a, "p99", x))
			})
			names = names[:maxTenants]
		}
		for _, name := range names {
			row := []cell{
				{Text: armLabel(a), Letter: a.Letter, Style: armStyle(a), Head: true},
				{Text: name, Head: true},
				figureCell(wait(a, "n", name), func(v float64) string { return stat.Count(int(v)) }),
				figureCell(work[name], stat.Percent),
				figureCell(busy[name], stat.Percent),
			}
			for _, s := range []string{"mean", "p50", "p95", "p99", "max"} {
				row = append(row, figureCell(wait(a, s, name), stat.Brief))
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if cut {
		note += fmt.Sprintf(" Of each run these are the tenant with the most work and the %d whose messages wait longest.", maxTenants-1)
	}
	columns := []string{"run", "tenant", "n", "work", "slots", "wait mean", "p50", "p95", "p99", "max"}
	return []tableView{{Title: "Every tenant", Note: note, Figures: newTable(columns, rows)}}
}

// armLabel names an arm in a table, with the number of its repeats.
func armLabel(a *arms.Arm) string {
	if n := len(a.Runs); n > 1 {
		return fmt.Sprintf("%s (median of %d)", a.Label, n)
	}
	return a.Label
}

// wait returns a statistic of a tenant's waits, the median over an arm's repeats. It
// is NaN if no message of the tenant was started.
func wait(a *arms.Arm, statistic, tenant string) float64 {
	q := metric.Query{Metric: "wait", Stat: statistic, Labels: []metric.Label{{Key: "tenant", Value: tenant}}}
	return judge.Over(arms.Summaries(a.Runs), func(s *stat.Summary) float64 {
		v, err := s.Ask(q)
		if err != nil {
			return math.NaN()
		}
		return v
	}).Center
}

// tenantTime returns each tenant's share of the work that a run asked for, and of the
// time in which its slots were busy.
func tenantTime(r *arms.Run) (work, busy map[string]float64) {
	work, busy = make(map[string]float64), make(map[string]float64)
	var asked, spent float64
	for i := range r.Result.Messages {
		if m := &r.Result.Messages[i]; m.Tenant >= 0 {
			work[r.Result.Tenants[m.Tenant]] += float64(m.Service)
			asked += float64(m.Service)
		}
	}
	for _, s := range r.Result.Spans {
		if i := int(s.Seq); i < len(r.Result.Messages) && r.Result.Messages[i].Seq == s.Seq && r.Result.Messages[i].Tenant >= 0 {
			busy[r.Result.Tenants[r.Result.Messages[i].Tenant]] += float64(s.End - s.Start)
			spent += float64(s.End - s.Start)
		}
	}
	for _, name := range r.Result.Tenants {
		work[name] /= max(asked, 1)
		busy[name] /= max(spent, 1)
	}
	return work, busy
}
