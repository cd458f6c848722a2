package reports

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/folder"
	"harelab/reports/internal/specimen"
)

func all() []*run.Result {
	var rs []*run.Result
	rs = append(rs, specimen.Arms()...)
	for _, r := range specimen.Arms() {
		rs = append(rs, specimen.Measured(r))
	}
	return append(rs, specimen.Foreign(specimen.CeleryInitial()), specimen.Tenants(300))
}

// TestRedrawGivesTheSameBytes: a folder's data is enough to draw all its charts and
// pages again.
func TestRedrawGivesTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, folder.New(arms.Summarize(all()...), folder.NewManifest([]string{"harelab", "run", "--target", "sim"}))); err != nil {
		t.Fatal(err)
	}
	before := specimen.Files(t, dir)
	for name := range before {
		if strings.HasPrefix(name, "report") || strings.HasPrefix(name, "plots") {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := Redraw(dir); err != nil {
		t.Fatal(err)
	}
	after := specimen.Files(t, dir)
	requestsIn(t, before["report.html"])
	for name := range before {
		if before[name] != after[name] {
			t.Errorf("%s differs after a redraw: %s", name, cmp.Diff(before[name], after[name]))
		}
	}
	if before["report.html"] == "" || before["report.md"] == "" || before["plots/lanes.svg"] == "" || before["plots/lanes.png"] == "" {
		t.Error("report.html, report.md, plots/lanes.svg or .png is missing")
	}
}

// requestsIn fails the test if a browser that shows the page would make a request.
func requestsIn(t *testing.T, html string) {
	t.Helper()
	html = strings.ReplaceAll(html, `href="#`, "") // a place in the page itself
	// Each of these makes a browser fetch something. The SVG namespace does not: it is
	// a name that looks like an address.
	requests := regexp.MustCompile(`(?i)(src|href|action)=|url\(|@import|<(img|link|iframe|object)|fetch\(|XMLHttpRequest`)
	if m := requests.FindString(html); m != "" {
		t.Errorf("the page holds %q", m)
	}
	if n := len(html); n > 500_000 {
		t.Errorf("the page is %d bytes", n)
	}
}

func TestWriteWantsResults(t *testing.T) {
	if err := Write(t.TempDir(), new(folder.Folder)); err == nil {
		t.Error("a folder without results was written")
	}
}
