package lab

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// checkCaption checks the note and the finding of a chart.
func (o told) checkCaption(text string) error {
	if slices.ContainsFunc(o.all(), (*csvRun).redelivered) {
		return nil // rows do not tell of all deliveries
	}
	note, finding, _ := strings.Cut(text, "\n")
	step := math.NaN()
	if m := regexp.MustCompile(`in steps of (\S+ \S+?)\.(?: |$)`).FindStringSubmatch(note); m != nil {
		step = seconds(m[1])
	}
	if strings.Contains(note, " A message that was never started counts") && !slices.ContainsFunc(o.all(), func(c *csvRun) bool { return c.count("left") > 0 }) {
		return fmt.Errorf("every message was started")
	}
	finding = strings.TrimSuffix(strings.ReplaceAll(finding, "\u00a0", " "), ".")
	if m := regexp.MustCompile(`^In (random|other) no (\S+) starts for (\S+ \S+?)(?:, in (random|other) for (\S+ \S+) at most)?$`).FindStringSubmatch(finding); m != nil {
		return o.checkStarved(m[2], m[1], m[3], m[4], m[5])
	}
	if rest, ok := strings.CutPrefix(finding, "Longest wait of 99 % in an interval: "); ok {
		return o.checkWaitCourse(rest, step)
	}
	what, values, ok := strings.Cut(finding, ": ")
	if !ok {
		return fmt.Errorf("no caption is like it")
	}
	for _, c := range captions {
		m := regexp.MustCompile("^(?:" + c.pattern + ")$").FindStringSubmatch(what)
		if m == nil {
			continue
		}
		starts := regexp.MustCompile(`(?:^|, )(random|other) `).FindAllStringSubmatchIndex(values, -1)
		for i, at := range starts {
			end := len(values)
			if i+1 < len(starts) {
				end = starts[i+1][0]
			}
			label := values[at[2]:at[3]]
			if err := c.check(o.runs[label], m, values[at[1]:end], o.grid(step)); err != nil {
				return fmt.Errorf("%s: %w", label, err)
			}
		}
		if len(starts) == 0 {
			return fmt.Errorf("it names no arm")
		}
		return nil
	}
	return fmt.Errorf("no caption is like it")
}

// A timeGrid is the intervals of a chart over time: from 0 in steps, the last of which ends
// with the chart.
type timeGrid struct{ step, end float64 }

func (o told) grid(step float64) timeGrid {
	g := timeGrid{step: step}
	for _, c := range o.all() {
		for _, r := range c.finished() {
			g.end = max(g.end, r.done)
		}
	}
	return g
}

func (g timeGrid) last() int { return int(math.Ceil(g.end/g.step-1e-9)) - 1 }

// of returns the number of an instant's interval.
func (g timeGrid) of(at float64) int { return min(int(math.Floor(at/g.step+1e-9)), g.last()) }

func (g timeGrid) width(i int) float64 {
	return min(float64(i+1)*g.step, g.end) - float64(i)*g.step
}

