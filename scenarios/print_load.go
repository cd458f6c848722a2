package scenarios

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

func (s *Scenario) printSequence(b *bytes.Buffer, q Sequence) {
	fmt.Fprintf(b, "  - sequence: %s\n", quote(q.Name))
	if q.Start > 0 {
		fmt.Fprintf(b, "    start: %v\n", q.Start)
	}
	fmt.Fprintf(b, "    connections: %d\n", q.Connections)
	if q.Confirm {
		fmt.Fprintf(b, "    confirm: {max_in_flight: %d}\n", q.MaxInFlight)
	}
	if q.InStep {
		b.WriteString("    in_step: true\n")
	}
	lines(b, "    ", "phases", q.Phases, s.phaseYAML)
	lines(b, "    ", "admin", q.Admin, func(a Admin) string {
		return fmt.Sprintf("{do: %s, rate: %s}", a.Do, rate(a.Rate))
	})
}

func (s *Scenario) phaseYAML(p Phase) string {
	var f, fix flow
	f.add("model", string(p.Model))
	switch {
	case p.Model == Trace:
		f.add("rows", s.rowsYAML(p.Rows))
	case len(p.Pattern) == 1:
		f.add("class", quote(s.Classes[p.Pattern[0]].Name))
	case len(p.Pattern) > 0:
		names := make([]string, len(p.Pattern))
		for i, c := range p.Pattern {
			names[i] = s.Classes[c].Name
		}
		f.add("mix", "{pattern: "+texts(names)+"}")
	default:
		f.add("mix", "{weights: "+sortedWeights(s, p.Weights)+"}")
	}
	for _, k := range sortedKeys(p.Fix) {
		fix.add(quote(k), quote(p.Fix[k]))
	}
	f.add("fix", fix.optional())
	switch p.Model {
	case Burst:
		f.add("count", strconv.Itoa(p.Count))
	case Open:
		f.add("count", whole(p.Count, 0))
		f.add("arrival", p.Arrival.yaml())
		parts := make([]string, len(p.Shape))
		for i, seg := range p.Shape {
			parts[i] = seg.yaml()
		}
		f.add("shape", "["+strings.Join(parts, ", ")+"]")
	case Closed:
		f.add("count", whole(p.Count, 0))
		f.add("duration", span(p.Duration, 0))
		f.add("users", strconv.Itoa(p.Users))
		f.add("think", p.Think.yaml(microText))
		f.add("await", string(p.Await))
	}
	return f.String()
}

func (s *Scenario) rowsYAML(rows []Row) string {
	parts := make([]string, len(rows))
	for i, r := range rows {
		size, service := `""`, `""`
		if r.Size >= 0 {
			size = bytesText(float64(r.Size))
		}
		if r.Service >= 0 {
			service = r.Service.String()
		}
		parts[i] = fmt.Sprintf("[%v, %s, %s, %s, %s, %s]", r.At, quote(s.Classes[r.Class].Name), quote(r.Exchange), quote(r.Key), size, service)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (a Arrival) yaml() string {
	var f flow
	switch a.Process {
	case "gamma":
		f.add("process", a.Process)
		f.add("shape", num(a.Shape))
	case "mmpp":
		f.add("process", a.Process)
		f.add("burst", a.Burst.String())
		f.add("pause", a.Pause.String())
	default:
		return a.Process
	}
	return f.String()
}

func (g Segment) yaml() string {
	var f flow
	switch {
	case g.Period > 0:
		f.add("sine", rate(g.To))
		f.add("amplitude", rate(g.Amplitude))
		f.add("period", g.Period.String())
	case g.From == g.To:
		f.add("hold", rate(g.To))
	default:
		f.add("ramp", rate(g.To))
		f.add("from", rate(g.From))
	}
	f.add("for", g.For.String())
	return f.String()
}

func (w Worker) yaml() string {
	var f flow
	f.add("name", quote(w.Name))
	f.add("threads", strconv.Itoa(w.Slots))
	parts := make([]string, len(w.Consume))
	for i, c := range w.Consume {
		parts[i] = c.yaml()
	}
	f.add("consume", "["+strings.Join(parts, ", ")+"]")
	f.add("prefetch", fmt.Sprintf("{count: %d, scope: %s}", w.Prefetch, w.Scope))
	f.add("ack", w.Ack.yaml())
	f.add("work", w.Work)
	if w.Slow != 1 {
		f.add("slow", num(w.Slow))
	}
	f.add("joins_at", span(w.JoinsAt, 0))
	f.add("calls", optional(w.Calls))
	if w.Fail != nil {
		f.add("fail", w.Fail.yaml())
	}
	if w.Shared > 0 {
		f.add("connections", fmt.Sprintf("shared:%d", w.Shared))
	}
	return f.String()
}

func (c Consume) yaml() string {
	var f flow
	f.add("queue", quote(c.Queue))
	f.add("prefetch", whole(c.Prefetch, -1))
	f.add("priority", whole(int(c.Priority), 0))
	f.flag("exclusive", c.Exclusive)
	return f.String()
}

func (a Ack) yaml() string {
	if a.Forget == 0 && a.Batch == 1 {
		return a.When
	}
	var f flow
	f.add("when", a.When)
	f.add("batch", whole(a.Batch, 1))
	if a.Forget > 0 {
		f.add("forget", fmt.Sprintf("{every: %d}", a.Forget))
	}
	return f.String()
}

func (x Fail) yaml() string {
	var f flow
	f.add("from", span(x.From, 0))
	f.add("to", span(x.To, 0))
	f.add("p", num(x.P))
	f.add("first", whole(x.First, 0))
	f.add("timeout", span(x.Timeout, 0))
	f.add("retry", x.Retry)
	if x.How != HowNack {
		f.add("how", x.How)
	}
	f.add("max_attempts", whole(x.MaxAttempts, 0))
	f.add("then", optional(x.Then))
	if len(x.Backoff.Keys) > 0 {
		delays := make([]string, len(x.Backoff.Delay))
		for i, t := range x.Backoff.Delay {
			delays[i] = t.String()
		}
		f.add("backoff", fmt.Sprintf("{exchange: %s, keys: %s, delay: [%s], jitter: %s}",
			quote(x.Backoff.Exchange), texts(x.Backoff.Keys), strings.Join(delays, ", "), num(x.Backoff.Jitter)))
	}
	return f.String()
}

func (x Fault) yaml() string {
	var f flow
	f.add("at", x.At.String())
	f.add("do", x.Do)
	f.add("worker", quote(x.Worker))
	f.add("restart_after", span(x.RestartAfter, -1*time.Nanosecond))
	return f.String()
}
