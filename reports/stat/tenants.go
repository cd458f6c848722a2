package stat

import (
	"cmp"
	"math"
	"slices"

	"harelab/loadgen/run"
)

const (
	window     = perSecond // microseconds, the window of jain.share
	maxWindows = 1 << 20   // twelve days of windows
)

// jainShare is Jain's index over the service that each tenant received, averaged
// over the seconds in which every tenant had a message waiting all the time. In
// other seconds the index has no meaning: a tenant that asked for less received
// less. It counts the tenants and messages that keep admits. It is NaN if there is
// no such second, or only one tenant.
func (ds *dataset) jainShare(keep *filter) float64 {
	var tenants []int32
	for t := range ds.r.Tenants {
		if keep.tenant.admits(int32(t)) {
			tenants = append(tenants, int32(t))
		}
	}
	n := len(tenants)
	if n < 2 || ds.last <= ds.sent {
		return math.NaN()
	}
	windows := int(min((ds.last-ds.sent)/window, maxWindows))
	common := backlogged{count: make([]int, windows)}
	for _, t := range tenants {
		common.add(ds.waitingSpans(t, keep), ds.sent)
	}
	got := ds.servicePerWindow(windows, tenants, keep)
	var sum float64
	k := 0
	for w, c := range common.count {
		if c == n {
			if j := Jain(got[w]); !math.IsNaN(j) {
				sum += j
				k++
			}
		}
	}
	return ratio(sum, float64(k))
}

// backlogged counts, for each window, the tenants that had a message waiting all
// the time.
type backlogged struct{ count []int }

// add counts the windows that lie wholly within one of the spans.
func (b *backlogged) add(spans [][2]int64, start int64) {
	for _, s := range spans {
		first := (max(s[0]-start, 0) + window - 1) / window
		for w := first; w < int64(len(b.count)) && start+(w+1)*window <= s[1]; w++ {
			b.count[w]++
		}
	}
}

// waitingSpans returns the spans in which the tenant had a message waiting.
func (ds *dataset) waitingSpans(tenant int32, keep *filter) [][2]int64 {
	type step struct{ at, by int64 }
	steps := make([]step, 0, 2*len(ds.r.Messages)/len(ds.r.Tenants))
	for i := range ds.r.Messages {
		m := &ds.r.Messages[i]
		if m.Tenant != tenant || !keep.admits(m) {
			continue
		}
		ds.waits(m, func(arrive, start int64) {
			if start == run.None {
				start = ds.r.Length
			}
			steps = append(steps, step{arrive, 1}, step{start, -1})
		})
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.by, a.by)) })
	var out [][2]int64
	var waiting, since int64
	for _, s := range steps {
		if waiting == 0 {
			since = s.at
		}
		if waiting += s.by; waiting == 0 && s.at > since {
			out = append(out, [2]int64{since, s.at})
		}
	}
	return out
}

// servicePerWindow returns, for each window, the microseconds of service that each
// tenant received in it.
func (ds *dataset) servicePerWindow(windows int, tenants []int32, keep *filter) [][]float64 {
	got := make([][]float64, windows)
	for w := range got {
		got[w] = make([]float64, len(tenants))
	}
	place := make([]int, len(ds.r.Tenants))
	for i, t := range tenants {
		place[t] = i
	}
	for i := range ds.r.Messages {
		m := &ds.r.Messages[i]
		if m.Tenant < 0 || m.Started == run.None || m.Done == run.None || !keep.admits(m) {
			continue
		}
		from, to := m.Started-ds.sent, m.Done-ds.sent
		for w := max(from, 0) / window; w < int64(windows) && w*window < to; w++ {
			got[w][place[m.Tenant]] += float64(min(to, (w+1)*window) - max(from, w*window))
		}
	}
	return got
}
