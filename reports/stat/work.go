package stat

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"harelab/loadgen/run"
)

// An edge is the start or the end of a stretch of work on one worker.
type edge struct {
	at    int64
	class int32
	step  int32 // +1 start, -1 end
}

// compareEdges orders edges by time, ends first where they coincide.
func compareEdges(a, b edge) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step))
}

// edges returns the starts and ends of each worker's work, in order of time,
// ends first where they coincide.
func (b *book) edges() [][]edge {
	out := make([][]edge, len(b.r.Workers))
	for _, s := range b.r.Spans {
		if int(s.Worker) < len(out) && s.Worker >= 0 {
			out[s.Worker] = append(out[s.Worker], edge{s.Start, s.Class, 1}, edge{s.End, s.Class, -1})
		}
	}
	for _, es := range out {
		slices.SortStableFunc(es, compareEdges)
	}
	return out
}

// workers returns the figures of each worker over the window from first
// publish to last done.
func (b *book) workers() (ws []*Worker, utilisation float64) {
	busy := make([]int64, len(b.r.Workers))
	for _, s := range b.r.Spans {
		if d := min(s.End, b.last) - max(s.Start, b.sent); d > 0 && s.Worker >= 0 {
			busy[s.Worker] += d
		}
	}
	finished := make([]int, len(b.r.Workers))
	for i := range b.r.Messages {
		if m := &b.r.Messages[i]; m.State == run.Done && m.Worker >= 0 {
			finished[m.Worker]++
		}
	}
	var total, capacity int64
	for i, w := range b.r.Workers {
		c := max(b.last-b.sent, 0) * int64(w.Slots)
		total += busy[i]
		capacity += c
		ws = append(ws, &Worker{
			Name: w.Name, Slots: w.Slots, Prefetch: w.Prefetch, Scope: w.Scope, Ack: w.Ack,
			Finished: finished[i], Busy: seconds(busy[i]), Utilisation: share(busy[i], c),
		})
	}
	return ws, share(total, capacity)
}

func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// jainBusy is Jain's index over the workers' busy seconds in work that was
// finished.
func (b *book) jainBusy() Figure {
	x := make([]float64, len(b.r.Workers))
	for i := range b.r.Messages {
		if m := &b.r.Messages[i]; m.State == run.Done && m.Worker >= 0 {
			x[m.Worker] += float64(m.Done - m.Started)
		}
	}
	return known(Jain(x))
}

func known(v float64) Figure {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return figure(v)
}

// stuck returns for each message of a class how long it was held while every
// slot of its worker was busy with other classes, and counts those held so for
// at least as long as their own work takes.
func (b *book) stuck(class int32, edges [][]edge) (n int, longest int64) {
	foreign := make([]foreignTime, len(edges))
	for w := range edges {
		foreign[w] = newForeignTime(edges[w], class, b.r.Workers[w].Slots)
	}
	for i := range b.r.Messages {
		m := &b.r.Messages[i]
		if m.Class != class || m.Worker < 0 || m.Started == run.None || m.Received == run.None || m.Intended < b.r.Warmup {
			continue
		}
		t := foreign[m.Worker].upTo(m.Started) - foreign[m.Worker].upTo(m.Received)
		if t > 0 && t >= m.Service {
			n++
			longest = max(longest, t)
		}
	}
	return n, longest
}

// foreignTime is the running total of time in which all slots of a worker are
// busy with classes other than one: total[i] holds at at[i], and it grows from
// there on if on[i].
type foreignTime struct {
	at, total []int64
	on        []bool
}

func newForeignTime(es []edge, class int32, slots int) foreignTime {
	var f foreignTime
	var sum, prev int64
	var others int32
	for i, e := range es {
		if int(others) == slots && slots > 0 {
			sum += e.at - prev
		}
		prev = e.at
		if e.class != class {
			others += e.step
		}
		if i+1 < len(es) && es[i+1].at == e.at {
			continue
		}
		f.at = append(f.at, e.at)
		f.total = append(f.total, sum)
		f.on = append(f.on, int(others) == slots && slots > 0)
	}
	return f
}

func (f foreignTime) upTo(t int64) int64 {
	i := sort.Search(len(f.at), func(i int) bool { return f.at[i] > t }) - 1
	if i < 0 {
		return 0
	}
	if f.on[i] {
		return f.total[i] + t - f.at[i]
	}
	return f.total[i]
}
