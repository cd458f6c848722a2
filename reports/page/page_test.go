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

// TestStories: the headline is what the figures say.
func TestStories(t *testing.T) {
	invalid := specimen.CeleryInitial()
	invalid.Findings = []run.Finding{{Code: "lateness", Text: "Late.", Invalid: true}}
	lossy := specimen.CeleryInitial()
	lossy.Ledger.Lost = 3
	quick := specimen.CeleryOptimized("", 1, 4, false)
	quick.Messages = quick.Messages[4:]
	quick.Classes[0], quick.Headline = "", ""
	slower := specimen.CeleryOptimized("slower", 40, 4, false)
	slower.Dispatch = "random"
	fair := specimen.CeleryOptimized("same-load-fair", 40, 1, true)
	sameLoad := specimen.CeleryOptimized("same-load", 40, 4, false)
	initial := specimen.CeleryInitial()
	unheld := specimen.CeleryOptimized("same-load", 40, 4, false)
	for i := range unheld.Messages {
		unheld.Messages[i].Received = unheld.Messages[i].Started
	}
	late := specimen.CeleryOptimized("same-load-fair", 40, 1, true)
	late.Messages[43].Started, late.Messages[43].Done = 8_000_000, 8_100_000
	half := specimen.CeleryOptimized("half-fair", 40, 1, true)
	half.Messages[43].Started, half.Messages[43].Done = 8_000_000, 8_100_000
	tests := []struct {
		name string
		rs   []*run.Result
		want string
	}{
		{"nothing is held, so prefetch is not the other half", []*run.Result{initial, unheld, fair}, "Splitting the queue, prefetch 1"},
		{"the window does not halve the worst", []*run.Result{initial, sameLoad, late}, "Splitting the queue, prefetch 1"},
		{"the talk's four arms", specimen.Arms(), "Splitting the queue is half the fix. Prefetch is the other half."},
		{"one queue", []*run.Result{initial}, "No run_user_query starts for 10 s while fit_neural_net runs."},
		{"a smaller window", []*run.Result{sameLoad, fair}, "Prefetch 1 per slot and ack after the work bring the longest wait of run_user_query from 10.5 s to 3.9 s."},
		{"two that help", []*run.Result{sameLoad, half, fair}, "Prefetch 1 per slot and ack after the work bring the longest wait of run_user_query from 10.5 s to 3.9 s (half-fair: to 8 s)."},
		{"a larger window", []*run.Result{fair, sameLoad}, "Prefetch 4 per slot and ack at the start make it worse: the longest wait of run_user_query goes from 3.9 s to 10.5 s."},
		{"the base is the best of three", []*run.Result{fair, sameLoad, slower}, "Same-load-fair is best: the longest wait of run_user_query is 3.9 s; it is 10.5 s with same-load and 10.5 s with slower."},
		{"the split alone", []*run.Result{initial, sameLoad}, "No difference that matters: the longest wait of run_user_query is 10.9 s with celery-initial and 10.5 s with same-load."},
		{"no third arm that helps", []*run.Result{initial, sameLoad, slower}, "No difference that matters"},
		{"other loads", []*run.Result{initial, specimen.CeleryOptimized("", 200, 4, false)}, "The loads differ: there is no verdict between these runs."},
		{"two targets", []*run.Result{initial, specimen.Measured(initial), specimen.Foreign(initial)}, "Embedded and RabbitMQ 3.10.8 agree: the longest wait of run_user_query is 10.9 s, as predicted."},
		{"two targets, one of which finishes later than predicted", []*run.Result{initial, specimen.Measured(initial), later(specimen.Foreign(initial))},
			"Embedded and RabbitMQ 3.10.8 differ: the end of fit_neural_net is 10 s with embedded and 11 s with RabbitMQ 3.10.8."},
		{"two targets that agree on what was not predicted", []*run.Result{initial, later(specimen.Measured(initial)), later(specimen.Foreign(initial))},
			"Embedded and RabbitMQ 3.10.8 agree: the longest wait of run_user_query is 10.9 s, but the end of fit_neural_net is 11 s on embedded, not 10 s as predicted."},
		{"an invalid run", []*run.Result{invalid, fair}, "These figures cannot be used."},
		{"a loss", []*run.Result{lossy}, "celery-initial lost 3 of 44 messages."},
		{"nothing waits", []*run.Result{quick}, "The workers keep up: hardly anything waits."},
		{"a busy pool", []*run.Result{specimen.Tenants(2000)}, "Half of all messages of class job wait 0.185 s at most; the longest wait is 0.543 s."},
	}
	for _, tt := range tests {
		if got := storyOf(tt.rs...); !strings.HasPrefix(got.Headline, tt.want) || got.Text == "" {
			t.Errorf("%s: headline %q, text %q, want %q", tt.name, got.Headline, got.Text, tt.want)
		}
	}
}

// later returns r with a class's last message done a second later. It waits no longer.
func later(r *run.Result) *run.Result {
	last := 0
	for i, m := range r.Messages {
		if r.Classes[m.Class] == "fit_neural_net" {
			last = i
		}
	}
	r.Messages[last].Done += 1_000_000
	return r
}

// TestMetricWords: a label of a figure says of which messages it is.
func TestMetricWords(t *testing.T) {
	for _, tt := range []struct{ metric, focus, want string }{
		{"wait.max", "", "longest wait of all messages"},
		{"wait.p50", "", "median wait of all messages"},
		{"wait.p99.9{class=quick}", "quick", "99.9 % of quick wait at most"},
		{"wait.p99{tenant!=noisy}", "job", "99 % of job (all tenants but noisy) wait at most"},
		{"wait.mean{tenant=noisy,queue!=q}", "", "mean wait of all messages (tenant noisy, all queues but q)"},
		{"starvation{class=run_user_query}", "run_user_query", "longest gap without a run_user_query starting"},
		{"starvation{class!=slow}", "", "longest gap without a message starting (all classes but slow)"},
		{"held.max{worker=w-1}", "quick", "longest time that a worker held a quick (worker w-1)"},
		{"throughput", "quick", "throughput"},
	} {
		if got := metricWords(tt.metric, tt.focus); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.metric, got, tt.want)
		}
	}
}

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

// TestPriceIsNamed: if an arm helps the focus and another class pays for it, the text
// says so, for the arm that the headline names.
func TestPriceIsNamed(t *testing.T) {
	base, costly := specimen.CeleryOptimized("same-load", 40, 4, false), specimen.CeleryOptimized("same-load-fair", 40, 1, true)
	if text := storyOf(base, costly).Text; strings.Contains(text, "price") {
		t.Errorf("a price of nothing: %s", text)
	}
	for i := range costly.Messages {
		if m := &costly.Messages[i]; costly.Classes[m.Class] == "fit_neural_net" {
			m.Started, m.Done = m.Started+5_000_000, m.Done+5_000_000
		}
	}
	if text, want := storyOf(base, costly).Text, " The price of same-load-fair: the longest wait of fit_neural_net goes from 10 s to 15 s."; !strings.HasSuffix(text, want) {
		t.Errorf("text %q lacks %q", text, want)
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

func TestTwoHalvesTellsTheFigures(t *testing.T) {
	text := storyOf(specimen.Arms()...).Text
	for _, want := range []string{
		"waited up to 10.9 s behind fit_neural_net, 10.4 s at the median", "brings the median down to 1.9 s", "11 of 40 stay stuck",
		"the longest wait is still 10.5 s", "With prefetch 1 per slot and ack after the work (same-load-fair) the longest wait is 3.9 s",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the paragraph lacks %q: %s", want, text)
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
