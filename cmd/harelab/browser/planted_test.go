//go:build browser

package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlantedFaultsAreSeen plants one fault on a clean page at a time. The checks
// must tell that one and no other.
func TestPlantedFaultsAreSeen(t *testing.T) {
	const chart = `<svg viewBox="0 0 300 60" width="300" height="60" font-size="11">`
	cases := []struct {
		kind, page string
		look       look
	}{
		{"", `<p>Words.</p><div style="overflow-x:auto"><pre style="width:3000px">Meant to scroll.</pre></div>`, looks[0]},
		{"sideways", `<div style="width:1300px">Wide.</div>`, looks[0]},
		{"sideways", `<div style="width:400px">Wide.</div>`, looks[2]},
		{"cut", `<table style="table-layout:fixed;width:90px"><tr><td style="width:40px;overflow:hidden;white-space:nowrap">Far more words than room.<td>2</table>`, looks[0]},
		{"cut", `<div style="width:200px;overflow-x:auto"><table><tr><td style="white-space:nowrap">A column that is wider than the box of the table.</table></div>`, looks[0]},
		{"", `<div style="width:200px;overflow-x:auto"><table><tr><td style="white-space:nowrap">A column that is wider than the box of the table.</table></div>`, looks[2]},
		{"overlap", chart + `<text x="10" y="30">first label</text><text x="40" y="33">second</text></svg>`, looks[0]},
		{"overlap", chart + `<text x="20" y="50" transform="rotate(-90 20 50)">upright</text><text x="10" y="30">level</text></svg>`, looks[0]},
		{"", chart + `<text x="10" y="20">first line</text><text x="10" y="31">second line</text></svg>`, looks[0]},
		{"covered", chart + `<text x="10" y="30">label</text><rect x="20" y="10" width="60" height="40" fill="#fff"/></svg>`, looks[0]},
		{"outside", chart + `<text x="280" y="30">cut off</text></svg>`, looks[0]},
		{"outside", chart + `<text x="280" y="4">high</text></svg>`, looks[0]},
		{"small", `<svg viewBox="0 0 600 60" width="300" height="30" font-size="11"><text x="10" y="30">5.5 px</text></svg>`, looks[2]},
		{"contrast", `<p style="color:#999">Pale.</p>`, looks[0]},
		{"contrast", `<p style="color:#555">Dark on dark.</p>`, looks[1]},
		{"contrast", `<p style="background:#c80">White on orange would do for large letters: <b style="color:#fff">1</b></p>`, looks[0]},
		{"contrast", chart + `<rect width="300" height="60" fill="#1a6"/><text x="10" y="30" fill="#fff">5 s</text></svg>`, looks[0]},
		{"contrast", chart + `<text x="10" y="30" fill-opacity="0.4">5 s</text></svg>`, looks[0]},
		{"console", `<script>console.error("x")</script>`, looks[0]},
		{"console", `<script>nothing.here</script>`, looks[0]},
		{"request", `<img src="http://127.0.0.1:9/picture.png">`, looks[0]},
	}
	tab := newTab(t, "dejavu")
	for _, c := range cases {
		file := filepath.Join(t.TempDir(), "planted.html")
		page := `<!doctype html><meta name="color-scheme" content="light dark">
<style>@media (prefers-color-scheme:dark){body{background:#121212}}</style>` + c.page
		if err := os.WriteFile(file, []byte(page), 0o666); err != nil {
			t.Fatal(err)
		}
		tab.turn(t, c.look)
		tab.open(t, "file://"+file)
		faults := tab.faults(t)
		if c.kind == "" && len(faults) > 0 || c.kind != "" && len(faults) == 0 {
			t.Errorf("want %q of %s, have %q", c.kind, c.page, faults)
		}
		for _, f := range faults {
			if kind, _, _ := strings.Cut(f, ":"); kind != c.kind && (c.kind != "request" || kind != "console") {
				t.Errorf("want %q of %s, have %q", c.kind, c.page, f)
			}
		}
	}
}
