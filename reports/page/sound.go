package page

import (
	"fmt"
	"math"
	"strings"

	"harelab/reports/arms"
	"harelab/reports/stat"
)

// A Check is one line of "is this sound?".
type Check struct {
	State string // "ok", "info", "note", "bad"
	Name  string
	Text  string
}

// Mark is the check's sign, so that its colour is not all that tells.
func (c Check) Mark() string {
	return map[string]string{"ok": "✓", "info": "•", "note": "!", "bad": "✗"}[c.State]
}

// Soundness is whether results may be believed.
type Soundness struct {
	State  string // the worst of its checks
	Title  string
	Checks []Check
}

// Sound checks results: ledger, lateness, warm-up, drift, repeats, clock, and
// what the generators themselves found.
func Sound(in *arms.Set) Soundness {
	s := Soundness{State: "ok"}
	add := func(state, name, format string, args ...any) {
		s.Checks = append(s.Checks, Check{state, name, fmt.Sprintf(format, args...)})
	}
	for _, r := range in.Runs {
		for _, f := range r.Summary.Findings {
			state := "note"
			if f.Invalid {
				state = "bad"
			}
			add(state, f.Code, "%s: %s", runName(r), f.Text)
		}
		if r.Summary.Partial {
			add("note", "partial", "%s was cut short; its figures are of what was done until then.", runName(r))
		}
	}
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

func runName(r *arms.Run) string {
	t := r.Summary.Arm + " on " + r.Summary.Target.Kind
	if r.Summary.Target.Kind == "amqp" {
		t = r.Summary.Arm + " on " + r.Summary.Target.Product
	}
	if r.Summary.Repeat > 0 {
		t += fmt.Sprintf(", repeat %d", r.Summary.Repeat+1)
	}
	return t
}

type adder func(state, name, format string, args ...any)

// checkLedger wants every published message finished once.
func checkLedger(in *arms.Set, add adder) {
	var published, finished int64
	var wrong []string
	for _, r := range in.Runs {
		l := r.Summary.Ledger
		published += l.Published
		finished += l.Finished
		for _, c := range []struct {
			n    int64
			what string
		}{{l.Lost, "lost"}, {l.Duplicated, "worked on twice"}, {l.Unserved, "not served"}, {l.Returned, "returned"}, {max(l.Unroutable, 0), "unroutable"}, {l.Rejected, "rejected"}} {
			if c.n > 0 {
				wrong = append(wrong, fmt.Sprintf("%s: %s %s", runName(r), stat.Count(int(c.n)), c.what))
			}
		}
	}
	if len(wrong) > 0 {
		add("note", "ledger", "%s of %s messages finished; %s.", stat.Count(int(finished)), stat.Count(int(published)), strings.Join(wrong, "; "))
		return
	}
	add("ok", "ledger", "%s of %s messages published, delivered and finished once.", stat.Count(int(finished)), stat.Count(int(published)))
}

// checkLateness reports how late the generators were. What makes a run
// invalid was found by the generator; a late one that is valid was late by
// less than matters.
func checkLateness(in *arms.Set, add adder) {
	worst, real := 0.0, false
	for _, r := range in.Runs {
		for _, f := range r.Summary.Findings {
			if strings.HasPrefix(f.Code, "late") {
				return // the generator has said so
			}
		}
		if r.Summary.Virtual {
			continue
		}
		real = true
		if d := r.Summary.All.ScheduleLag; d != nil {
			worst = max(worst, d.P99)
		}
	}
	if !real {
		add("ok", "lateness", "Publishing was never late: in virtual time it cannot be.")
		return
	}
	add("ok", "lateness", "Published at the intended time, to %s at the 99th percentile.", stat.Brief(worst))
}

func checkWarmup(in *arms.Set, add adder) {
	cut, drift := int64(0), 0.0
	drifting := ""
	for _, r := range in.Runs {
		cut = max(cut, r.Result.Warmup)
		if d := r.Summary.Drift; d != nil && math.Abs(*d) > math.Abs(drift) {
			drift, drifting = *d, runName(r)
		}
	}
	warm := "no warm-up is cut off"
	if cut > 0 {
		warm = "the first " + stat.Brief(float64(cut)/1e6) + " are left out as warm-up"
	}
	switch {
	case drifting == "":
		add("ok", "warm-up", "%s; too short to speak of drift.", stat.Upper(warm))
	case math.Abs(drift) > driftLimit:
		add("info", "warm-up", "%s; not a steady state: the later half of %s waits %s %s.", stat.Upper(warm), drifting,
			stat.Percent(math.Abs(drift)), map[bool]string{true: "longer", false: "shorter"}[drift > 0])
	default:
		add("ok", "warm-up", "%s; no drift: both halves wait alike within %s.", stat.Upper(warm), stat.Percent(math.Abs(drift)))
	}
}

// driftLimit is how much the halves of a steady run may differ.
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
		add("ok", "clock", "Real clock, one repeat each, held against the exact prediction below.")
	case repeats == 1:
		add("ok", "clock", "Real clock, one repeat each: no interval of confidence.")
	default:
		add("ok", "clock", "Real clock, %d repeats.", repeats)
	}
}
