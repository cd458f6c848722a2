package plot

import (
	"flag"
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
	}
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
