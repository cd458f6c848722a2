package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
)

// TestGolden compares every chart with the picture that somebody last looked at and
// accepted.
func TestGolden(t *testing.T) {
	for _, name := range []string{"both", "foreign", "tenants"} {
		in := inputs()[name]
		for _, c := range Charts() {
			for width, w := range map[float64]string{Wide: "wide", Narrow: "narrow"} {
				if f := c.Draw(in, width); f != nil && (w == "wide" || name == "both") {
					golden(t, c.Name+"-"+name+"-"+w+".svg", f.SVG())
				}
			}
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it, then run: go test ./reports/plot -update", path)
	}
}

// TestNothingIsCutOffOrOverlaps: every text of every chart is within its picture and
// on no other text, at both widths, by the font metrics of the layout.
func TestNothingIsCutOffOrOverlaps(t *testing.T) {
	for _, width := range []float64{Wide, Narrow} {
		for name, in := range inputs() {
			for _, c := range Charts() {
				if f := c.Draw(in, width); f != nil {
					within(t, c.Name+" of "+name, f)
				}
			}
		}
		for name, f := range figures(width) {
			within(t, name, f)
		}
	}
}

var texts = regexp.MustCompile(`<text x="([^"]*)" y="([^"]*)"([^>]*)>([^<]*)<`)

func within(t *testing.T, name string, f *Figure) {
	t.Helper()
	type box struct {
		text           string
		x0, y0, x1, y1 float64
	}
	var boxes []box
	for _, m := range texts.FindAllStringSubmatch(f.Inline(), -1) {
		size := 11.0
		if _, after, ok := strings.Cut(m[3], `font-size="`); ok {
			size = parseFloat(t, after[:strings.Index(after, `"`)])
		}
		x, y := parseFloat(t, m[1]), parseFloat(t, m[2])
		w := textWidth(style(ink, size), unescape.Replace(m[4]))
		if x < -0.5 || x+w > f.Width+0.5 || y < 5 || y > f.Height+0.5 {
			t.Errorf("%s at %v px: %q at %v,%v reaches %v of %v x %v", name, f.Width, m[4], x, y, x+w, f.Width, f.Height)
		}
		b := box{m[4], x, y - 0.7*size, x + w, y + 0.15*size}
		for _, o := range boxes {
			if b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1 {
				t.Errorf("%s at %v px: %q lies on %q at %v,%v", name, f.Width, b.text, o.text, x, y)
			}
		}
		boxes = append(boxes, b)
	}
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "&#34;", `"`, "&#39;", "'")

func TestFiguresAreWellFormed(t *testing.T) {
	r := specimen.CeleryInitial()
	r.Classes = []string{`<b>&"`, "run_user_query"}
	r.Workers[0].Name = "<script>"
	for _, c := range Charts() {
		f := c.Draw(inputOf(r), Wide)
		if f == nil {
			t.Errorf("%s shows nothing of celery-initial", c.Name)
			continue
		}
		d := xml.NewDecoder(bytes.NewReader(f.SVG()))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", c.Name, err)
				break
			}
		}
		b, err := f.PNG()
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.DecodeConfig(bytes.NewReader(b))
		if err != nil || img.Width != 2*Wide {
			t.Errorf("%s: PNG is %d px wide (%v), want %d", c.Name, img.Width, err, 2*Wide)
		}
		if f.Note == "" || f.Alt == "" || !strings.HasSuffix(f.Alt, ".") {
			t.Errorf("%s: note %q, alt %q: want sentences", c.Name, f.Note, f.Alt)
		}
	}
}

// TestOddResults draws charts of results that are nearly empty.
func TestOddResults(t *testing.T) {
	empty := &run.Result{Scenario: "empty", Target: run.Target{Kind: "sim"}}
	unserved := specimen.CeleryInitial()
	unserved.Spans = nil
	for i := range unserved.Messages {
		m := &unserved.Messages[i]
		m.State, m.Worker, m.Started, m.Done, m.Received = run.Unserved, -1, run.None, run.None, run.None
	}
	crowd := specimen.Tenants(200)
	for range 60 {
		crowd.Workers = append(crowd.Workers, run.Worker{Name: "idle", Slots: 3})
	}
	cut := specimen.CeleryInitial()
	cut.Spans[0].Cut = true
	for name, r := range map[string]*run.Result{"empty": empty, "unserved": unserved, "crowd": crowd, "cut": cut} {
		for _, c := range Charts() {
			for _, w := range []float64{Wide, Narrow} {
				if f := c.Draw(inputOf(r), w); f != nil && strings.Contains(f.Inline(), "NaN") {
					t.Errorf("%s of %s holds NaN", c.Name, name)
				}
			}
		}
	}
}

func TestPredictionIsNoArmOfItsOwn(t *testing.T) {
	in := inputOf(both()...)
	if len(in.Arms) != 4 {
		t.Fatalf("%d arms, want 4", len(in.Arms))
	}
	for i, a := range in.Arms {
		if a.Predicted == nil || a.First().Summary.Virtual || a.Letter != arms.Letter(i) {
			t.Errorf("arm %s: letter %s, predicted %v", a.Label, a.Letter, a.Predicted != nil)
		}
	}
	if in.Arms[2].Label != "same-load" || in.Focus != "run_user_query" {
		t.Errorf("label %q, focus %q", in.Arms[2].Label, in.Focus)
	}
}

func TestTicksAreRound(t *testing.T) {
	for _, tt := range []struct {
		hi   float64
		n    int
		want string
	}{{20, 6, "0 5 10 15 20"}, {11, 11, "0 1 2 3 4 5 6 7 8 9 10 11"}, {0.3, 3, "0 0.1 0.2 0.3"}} {
		var got []string
		for _, tick := range (steps{n: tt.n, format: num}).Ticks(0, tt.hi) {
			got = append(got, tick.Label)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("ticks to %v: %s, want %s", tt.hi, s, tt.want)
		}
	}
}
