package page

import (
	"fmt"
	"strings"

	"harelab/loadgen/run"
	"harelab/reports/arms"
	"harelab/reports/stat"
)

// splits reports whether b has more queues than a.
func splits(a, b *arms.Arm) bool {
	return len(b.First().Result.Queues) > len(a.First().Result.Queues)
}

// window returns the prefetch count per slot, 0 for no limit. It returns false if the
// workers differ in it.
func window(r *run.Result) (float64, bool) {
	w := -1.0
	for _, k := range r.Workers {
		if k.Slots == 0 {
			return 0, false
		}
		p := float64(k.Prefetch) / float64(k.Slots)
		if w >= 0 && p != w {
			return 0, false
		}
		w = p
	}
	return w, w >= 0
}

// smallerWindow reports whether the workers of b have a smaller prefetch count per
// slot than those of a.
func smallerWindow(a, b *arms.Arm) bool {
	x, okX := window(a.First().Result)
	y, okY := window(b.First().Result)
	return okX && okY && y > 0 && (x == 0 || y < x)
}

// changeWords says how b differs from a, as "prefetch 1 per slot and ack after the
// work". It is empty if it finds no difference.
func changeWords(a, b *arms.Arm) string {
	x, y := a.First().Result, b.First().Result
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if len(y.Queues) > len(x.Queues) {
		add("splitting the queue")
	} else if len(y.Queues) < len(x.Queues) {
		add("joining the queues")
	}
	if m, n := slots(x), slots(y); m != n {
		add("%d instead of %d slots", n, m)
	}
	wx, okX := window(x)
	if wy, ok := window(y); ok && (!okX || wx != wy) {
		if wy == 0 {
			add("unlimited prefetch")
		} else {
			add("prefetch %g per slot", wy)
		}
	}
	if ack := ackWords(y); ack != "" && ack != ackWords(x) {
		add("%s", ack)
	}
	if y.Dispatch != "" && x.Dispatch != y.Dispatch {
		add("dispatch %s", y.Dispatch)
	}
	if y.Order != "" && x.Order != y.Order {
		add("order %s", y.Order)
	}
	if y.Matcher != "" && x.Matcher != y.Matcher {
		add("matcher %s", y.Matcher)
	}
	if len(words) == 0 && x.Target != y.Target {
		add("%s", strings.TrimSpace(y.Target.Product+" "+y.Target.Version))
	}
	return stat.List(words, "and")
}

func slots(r *run.Result) int {
	n := 0
	for _, w := range r.Workers {
		n += w.Slots
	}
	return n
}

// ackWords says when workers acknowledge. It is empty if they differ in that.
func ackWords(r *run.Result) string {
	if len(r.Workers) == 0 {
		return ""
	}
	for _, w := range r.Workers {
		if w.Ack != r.Workers[0].Ack {
			return ""
		}
	}
	return map[string]string{"on-done": "ack after the work", "on-start": "ack at the start", "none": "no acks"}[r.Workers[0].Ack]
}

// blocker names the class that took most slot time while the given class starved. It
// is empty if no other class took any.
func blocker(r *arms.Run, class string) string {
	c := r.Summary.Class(class)
	if c == nil {
		return ""
	}
	from := int64(c.StarvedFrom * 1e6)
	to := from + int64(c.Starvation*1e6)
	busy := make([]int64, len(r.Result.Classes))
	for _, s := range r.Result.Spans {
		if d := min(s.End, to) - max(s.Start, from); d > 0 && s.Class >= 0 && int(s.Class) < len(busy) && r.Result.Classes[s.Class] != class {
			busy[s.Class] += d
		}
	}
	best := -1
	for i, b := range busy {
		if b > 0 && (best < 0 || b > busy[best]) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return r.Result.Classes[best]
}
