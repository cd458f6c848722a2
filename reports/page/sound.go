package page

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/stat"
)

// A Check is one line about the soundness of results.
type Check struct {
	State string // "ok", "info", "note", "bad"
	Name  string
	Text  string
}

// Mark returns a sign for the state, for readers who do not see its colour.
func (c Check) Mark() string {
	return map[string]string{"ok": "✓", "info": "•", "note": "!", "bad": "✗"}[c.State]
}

// Soundness says whether results can be relied on.
type Soundness struct {
	State  string // the worst of its checks
	Title  string
	Checks []Check
}

// Sound checks results: the ledger, lateness, warm-up, drift, repeats and clock, and
// the findings of the load generators.
func Sound(in *arms.Set) Soundness {
	s := Soundness{State: "ok"}
	add := func(state, name, format string, args ...any) {
		s.Checks = append(s.Checks, Check{state, name, fmt.Sprintf(format, args...)})
	}
	checkFindings(in, add)
	checkCapacity(in, add)
	checkLedger(in, add)
	checkLateness(in, add)
	checkWarmup(in, add)
	checkRepeats(in, add)
	for _, c := range s.Checks {
		if c.State == "bad" || c.State == "note" && s.State == "ok" {
			s.State = c.State
		}
	}
	s.Title = map[string]string{
		"ok": "The runs are sound.", "note": "Read with care.", "bad": "Invalid: do not use these figures.",
	}[s.State]
	if len(in.Runs) == 1 && s.State == "ok" {
		s.Title = "The run is sound."
	}
	return s
}

type adder func(state, name, format string, args ...any)

// checkFindings lists what the runs themselves have found. A finding of several runs is
// told once, and so are the sentences with which all findings of a kind begin.
func checkFindings(in *arms.Set, add adder) {
	type finding struct {
		text string
		runs []string
	}
	type kind struct{ state, code string }
	var kinds []kind
	found := make(map[kind][]finding)
	for _, r := range in.Runs {
		for _, f := range r.Summary.Findings {
			k := kind{"note", f.Code}
			switch {
			case f.Invalid:
				k.state = "bad"
			case f.Code == "race":
				k.state = "info" // it says nothing against the figures
			}
			if found[k] == nil {
				kinds = append(kinds, k)
			}
			i := slices.IndexFunc(found[k], func(o finding) bool { return o.text == f.Text })
			if i < 0 {
				i = len(found[k])
				found[k] = append(found[k], finding{text: f.Text})
			}
			found[k][i].runs = append(found[k][i].runs, in.RunName(r))
		}
	}
	for _, k := range kinds {
		name, same := k.code, 0
		if len(found[k]) > 1 {
			texts := make([]string, len(found[k]))
			for i, f := range found[k] {
				texts[i] = f.text
			}
			if same = sameSentences(texts); same > 0 {
				add(k.state, name, "%s", strings.TrimSpace(texts[0][:same]))
				name = ""
			}
		}
		for _, f := range found[k] {
			add(k.state, name, "%s: %s", stat.List(f.runs, "and"), f.text[same:])
			name = ""
		}
	}
	for _, r := range in.Runs {
		if r.Summary.Partial {
			add("note", "partial", "%s was cut short; its figures cover the time until then.", in.RunName(r))
		}
	}
}

// sameSentences returns the length of the whole sentences with which all texts begin. Each
// text has more to say after them.
func sameSentences(texts []string) int {
	n := len(texts[0])
	for _, t := range texts[1:] {
		n = min(n, len(t))
		for i := range n {
			if t[i] != texts[0][i] {
				n = i
				break
			}
		}
	}
	if end := strings.LastIndex(texts[0][:n], ". "); end >= 0 {
		return end + len(". ")
	}
	return 0
}

// checkLedger checks that every published message was finished once, and says what
// became of the others.
func checkLedger(in *arms.Set, add adder) {
	var published, finished int64
	var wrong []string
	for _, r := range in.Runs {
		l := r.Summary.Ledger
		published += l.Published
		finished += l.Finished
		if clauses := endWords(r.Summary); len(clauses) > 0 {
			wrong = append(wrong, in.RunName(r)+": "+strings.Join(clauses, "; "))
		}
	}
	if len(wrong) > 0 {
		add("note", "ledger", "%s of %s messages finished. %s.", stat.Count(int(finished)), stat.Count(int(published)), strings.Join(wrong, ". "))
		return
	}
	add("ok", "ledger", "%s of %s messages published, delivered and finished once.", stat.Count(int(finished)), stat.Count(int(published)))
}

