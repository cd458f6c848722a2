package page

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/folder"
	"harelab/reports/internal/specimen"
)

var (
	shoot  = flag.String("shoot", "", "write the pages of the specimens to this folder")
	update = flag.Bool("update", false, "rewrite the golden files")
)

func pages() map[string]*folder.Folder {
	both := specimen.Arms()
	for _, r := range specimen.Arms() {
		both = append(both, specimen.Measured(r))
	}
	late := specimen.Measured(specimen.CeleryInitial())
	late.Findings = []run.Finding{{Code: "late-generator", Text: "The generator sent up to 1.2 s after the intended time (99th percentile 0.9 s, allowed 1 ms).", Invalid: true}}
	m := folder.Manifest{Go: "go1.26"}
	return map[string]*folder.Folder{
		"one":     folder.New(arms.Summarize(specimen.CeleryInitial()), m),
		"arms":    folder.New(arms.Summarize(specimen.Arms()...), m),
		"both":    folder.New(arms.Summarize(both...), m),
		"foreign": folder.New(arms.Summarize(specimen.CeleryInitial(), specimen.Measured(specimen.CeleryInitial()), specimen.Foreign(specimen.CeleryInitial())), m),
		"tenants": folder.New(arms.Summarize(specimen.Tenants(4000)), m),
		"invalid": folder.New(arms.Summarize(late), m),
	}
}

func TestShoot(t *testing.T) {
	if *shoot == "" {
		t.Skip("no -shoot folder")
	}
	for name, f := range pages() {
		out, err := os.Create(filepath.Join(*shoot, name+".html"))
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteHTML(out, f); err != nil {
			t.Fatal(err)
		}
		out.Close()
	}
}