// captions are the findings that give a value for each arm. Charts whose check looks at the
// first run only draw only that.
var captions = []struct {
	pattern string
	check   func(runs []*csvRun, m []string, value string, g timeGrid) error
}{
	{`Share of slot time that was busy`, func(runs []*csvRun, _ []string, v string, _ timeGrid) error {
		return printsShare(v, median(runs, (*csvRun).utilisation))
	}},
	{`(?:Last message|Last (\S+)) done`, func(runs []*csvRun, m []string, v string, _ timeGrid) error {
		return printsAs(strings.TrimPrefix(v, "after "), median(runs, func(c *csvRun) float64 {
			return nearestRank(c.of(orAll(m[1])).ends(), 100)
		}))
	}},
	{`Wait(?: of (.*))?, median and longest`, func(runs []*csvRun, m []string, v string, _ timeGrid) error {
		p50, most, _ := strings.Cut(v, " and ")
		of := func(p float64) float64 {
			return median(runs, func(c *csvRun) float64 {
				vs := c.of(orAll(m[1])).times("wait")
				if len(vs) > 0 && len(finite(vs)) == 0 {
					return math.Inf(1) // none was finished in this repeat
				}
				return nearestRank(finite(vs), p)
			})
		}
		if err := printsAs(p50, of(50)); err != nil {
			return err
		}
		return printsAs(most, of(100))
	}},
	{`Highest rate in an interval, due and finished`, func(runs []*csvRun, _ []string, v string, g timeGrid) error {
		m := regexp.MustCompile(`^(\S+)/s and (\S+)/s$`).FindStringSubmatch(v)
		if m == nil {
			return fmt.Errorf("no rates are like %q", v)
		}
		due, done := make([]float64, g.last()+1), make([]float64, g.last()+1)
		for _, r := range runs[0].rows {
			if r.intended <= g.end {
				due[g.of(r.intended)] += 1 / g.width(g.of(r.intended))
			}
			if !math.IsNaN(r.done) {
				done[g.of(r.done)] += 1 / g.width(g.of(r.done))
			}
		}
		if err := printsAs(m[1], slices.Max(due)); err != nil {
			return err
		}
		return printsAs(m[2], slices.Max(done))
	}},
	{`Largest part of the mean time of (\S+)`, func(runs []*csvRun, m []string, v string, _ timeGrid) error {
		g := regexp.MustCompile(`^(.*) \((\S+ \S+) of (\S+ \S+)\)$`).FindStringSubmatch(v)
		if g == nil {
			return fmt.Errorf("no part is like %q", v)
		}
		largest, name, sum := 0.0, "", 0.0
		for _, p := range []struct {
			name string
			of   func(r csvRow) float64
		}{
			{"late: not sent yet", func(r csvRow) float64 { return r.sent - r.intended }},
			{"in the queue", func(r csvRow) float64 { return r.dispatched - r.enqueued }},
			{"on the wire", func(r csvRow) float64 { return r.received - r.dispatched + r.enqueued - r.sent }},
			{"held by a worker, not started", func(r csvRow) float64 { return r.started - r.received }},
			{"being worked on", func(r csvRow) float64 { return r.done - r.started }},
		} {
			v := median(runs, func(c *csvRun) float64 {
				var vs []float64
				for _, r := range c.of(m[1]).finished() {
					vs = append(vs, p.of(r))
				}
				return average(vs)
			})
			sum += v
			if v > largest+1e-12 {
				largest, name = v, p.name
			}
		}
		if name != g[1] {
			return fmt.Errorf("the largest part is %s, %v", name, largest)
		}
		if err := printsAs(g[2], largest); err != nil {
			return err
		}
		return printsAs(g[3], sum)
	}},
	{`Largest share of the slots that (\S+) has in an interval`, func(runs []*csvRun, m []string, v string, g timeGrid) error {
		c, most := runs[0], 0.0
		for i := 0; i <= g.last(); i++ {
			from, busy := float64(i)*g.step, 0.0
			to := from + g.width(i)
			for _, r := range c.of("messages of tenant " + m[1]).finished() {
				busy += max(0, min(r.done, to)-max(r.started, from))
			}
			most = max(most, busy/(to-from)/float64(c.slots))
		}
		return printsShare(v, most)
	}},
	{`Most messages ready at a time, held by workers, and started or done but not acked`, func(runs []*csvRun, _ []string, v string, _ timeGrid) error {
		m := regexp.MustCompile(`^([\d,]+), ([\d,]+) and ([\d,]+)$`).FindStringSubmatch(v)
		if m == nil {
			return fmt.Errorf("no depths are like %q", v)
		}
		for i, span := range []func(r csvRow) (from, to float64){
			func(r csvRow) (from, to float64) { return r.enqueued, r.dispatched },
			func(r csvRow) (from, to float64) { return r.received, r.started },
			func(r csvRow) (from, to float64) { return r.started, r.acked },
		} {
			if low, high := runs[0].most(span, i == 2); number(m[i+1]) < low || number(m[i+1]) > high {
				return fmt.Errorf("%s is not from %d to %d", m[i+1], low, high)
			}
		}
		return nil
	}},
}

