package stat

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"harelab/loadgen/run"
)

// An edge is the start or the end of a span of work on one worker.
type edge struct {
	at    int64
	class int32
	step  int32 // +1 start, -1 end
}

// compareEdges orders edges by time; at the same time ends come first.
func compareEdges(a, b edge) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step))
}

// edges returns the starts and ends of each worker's work, in the order of
// compareEdges.
func (ds *dataset) edges() [][]edge {
	out := make([][]edge, len(ds.r.Workers))
	for _, s := range ds.r.Spans {
		if int(s.Worker) < len(out) && s.Worker >= 0 {
			out[s.Worker] = append(out[s.Worker], edge{s.Start, s.Class, 1}, edge{s.End, s.Class, -1})
		}
	}
	for _, es := range out {
		slices.SortStableFunc(es, compareEdges)
	}
	return out
}

// workers returns the figures of each worker, from the first publish to the last
// done, and the utilisation of all.
func (ds *dataset) workers() (ws []*Worker, utilisation float64) {
	busy := make([]int64, len(ds.r.Workers))
	for _, s := range ds.r.Spans {
		if d := s.End - max(s.Start, ds.sent); d > 0 && s.Worker >= 0 {
			busy[s.Worker] += d
		}
	}
	finished := make([]int, len(ds.r.Workers))
	for i := range ds.r.Messages {
		if m := &ds.r.Messages[i]; m.State == run.Done && m.Worker >= 0 {
			finished[m.Worker]++
		}
	}
	var total, capacity int64
	for i, w := range ds.r.Workers {
		c := max(ds.worked-ds.sent, 0) * int64(w.Slots)
		total += busy[i]
		capacity += c
		ws = append(ws, &Worker{
			Name: w.Name, Slots: w.Slots, Prefetch: w.Prefetch, Scope: w.Scope, Ack: w.Ack,
			Finished: finished[i], Busy: seconds(busy[i]), Utilisation: share(busy[i], c), Unacked: w.Unacked,
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

// jainBusy is Jain's index over the time that each worker was busy. It counts the
// workers and messages that keep admits.
func (ds *dataset) jainBusy(keep *filter) float64 {
	busy := make([]float64, len(ds.r.Workers))
	for _, s := range ds.r.Spans {
		if d := s.End - max(s.Start, ds.sent); d > 0 && s.Worker >= 0 && keep.class.admits(s.Class) {
			if m := ds.message(s.Seq); m == nil || keep.carries(m) {
				busy[s.Worker] += float64(d)
			}
		}
	}
	var x []float64
	for w := range busy {
		if keep.worker.admits(int32(w)) {
			x = append(x, busy[w])
		}
	}
	return Jain(x)
}

// utilisation is the share of slot time, from the first publish to the end of the last
// work, that was spent on messages, finished or not. It counts the workers and messages
// that keep admits.
func (ds *dataset) utilisation(keep *filter) float64 {
	var busy, capacity int64
	for _, s := range ds.r.Spans {
		d := s.End - max(s.Start, ds.sent)
		if d > 0 && s.Worker >= 0 && keep.worker.admits(s.Worker) && keep.class.admits(s.Class) {
			if m := ds.message(s.Seq); m == nil || keep.carries(m) {
				busy += d
			}
		}
	}
	for i, w := range ds.r.Workers {
		if keep.worker.admits(int32(i)) {
			capacity += max(ds.worked-ds.sent, 0) * int64(w.Slots)
		}
	}
	return ratio(float64(busy), float64(capacity))
}

// message returns the message with a sequence number, nil if there is none.
func (ds *dataset) message(seq int64) *run.Message {
	ms := ds.r.Messages
	if seq >= 0 && seq < int64(len(ms)) && ms[seq].Seq == seq { // nothing is missing before it
		return &ms[seq]
	}
	i, ok := slices.BinarySearchFunc(ms, seq, func(m run.Message, seq int64) int { return cmp.Compare(m.Seq, seq) })
	if !ok {
		return nil
	}
	return &ms[i]
}

func known(v float64) Figure {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return figure(v)
}

// stuckOf counts the stuck messages of all classes that keep admits.
func (ds *dataset) stuckOf(keep *filter) int {
	if len(ds.r.Classes) < 2 { // a single class is never held behind another
		return 0
	}
	edges, all := ds.edges(), 0
	for c := range ds.r.Classes {
		if keep.class.admits(int32(c)) {
			n, _ := ds.stuck(int32(c), edges, keep)
			all += n
		}
	}
	return all
}

// stuck counts the messages of a class that a worker held, while all its slots were
// busy with other classes, for at least the message's own service time. It returns
// their number and the longest such time in microseconds. It counts the messages
// that keep admits.
func (ds *dataset) stuck(class int32, edges [][]edge, keep *filter) (n int, longest int64) {
	foreign := make([]foreignTime, len(edges))
	for w := range edges {
		foreign[w] = newForeignTime(edges[w], class, ds.r.Workers[w].Slots)
	}
	for i := range ds.r.Messages {
		m := &ds.r.Messages[i]
		if m.Class != class || m.Worker < 0 || m.Started == run.None || m.Received == run.None || m.Intended < ds.r.Warmup || !keep.admits(m) {
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

// foreignTime is the running total, in microseconds, of the time in which all slots
// of a worker are busy with other classes than one. At the instant at[i] the total
// is total[i]; from there it grows if on[i].
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
