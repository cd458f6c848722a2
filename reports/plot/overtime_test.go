package plot

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/vg"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/internal/specimen"
)

// message is a message of class 0 and tenant that was due, started and done at times
// in seconds; a negative start means never.
func message(seq int64, due, start, done float64, tenant int32) run.Message {
	us := func(s float64) int64 {
		if s < 0 {
			return run.None
		}
		return int64(math.Round(s * 1e6))
	}
	m := run.Message{Seq: seq, Tenant: tenant, Intended: us(due), Sent: us(due), Enqueued: us(due),
		Dispatched: us(start), Received: us(start), Started: us(start), Done: us(done), Acked: us(done), Confirmed: run.None}
	if start < 0 {
		m.State = run.Left
	} else {
		m.Service = m.Done - m.Started
	}
	return m
}

// steady is a run of ten seconds with one slot: a message of 0.5 s is due every
// second and waits 0, 0.1, ... 0.9 s; a last one is due at 9.5 s and never starts.
func steady() *run.Result {
	r := &run.Result{
		Scenario: "steady", Target: run.Target{Kind: "sim"}, Classes: []string{"job"}, Queues: []string{"q"}, Tenants: []string{"a", "b"},
		Workers: []run.Worker{{Name: "w", Slots: 1, Queues: []string{"q"}}}, Length: 12e6, Interval: 1e6,
	}
	for i := range 10 {
		due := float64(i)
		start := due + due/10
		m := message(int64(i), due, start, start+0.5, int32(i%2))
		r.Messages = append(r.Messages, m)
		r.Spans = append(r.Spans, run.Span{Seq: m.Seq, Start: m.Started, End: m.Done})
	}
	r.Messages = append(r.Messages, message(10, 9.5, -1, -1, 0))
	return r
}

// TestIntervals: every time of a run is in one interval, and the last ends with the run.
func TestIntervals(t *testing.T) {
	for _, tt := range []struct {
		end  float64
		n    int
		step float64
		want int
	}{{10, 10, 1, 10}, {10.4, 10, 2, 6}, {9.999, 10, 1, 10}, {0.05, 20, 0.005, 10}, {1, 1, 1, 1}} {
		v := newIntervals(tt.end, tt.n)
		if v.step != tt.step || v.n != tt.want {
			t.Errorf("%v in %d: %d steps of %v, want %d of %v", tt.end, tt.n, v.n, v.step, tt.want, tt.step)
		}
		if _, to := v.span(v.n - 1); to != tt.end || v.of(int64(tt.end*1e6)) != v.n-1 || v.of(0) != 0 {
			t.Errorf("%v in %d: the last interval ends at %v; the end is in %d, 0 in %d", tt.end, tt.n, to, v.of(int64(tt.end*1e6)), v.of(0))
		}
		if v.of(-1) != -1 || v.of(run.None) != -1 || v.of(int64(tt.end*2e6)) != -1 {
			t.Errorf("%v in %d: times outside are in an interval", tt.end, tt.n)
		}
	}
}

// TestWaitsByInterval: an interval has the waits of the messages due in it, and a
// message that never starts counts with its wait until the end.
func TestWaitsByInterval(t *testing.T) {
	in := inputOf(steady())
	s := newWaitSeries(intervals{step: 1, end: 10.4, n: 11}, in.Arms[0], ofClass("job"))
	if diff := cmp.Diff([]int{1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 0}, s.n); diff != "" {
		t.Error(diff)
	}
	if s.p50[4] != 0.4 || s.p99[4] != 0.4 || s.p50[9] != 0.9 || s.p99[9] != 2.5 || s.most != 2.5 {
		t.Errorf("p50 %v, p99 %v, most %v", s.p50, s.p99, s.most)
	}
	if s := newWaitSeries(intervals{step: 1, end: 10.4, n: 11}, in.Arms[0], ofClass("other")); slices.Max(s.n) != 0 {
		t.Errorf("waits of a class that is not there: %v", s.n)
	}
	if f := waitsOverTime(in, Wide); f == nil || !strings.HasPrefix(f.Note, "Waits of job by the time ") || f.Alt != "Longest wait of 99 % in an interval: steady: job: 2.5 s (due 9.5 s to 10 s)." {
		t.Errorf("%+v", f)
	}
}

