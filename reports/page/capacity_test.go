package page

import (
	"bytes"
	"strings"
	"testing"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/folder"
	"harelab/reports/internal/specimen"
)

// TestOverloadGoesAboveSound: a run that was offered more work than its slots can do says
// so before the page calls it sound, also when the page is drawn again from the folder.
func TestOverloadGoesAboveSound(t *testing.T) {
	over, enough := specimen.CeleryInitial(), specimen.CeleryOptimized("same-load", 40, 4, false)
	over.Capacity = []run.Pool{{Queues: []string{"celery"}, Overloads: []run.Overload{
		{From: 120e6, To: 150e6, Needs: 63.04, Slots: 24, Most: 24, Speed: 24, Enough: 65, Drained: run.None}}}}
	enough.Capacity = []run.Pool{{Queues: []string{"webapp"}, Phases: []run.Phase{{Offered: 3, Peak: 3, Slots: 4, Speed: 4}}}}
	const sentence = "From 120 s to 150 s the load needs 63 busy slots and 24 are there: no prefetch or dispatch can help; 65 slots would."
	for _, tt := range []struct {
		name string
		rs   []*run.Result
		want []string // in this order
		not  string
	}{
		{"overloaded", []*run.Result{over}, []string{"More work than the slots can do", sentence, "The run is sound."}, "needs at most"},
		{"one of two", []*run.Result{over, enough}, []string{"More work than", "celery-initial", sentence, "The runs are sound.", "same-load: The load needs at most 3 of 4 slots."}, ""},
		{"enough", []*run.Result{enough}, []string{"The run is sound.", "The load needs at most 3 of 4 slots."}, "More work than"},
		{"not known", []*run.Result{specimen.CeleryInitial()}, []string{"The run is sound."}, "needs at most"},
	} {
		dir := t.TempDir()
		f := folder.New(arms.Summarize(tt.rs...), folder.Manifest{Go: "go1.26"})
		if err := f.Write(dir); err != nil {
			t.Fatal(err)
		}
		again, err := folder.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []*folder.Folder{f, again} {
			var html, md bytes.Buffer
			if err := WriteHTML(&html, f); err != nil {
				t.Fatal(err)
			}
			if err := WriteMarkdown(&md, f); err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(html.String(), "<main>")
			for _, page := range []string{body, md.String()} {
				page = strings.ReplaceAll(page, "\u00a0", " ")
				at := 0
				for _, want := range tt.want {
					i := strings.Index(page[at:], want)
					if i < 0 {
						t.Fatalf("%s: %q is missing, or before what comes first", tt.name, want)
					}
					at += i
				}
				if tt.not != "" && strings.Contains(page, tt.not) {
					t.Errorf("%s: the page says %q", tt.name, tt.not)
				}
			}
		}
	}
}