// maxEnds is the greatest number of clauses of the ledger for a run.
const maxEnds = 6

// endWords says what became of a run's messages that were not done, or were done twice.
func endWords(s *stat.Summary) []string {
	var clauses []string
	rest := 0
	for i, e := range s.Ends {
		if i >= maxEnds {
			rest += e.N
			continue
		}
		clauses = append(clauses, e.Text(stat.Count))
	}
	if rest > 0 {
		clauses = append(clauses, fmt.Sprintf("%s ended in other ways", stat.Count(rest)))
	}
	if n := s.Ledger.Duplicated; n > 0 {
		clauses = append(clauses, fmt.Sprintf("%s %s worked on twice", stat.Count(int(n)), plural(int(n), "message was", "messages were")))
	}
	for _, w := range s.Workers {
		if w.Unacked > 0 {
			clauses = append(clauses, fmt.Sprintf("%s %s done but unacked at %s", stat.Count(int(w.Unacked)), plural(int(w.Unacked), "message is", "messages are"), w.Name))
		}
	}
	return clauses
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// checkLateness says that the load generators were not too late. The findings of those
// that were are listed already.
func checkLateness(in *arms.Set, add adder) {
	var all stat.Lateness
	real := false
	for _, r := range in.Runs {
		if slices.ContainsFunc(r.Summary.Findings, func(f stat.Finding) bool { return f.Code == "lateness" }) {
			return
		}
		if l := r.Summary.Lateness; l != nil {
			real = true
			all.Join(l)
		}
	}
	switch words := all.Words(); {
	case !real:
		add("ok", "lateness", "In virtual time nothing is late.")
	case words == "":
		add("ok", "lateness", "No message has a time of its own, and no work was done: nothing can be late.")
	default:
		add("ok", "lateness", "Lateness of the load generator changes no figure of a class by more than %s: %s.", stat.Percent(stat.LatenessShare), words)
	}
}

func checkWarmup(in *arms.Set, add adder) {
	cut, drift := int64(0), 0.0
	drifting := ""
	for _, r := range in.Runs {
		cut = max(cut, r.Result.Warmup)
		if d := r.Summary.Drift; d != nil && math.Abs(*d) > math.Abs(drift) {
			drift, drifting = *d, in.RunName(r)
		}
	}
	warm := "there is no warm-up"
	if cut > 0 {
		warm = "the first " + stat.Brief(float64(cut)/1e6) + " are left out as warm-up"
	}
	switch {
	case drifting == "":
		add("ok", "warm-up", "%s; drift cannot be measured on this load.", stat.Upper(warm))
	case math.Abs(drift) > driftLimit:
		add("info", "warm-up", "%s; %s.", stat.Upper(warm), driftWords(drift, drifting))
	default:
		add("ok", "warm-up", "%s; no drift: the mean waits of both halves differ by at most %s.", stat.Upper(warm), stat.Percent(math.Abs(drift)))
	}
}

// driftWords says how the wait changes in the course of a run.
func driftWords(drift float64, name string) string {
	switch {
	case drift >= 1:
		return fmt.Sprintf("waits grow: the second half of %s waits %s times as long as the first", name, stat.Plain(1+drift))
	case drift > 0:
		return fmt.Sprintf("waits grow: the second half of %s waits %s longer than the first", name, stat.Percent(drift))
	}
	return fmt.Sprintf("waits shrink: the second half of %s waits %s less than the first", name, stat.Percent(-drift))
}

// driftLimit is the relative difference between the mean waits of the halves of a run
// up to which the run counts as steady.
const driftLimit = 0.1

func checkRepeats(in *arms.Set, add adder) {
	repeats, virtual := 0, true
	for _, a := range in.Arms {
		repeats = max(repeats, len(a.Runs))
		virtual = virtual && a.First().Summary.Virtual
	}
	switch {
	case virtual:
		add("ok", "clock", "Virtual time: exact, every repeat gives the same figures.")
	case repeats == 1 && in.Predicts():
		add("ok", "clock", "Real clock, one repeat each, compared with the exact prediction below.")
	case repeats == 1:
		add("ok", "clock", "Real clock, one repeat each: there are no confidence intervals.")
	default:
		add("ok", "clock", "Real clock, %d repeats.", repeats)
	}
}