// TestAskedMessages: charts of waits show the messages by which the runs are judged.
func TestAskedMessages(t *testing.T) {
	r := specimen.Tenants(500)
	r.Headline = "wait.p99{tenant!=noisy}"
	of := askedOf(inputOf(r))
	admits := of.admits(r)
	for i := range r.Messages {
		if m := &r.Messages[i]; admits(m) != (r.Tenants[m.Tenant] != "noisy") {
			t.Fatalf("a message of %s: %v", r.Tenants[m.Tenant], admits(m))
		}
	}
	if !strings.Contains(of.who, "noisy") {
		t.Errorf("called %q", of.who)
	}
}

func TestRatesByInterval(t *testing.T) {
	s := newRateSeries(intervals{step: 2, end: 11, n: 6}, inputOf(steady()).Arms[0])
	if diff := cmp.Diff([]float64{1, 1, 1, 1, 1.5, 0}, s.due); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]float64{1, 1, 0.5, 1, 1, 1}, s.done); diff != "" || s.finished != 10 {
		t.Errorf("%d finished, %s", s.finished, diff)
	}
}

// TestSharesAddUp: the shares of the tenants add up to the time in which slots were
// busy.
func TestSharesAddUp(t *testing.T) {
	in := inputOf(steady())
	tenants := newTenantList(in)
	s := newShareSeries(intervals{step: 2, end: 10, n: 5}, in.Arms[0], tenants)
	for i := range 5 {
		if sum := s.share[0][i] + s.share[1][i]; math.Abs(sum-[]float64{0.5, 0.5, 0.5, 0.4, 0.4}[i]) > 1e-9 {
			t.Errorf("interval %d: %v", i, sum)
		}
	}
	many := outages()[1]
	tenants = newTenantList(inputOf(many))
	if len(tenants.names) != namedTenants+1 || tenants.rest != 5 || tenants.names[namedTenants] != "5 others" {
		t.Errorf("nine tenants: %+v", tenants)
	}
}

// TestEndMarkersKeepTheirTime: badges on lines that end at one point move up or down
// only, and stay within the panel.
func TestEndMarkersKeepTheirTime(t *testing.T) {
	at := vg.Point{X: 50, Y: 100}
	var badges []vg.Point
	for range 5 {
		p := apart(at, badges, 0, 100)
		if p.X != at.X {
			t.Errorf("badge %d is at %v, want %v", len(badges), p.X, at.X)
		}
		if p.Y < badgeRadius || p.Y > 100+badgeRadius {
			t.Errorf("badge %d is at height %v", len(badges), p.Y)
		}
		for _, o := range badges {
			if math.Abs(float64(p.Y-o.Y)) < 2*badgeRadius {
				t.Errorf("badges at %v and %v", p.Y, o.Y)
			}
		}
		badges = append(badges, p)
	}
}

// TestChartsOfAReport: a report shows the charts that its scenarios name.
func TestChartsOfAReport(t *testing.T) {
	of := func(lists ...[]string) string {
		var rs []*run.Result
		for i, l := range lists {
			r := steady()
			r.Variant, r.Charts = string(rune('a'+i)), l
			rs = append(rs, r)
		}
		var names []string
		for _, c := range Of(inputOf(rs...)) {
			names = append(names, c.Name)
		}
		return strings.Join(names, " ")
	}
	all := of(nil)
	for _, tt := range []struct {
		lists [][]string
		want  string
	}{
		{[][]string{{"lanes"}}, "lanes"},
		{[][]string{{"wait-parts", "hdr", "heatmap"}}, "percentiles breakdown"},
		{[][]string{{"lanes"}, {"depth"}}, "lanes depth"},
		{[][]string{{"lanes"}, nil}, all},
		{[][]string{{"heatmap", "pareto"}}, all}, // charts of sweeps only
	} {
		if got := of(tt.lists...); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.lists, got, tt.want)
		}
	}
	var many []*run.Result
	for i := range maxScenarios + 1 {
		r := steady()
		r.Scenario = string(rune('a' + i))
		many = append(many, r)
	}
	if in := inputOf(many...); Unlike(in) != maxScenarios+1 || Of(in) != nil {
		t.Errorf("charts of %d scenarios: %v", Unlike(in), Of(in))
	}
	if in := inputOf(many[1:]...); Unlike(in) != 0 || Of(in) == nil {
		t.Errorf("%d scenarios have no charts", maxScenarios)
	}
	if !strings.Contains(all, "waits") {
		t.Errorf("all charts: %s", all)
	}
}