func orAll(who string) string {
	if who == "" {
		return "messages"
	}
	return who
}

// printsShare is printsAs for a percentage of two digits below 10 % and of whole percents
// above.
func printsShare(text string, v float64) error {
	x := float64From(strings.TrimSuffix(text, " %"))
	digit := 1.0
	if x < 10 && x > 0 {
		digit = math.Pow(10, math.Floor(math.Log10(x))-1)
	}
	if !(math.Abs(x-100*v) <= digit*0.50001) {
		return fmt.Errorf("%s, but it is %v", text, v)
	}
	return nil
}

// utilisation is the share of the time of all slots, from the first message to the last
// end of work, in which they worked.
func (c *csvRun) utilisation() float64 {
	first, last, busy := math.Inf(1), 0.0, 0.0
	for _, r := range c.rows {
		first = min(first, r.sent)
	}
	for _, r := range c.finished() {
		last = max(last, r.done)
		busy += r.done - r.started
	}
	if busy == 0 {
		return 0
	}
	return busy / (last - first) / float64(c.slots)
}

// most is the greatest number of messages in a state at a sample of the series. A message
// that enters or leaves at the very instant may count or not. With acked the state ends with
// the ack, and messages that need none are never in it.
func (c *csvRun) most(span func(r csvRow) (from, to float64), acked bool) (low, high int) {
	for _, at := range c.samples {
		in, near := 0, 0
		for _, r := range c.rows {
			from, to := span(r)
			if math.IsNaN(from) || acked && c.ackOf[r.worker] == "none" {
				continue
			}
			if math.IsNaN(to) {
				if !acked && r.state != "left" {
					to = from // a full queue dropped it at once, or it expired at a time that is not shown
					near++
					continue
				}
				to = math.Inf(1)
			}
			if from < at && at < to {
				in++
			}
			if from <= at && at <= to {
				near++
			}
		}
		low, high = max(low, in), max(high, near)
	}
	return low, high
}

// checkStarved checks in which arm a class starves the longest and the least.
func (o told) checkStarved(class, worst, worstFor, best, bestFor string) error {
	of := func(label string) float64 {
		return median(o.runs[label], func(c *csvRun) float64 { return c.of(class).starvation() })
	}
	if err := printsAs(worstFor, of(worst)); err != nil {
		return err
	}
	if best != "" {
		if err := printsAs(bestFor, of(best)); err != nil {
			return err
		}
	}
	for _, l := range o.labels {
		if of(l) > of(worst)+1e-9 || best != "" && of(l) < of(best)-1e-9 {
			return fmt.Errorf("in %s it is %v", l, of(l))
		}
	}
	return nil
}

// checkWaitCourse checks when waits were longest, of each panel of the chart.
func (o told) checkWaitCourse(text string, step float64) error {
	for _, m := range regexp.MustCompile(`(?:^|, )(?:wait of (\S+)|(random|other)(?:: ([^:()]+))?): (\S+ \S+) \(due (\S+ \S+) to \S+ \S+\)`).FindAllStringSubmatch(text, -1) {
		label, who := m[2], orAll(m[1]+m[3])
		if label == "" {
			label = o.labels[0]
		}
		g := o.grid(step)
		of := o.runs[label][0].of(who)
		if of == nil {
			return fmt.Errorf("no messages are called %q", who)
		}
		waits := make([][]float64, g.last()+1)
		for _, r := range of.finished() {
			waits[g.of(r.intended)] = append(waits[g.of(r.intended)], r.started-r.intended)
		}
		most := math.Inf(-1)
		for i := range waits {
			slices.Sort(waits[i])
			if len(waits[i]) > 0 {
				most = max(most, nearestRank(waits[i], 99))
			}
		}
		at := nearestRank(waits[g.of(seconds(m[5]))], 99)
		if err := printsAs(m[4], at); err != nil {
			return fmt.Errorf("%s in %s: %w", who, label, err)
		}
		if most > at+1e-9 {
			return fmt.Errorf("%s in %s: in another interval it is %v", who, label, most)
		}
	}
	return nil
}

