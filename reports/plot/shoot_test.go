package plot

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
)

var (
	shoot  = flag.String("shoot", "", "write every chart of the specimens as PNG to this folder")
	update = flag.Bool("update", false, "rewrite the golden files")
)

func parseFloat(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func inputOf(rs ...*run.Result) *arms.Set { return arms.NewSet(arms.Summarize(rs...)) }

func both() []*run.Result {
	var out []*run.Result
	for _, r := range specimen.Arms() {
		out = append(out, r, specimen.Measured(r))
	}
	return out
}

func inputs() map[string]*arms.Set {
	return map[string]*arms.Set{
		"one":     inputOf(specimen.CeleryInitial()),
		"arms":    inputOf(specimen.Arms()...),
		"both":    inputOf(both()...),
		"foreign": inputOf(specimen.CeleryInitial(), specimen.Measured(specimen.CeleryInitial()), specimen.Foreign(specimen.CeleryInitial())),
		"tenants": inputOf(specimen.Tenants(4000)),
		"outages": inputOf(outages()...),
		"names":   inputOf(longNames()...),
	}
}

// outages are two runs with an outage and with workers that are away. The second has
// nine tenants.
func outages() []*run.Result {
	a, b := specimen.Tenants(4000), specimen.Tenants(4000)
	b.Variant, b.Title = "many", "Nine tenants"
	for i := range 6 {
		b.Tenants = append(b.Tenants, fmt.Sprint("tenant-", i+4))
	}
	for i := range b.Messages {
		b.Messages[i].Tenant = int32(i % 9)
	}
	for _, r := range []*run.Result{a, b} {
		r.Outages = []run.Outage{{From: 4e6, To: 8e6, What: "all work fails"}}
		r.Workers[0].Away = []run.Absence{{From: 0, To: 2e6}}
		r.Workers[2].Away = []run.Absence{{From: 15e6, To: math.MaxInt64}}
	}
	return []*run.Result{a, b}
}

// longNames are eight runs without a headline, with long names of everything.
func longNames() (out []*run.Result) {
	for i := range 8 {
		r := specimen.CeleryInitial()
		r.Headline, r.Expect = "", nil
		r.Variant = fmt.Sprint("prefetch=100 dispatch=round-robin-", i)
		r.Title = "A title that tells what this variant is about, and takes its time, number " + fmt.Sprint(i)
		r.Workers[0].Name = "worker-with-a-long-name@some-machine"
		r.Classes = []string{"app.tasks.reports.generate_everything", "app.tasks.mail.send_one_message"}
		out = append(out, r)
	}
	return out
}

func TestShoot(t *testing.T) {
	if *shoot == "" {
		t.Skip("no -shoot folder")
	}
	for name, in := range inputs() {
		for _, c := range Charts() {
			for width, w := range map[float64]string{Wide: "wide", Narrow: "narrow"} {
				f := c.Draw(in, width)
				if f == nil {
					continue
				}
				png, err := f.PNG()
				if err != nil {
					t.Fatal(err)
				}
				base := filepath.Join(*shoot, c.Name+"-"+name+"-"+w)
				os.WriteFile(base+".png", png, 0o666)
				os.WriteFile(base+".svg", f.SVG(), 0o666)
			}
		}
	}
}