// TestChartsThatSayNothing: without work, waits or messages there is no chart of them.
func TestChartsThatSayNothing(t *testing.T) {
	drawn := func(in *arms.Set) string {
		var names []string
		for _, c := range Charts() {
			wide, narrow := c.Draw(in, Wide), c.Draw(in, Narrow)
			if (wide == nil) != (narrow == nil) {
				t.Errorf("%s is drawn at one width only", c.Name)
			}
			if wide != nil {
				names = append(names, c.Name)
			}
		}
		return strings.Join(names, " ")
	}
	empty := steady()
	empty.Messages, empty.Spans = nil, nil
	instant := steady()
	for i := range instant.Messages[:10] {
		m := &instant.Messages[i]
		*m = message(m.Seq, float64(i), float64(i), float64(i), m.Tenant)
	}
	instant.Messages, instant.Spans = instant.Messages[:10], nil
	stuck := steady()
	stuck.Spans = nil
	for i := range stuck.Messages {
		stuck.Messages[i] = message(int64(i), float64(i), -1, -1, 0)
	}
	stuck.Series = []run.Sample{{At: stuck.Length, Ready: int64(len(stuck.Messages))}}
	even := steady()
	even.Messages, even.Spans = nil, nil
	for i := range 200 {
		due := float64(i) / 20
		even.Messages = append(even.Messages, message(int64(i), due, due+min(0.3, float64(i)), due+0.4, 0))
	}
	for name, tt := range map[string]struct {
		r    *run.Result
		want string
	}{
		"no messages":                       {empty, ""},
		"no wait and no work":               {instant, "finished"},
		"nothing was ever started":          {stuck, "depth"},
		"all waits but the first are equal": {even, "finished throughput breakdown"},
	} {
		if got := drawn(inputOf(tt.r)); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestTheStarvingClassStandsOut: without a headline, too.
func TestTheStarvingClassStandsOut(t *testing.T) {
	r := specimen.CeleryInitial()
	r.Headline, r.Expect = "", nil
	colours := classColours(inputOf(r))
	if colours["run_user_query"] != classPaints[0] || colours["fit_neural_net"] == classPaints[0] {
		t.Errorf("%v", colours)
	}
}

// TestTooltips: marks have tooltips, on canvases that were cropped, too.
func TestTooltips(t *testing.T) {
	in := inputs()["outages"]
	want := map[string]string{
		"depth": "of them at workers", "lanes": "pool-1 is away from 0 s to 2 s", "waits": "half wait ", "throughput": " due a second", "shares": "noisy ",
		"finished": "finished, the last after", "percentiles": "wait: half ", "breakdown": "being worked on: ",
	}
	for _, c := range Charts() {
		tip, ok := want[c.Name]
		if !ok {
			continue
		}
		if !hasTip(c.Draw(in, Wide), tip) {
			t.Errorf("%s has no tooltip %q", c.Name, tip)
		}
	}
	figs := figures(Wide)
	for name, tip := range map[string]string{
		"dots": "nfa: 94 ns", "versus": "nfa, iot: 10 bindings: 0.8 times (0.8 to 0.9)", "heatmap": "prefetch 4, dispatch fair: 2 s",
		"lines": "dispatch=rr, prefetch 8: 17 s (15.3 s to 18.7 s)", "ranking": "prefetch=0 dispatch=fair: mean 0.5 s", "pareto": "prefetch=2: 120, 5 s",
		"forest": "B: -62.9 %, better",
	} {
		if !hasTip(figs[name], tip) {
			t.Errorf("%s has no tooltip %q", name, tip)
		}
	}
}

func hasTip(f *Figure, tip string) bool {
	for _, t := range strings.Split(f.Inline(), "<title>")[1:] {
		if strings.Contains(t[:strings.Index(t, "</title>")], tip) {
			return true
		}
	}
	return false
}
