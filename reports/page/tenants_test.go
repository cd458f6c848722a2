package page

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/folder"
	"harelab/reports/internal/specimen"
)

// TestTenantsHaveATable: every tenant of a run with several has a row, with its share
// of the work asked for and of the slots, and its waits.
func TestTenantsHaveATable(t *testing.T) {
	r := specimen.Tenants(4000)
	in := arms.NewSet(arms.Summarize(r))
	tables := tenantTables(in)
	if len(tables) != 1 || len(tables[0].Figures.Rows) != 3 {
		t.Fatalf("%+v", tables)
	}
	var work, busy, n float64
	for _, row := range tables[0].Figures.Rows {
		if len(row) != 10 || row[6].Text == "not visible" {
			t.Errorf("row %+v", row)
		}
		n += parse(t, row[2].Sort)
		work += parse(t, row[3].Sort)
		busy += parse(t, row[4].Sort)
	}
	if n != 4000 || work < 0.999 || work > 1.001 || busy < 0.999 || busy > 1.001 {
		t.Errorf("%v messages, %v of the work, %v of the slots", n, work, busy)
	}
	if got := tenantTables(arms.NewSet(arms.Summarize(specimen.CeleryInitial()))); got != nil {
		t.Errorf("a run without tenants: %+v", got)
	}
}

// TestManyTenants: the table has the tenant with the most work and those that wait
// longest, and says so.
func TestManyTenants(t *testing.T) {
	r := specimen.Tenants(4000)
	for i := range 40 {
		r.Tenants = append(r.Tenants, string(rune('A'+i)))
	}
	for i := range r.Messages {
		if i%2 == 0 {
			r.Messages[i].Tenant = int32(i % len(r.Tenants))
		} else {
			r.Messages[i].Tenant = 2 // noisy
		}
	}
	table := tenantTables(arms.NewSet(arms.Summarize(r)))[0]
	if rows := table.Figures.Rows; len(rows) != maxTenants || rows[0][1].Text != "noisy" {
		t.Errorf("%d rows, the first of %s", len(rows), rows[0][1].Text)
	}
	if !strings.HasSuffix(table.Note, "Of each run these are the tenant with the most work and the 11 whose messages wait longest.") {
		t.Errorf("note %q", table.Note)
	}
}

// TestChartsOfNothing: a page names the charts that it leaves out, and has no axis
// without a range.
func TestChartsOfNothing(t *testing.T) {
	r := &run.Result{Scenario: "empty", Target: run.Target{Kind: "sim"}, Classes: []string{"job"}, Queues: []string{"q"},
		Workers: []run.Worker{{Name: "w", Slots: 1, Queues: []string{"q"}}}}
	var b bytes.Buffer
	if err := WriteHTML(&b, folder.New(arms.Summarize(r), folder.Manifest{})); err != nil {
		t.Fatal(err)
	}
	want := "No message was finished, so these charts are left out: Who worked on what, when; Finished over time; Wait by percentile; Where the time goes; Queue depth over time."
	if !strings.Contains(b.String(), want) || strings.Contains(b.String(), "<svg viewBox") {
		t.Errorf("the page of an empty run: %s", b.String())
	}
}

func parse(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestMarksNeedNoFont: the marks for what holds and what does not are drawn.
func TestMarksNeedNoFont(t *testing.T) {
	var b bytes.Buffer
	if err := WriteHTML(&b, pages()["both"]); err != nil {
		t.Fatal(err)
	}
	if page := b.String(); strings.ContainsAny(page, "✓✗") || !strings.Contains(page, `aria-label="yes"`) {
		t.Error("the page has marks that are missing from many fonts")
	}
}
