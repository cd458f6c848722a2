package page

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/folder"
	"harelab/reports/internal/specimen"
)

func folderOf(rs ...*run.Result) *folder.Folder {
	return folder.New(arms.Summarize(rs...), folder.Manifest{Go: "go1.26"})
}

func storyOf(rs ...*run.Result) Story { return Tell(folderOf(rs...).Set()) }

func TestDriftWords(t *testing.T) {
	for drift, want := range map[float64]string{
		11.73: "waits grow: the second half of r waits 12.7 times as long as the first",
		0.5:   "waits grow: the second half of r waits 50 % longer than the first",
		-0.4:  "waits shrink: the second half of r waits 40 % less than the first",
	} {
		if got := driftWords(drift, "r"); got != want {
			t.Errorf("%v: %q, want %q", drift, got, want)
		}
	}
}

// TestBigNumbersSayWhatTheArmsAre: the titles of arms are beside their figures, unless
// all arms have the same title.
func TestBigNumbersSayWhatTheArmsAre(t *testing.T) {
	big, _ := bigNumbers(folderOf(specimen.Arms()...).Set())
	if len(big) == 0 || big[0].Title != "Four slow jobs starve forty quick ones" {
		t.Errorf("big numbers %+v", big)
	}
	same := specimen.CeleryInitial()
	same.Variant = "again"
	big, _ = bigNumbers(folderOf(specimen.CeleryInitial(), same).Set())
	if len(big) != 2 || big[0].Title+big[1].Title != "" {
		t.Errorf("one title for two arms: %+v", big)
	}
}

