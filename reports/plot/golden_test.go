package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
)

// TestGolden compares every chart with the picture that somebody last looked at and
// accepted.
func TestGolden(t *testing.T) {
	for _, name := range []string{"both", "foreign", "tenants", "outages"} {
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

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "&#34;", `"`, "&#39;", "'")

func TestFiguresAreWellFormed(t *testing.T) {
	celery, tenants := specimen.CeleryInitial(), specimen.Tenants(4000)
	celery.Classes = []string{`<b>&"`, "run_user_query"}
	celery.Workers[0].Name = "<script>"
	tenants.Tenants[0] = "<i>"
	for _, c := range Charts() {
		f := c.Draw(inputOf(celery), Wide)
		if f == nil {
			f = c.Draw(inputOf(tenants), Wide)
		}
		if f == nil {
			t.Errorf("%s shows nothing", c.Name)
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
		m.State, m.Worker, m.Started, m.Done, m.Received = run.Left, -1, run.None, run.None, run.None
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