var (
	allOnce  = regexp.MustCompile(`^([\d,]+) of ([\d,]+) messages published, delivered and finished once$`)
	someDone = regexp.MustCompile(`^([\d,]+) of ([\d,]+) messages finished$`)
	// ends are the clauses of the ledger with the state and the places that they name.
	ledgerEnds = []struct{ pattern, state string }{
		{`dropped(?: by queue (?P<queue>\S+))?(?: \(the queue was full: x-max-length\))?`, "dropped"},
		{`expired(?: in queue (?P<queue>\S+))?, which does not dead-letter`, "expired"},
		{`lost with (?P<worker>\S+), which had acked (?:it|them) or needed no ack`, "lost"},
		{`unacked at (?P<worker>\S+) and not started`, "left"},
		{`under way at (?P<worker>\S+)`, "left"},
		{`waits? in queue (?P<queue>\S+?)(?:, .*)?`, "left"},
	}
)

// checkLedger checks the line that says what became of the messages of all arms.
func (o told) checkLedger(text string) error {
	published, finished := 0, 0
	for _, c := range o.all() {
		published += len(c.rows)
		finished += int(c.count("done"))
	}
	for i, s := range sentences(text) {
		if i == 0 {
			m := allOnce.FindStringSubmatch(s)
			if m != nil && slices.ContainsFunc(o.all(), func(c *csvRun) bool { return c.count("done") < float64(len(c.rows)) }) {
				return fmt.Errorf("not all were finished")
			}
			if m == nil {
				m = someDone.FindStringSubmatch(s)
			}
			if m == nil || number(m[1]) != finished || number(m[2]) != published {
				return fmt.Errorf("%q: %d of %d were finished", s, finished, published)
			}
			continue
		}
		name, clauses, _ := strings.Cut(s, ": ")
		c := o.named[name]
		if c == nil {
			return fmt.Errorf("%q: no run is called %q", s, name)
		}
		left := len(c.rows) - int(c.count("done"))
		for _, clause := range strings.Split(clauses, "; ") {
			n, err := c.checkEnd(clause)
			if err != nil {
				return err
			}
			left -= n
		}
		if left != 0 {
			return fmt.Errorf("%q: %d messages have another end", s, left)
		}
	}
	return nil
}

// checkEnd checks a clause of the ledger, and returns how many messages it accounts for
// that were not done.
func (c *csvRun) checkEnd(clause string) (int, error) {
	m := regexp.MustCompile(`^([\d,]+)(?: messages?)?(?: (?:was|were|is|are))? (.*)$`).FindStringSubmatch(clause)
	if m == nil {
		return 0, fmt.Errorf("no end is like %q", clause)
	}
	n := number(m[1])
	switch {
	case m[2] == "worked on twice":
		twice := 0
		for _, r := range c.rows {
			if r.attempts > 1 {
				twice++
			}
		}
		if twice < n {
			return 0, fmt.Errorf("%q: only %d were delivered twice", clause, twice)
		}
		return 0, nil
	case strings.HasPrefix(m[2], "done but unacked at "):
		return 0, nil // rows do not tell
	}
	for _, e := range ledgerEnds {
		re := regexp.MustCompile("^(?:" + e.pattern + ")$")
		g := re.FindStringSubmatch(m[2])
		if g == nil {
			continue
		}
		is := 0
		for _, r := range c.rows {
			if r.state != e.state {
				continue
			}
			if k := re.SubexpIndex("worker"); k > 0 && r.worker != g[k] {
				continue
			}
			if k := re.SubexpIndex("queue"); k > 0 && g[k] != "" && r.queue != "" && r.queue != g[k] {
				continue
			}
			if e.state == "left" && (math.IsNaN(r.started) == strings.HasPrefix(m[2], "under way") || (r.worker == "") != strings.HasPrefix(m[2], "wait")) {
				continue
			}
			is++
		}
		if is != n {
			return 0, fmt.Errorf("%q: it is %d", clause, is)
		}
		return n, nil
	}
	return 0, fmt.Errorf("no end is like %q", clause)
}