// TestOtherLoads: one sentence names the arms with another load than the base, in the
// singular or the plural.
func TestOtherLoads(t *testing.T) {
	base := specimen.CeleryInitial()
	few, many := specimen.CeleryOptimized("few", 10, 4, false), specimen.CeleryOptimized("many", 90, 4, false)
	for _, tt := range []struct {
		arms []*run.Result
		want string
	}{
		{[]*run.Result{base, specimen.CeleryOptimized("same", 40, 4, false)}, ""},
		{[]*run.Result{base, few}, "few (4 fit_neural_net, 10 run_user_query) had another load than celery-initial and is not compared with it."},
		{[]*run.Result{base, few, many}, "few (4 fit_neural_net, 10 run_user_query) and many (4 fit_neural_net, 90 run_user_query) had other loads than celery-initial and are not compared with it."},
	} {
		if got := otherLoads(folderOf(tt.arms...).Set()); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestInvalidGoesAboveTheHeadlineAndHidesTheVerdict(t *testing.T) {
	r := specimen.CeleryInitial()
	r.Findings = []run.Finding{{Code: "lateness", Text: "The generator was late.", Invalid: true}}
	var buf bytes.Buffer
	if err := WriteHTML(&buf, folderOf(r)); err != nil {
		t.Fatal(err)
	}
	html := buf.String()
	strip, headline := strings.Index(html, "The generator was late."), strings.Index(html, "<h1>")
	if strip < 0 || headline < strip {
		t.Errorf("the finding is at %d, the headline at %d", strip, headline)
	}
	if strings.Contains(html, `class="big"`) || strings.Contains(html, "starts for 10 s while") {
		t.Error("an invalid run has a verdict")
	}
}

func TestSound(t *testing.T) {
	partial := specimen.CeleryInitial()
	partial.Partial = true
	for i := range 2 {
		m := &partial.Messages[len(partial.Messages)-1-i]
		m.State, m.Worker = run.Left, -1
	}
	for _, tt := range []struct {
		name, state, title, holds string
		r                         *run.Result
	}{
		{"virtual", "ok", "The run is sound.", "Virtual time: exact", specimen.CeleryInitial()},
		{"measured", "ok", "The run is sound.", "changes no figure of a class by more than 10 %: work ended up to 100 µs after", specimen.Measured(specimen.CeleryInitial())},
		{"partial", "note", "Read with care.", "2 messages wait in queue", partial},
	} {
		s := Sound(folderOf(tt.r).Set())
		var texts []string
		for _, c := range s.Checks {
			texts = append(texts, c.Text)
		}
		if s.State != tt.state || s.Title != tt.title || !strings.Contains(strings.Join(texts, "\n"), tt.holds) {
			t.Errorf("%s: %s, %q, %q", tt.name, s.State, s.Title, texts)
		}
	}
}

func TestMarkdown(t *testing.T) {
	var buf bytes.Buffer
	var rs []*run.Result
	for _, r := range specimen.Arms() {
		rs = append(rs, r, specimen.Measured(r))
	}
	f := folderOf(rs...)
	f.Manifest.Host = nil // the goldens know no machine
	if err := WriteMarkdown(&buf, f); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "report.md")
	if *update {
		if err := os.WriteFile(path, buf.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), buf.String()); d != "" {
		t.Errorf("%s differs; look at it, then run: go test ./reports/page -update\n%s", path, d)
	}
}

func TestNamesAreEscaped(t *testing.T) {
	r := specimen.CeleryInitial()
	r.Scenario, r.Classes[1], r.Headline = "<script>alert(1)</script>", "<b>q</b>", "starvation{class=<b>q</b>}"
	r.Resolved = []byte("name: </pre><script>\n")
	var buf bytes.Buffer
	if err := WriteHTML(&buf, folderOf(r)); err != nil {
		t.Fatal(err)
	}
	if s := buf.String(); strings.Contains(s, "<script>alert") || strings.Contains(s, "<b>q</b>") || strings.Contains(s, "</pre><script>") {
		t.Error("a name is taken for markup")
	}
}

func TestCommandsAreQuoted(t *testing.T) {
	f := folderOf(specimen.CeleryInitial())
	f.Manifest.Command = []string{"harelab", "run", "--set", "queries=40 it's"}
	if got, want := commands(f)[0], `harelab run --set 'queries=40 it'\''s'`; got != want {
		t.Errorf("command %s, want %s", got, want)
	}
}

// TestExpectationsOfSeveralRunsAreCards: on a phone the columns of several runs would leave
// an expectation no more room than for a letter in each line.
func TestExpectationsOfSeveralRunsAreCards(t *testing.T) {
	one, two := specimen.CeleryInitial(), specimen.Measured(specimen.CeleryInitial())
	for _, tt := range []struct {
		runs []*run.Result
		want []string
	}{
		{[]*run.Result{one}, []string{`<table class="verdicts">`, `</td><td><span class="mark ok">`}},
		{[]*run.Result{one, two}, []string{`<table class="verdicts cards">`, `</td><td data-h="sim"><span class="mark ok">`}},
	} {
		var buf bytes.Buffer
		if err := WriteHTML(&buf, folderOf(tt.runs...)); err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			if !strings.Contains(buf.String(), want) {
				t.Errorf("%d runs: no %s", len(tt.runs), want)
			}
		}
	}
}

// TestHeadsOfCardsAreNamed: on a phone a row is a card without the table's head, so a
// number, or one of several settings, has the name of its column.
func TestHeadsOfCardsAreNamed(t *testing.T) {
	for _, tt := range []struct {
		columns, row []string
		heads        int
		want         string
	}{
		{[]string{"figure", "a"}, []string{"wait.p99", "1 s"}, 1, ""},
		{[]string{"prefetch", "a"}, []string{"2", "1 s"}, 1, "prefetch"},
		{[]string{"order", "prefetch", "a"}, []string{"fifo", "2", "1 s"}, 2, "order"},
	} {
		f := SheetTable{Columns: tt.columns, Heads: tt.heads, Rows: [][]string{tt.row}}.figures()
		if got := f.Rows[0][0].Name; got != tt.want {
			t.Errorf("%v: the first cell is named %q, want %q", tt.row, got, tt.want)
		}
	}
}
