package stat

import (
	"cmp"
	"math"
	"slices"

	"harelab/loadgen/run"
)

const (
	window     = perSecond // of jain.share, in microseconds
	maxWindows = 1 << 20   // twelve days
)

// jainShare is Jain's index over the service that tenants received, in whole
// seconds in which every tenant had something waiting throughout, averaged
// over those seconds. Outside such seconds the index means nothing: a tenant
// that asked for less got less. Only tenants and messages that keep lets through
// are looked at; NaN where the index means nothing.
func (b *book) jainShare(keep *filter) float64 {
	var tenants []int32
	for t := range b.r.Tenants {
		if keep.tenant.admits(int32(t)) {
			tenants = append(tenants, int32(t))
		}
	}
	n := len(tenants)
	if n < 2 || b.last <= b.sent {
		return math.NaN()
	}
	windows := int(min((b.last-b.sent)/window, maxWindows))
	common := backlogged{count: make([]int, windows)}
	for _, t := range tenants {
		common.add(b.waitingSpans(t, keep), b.sent)
	}
	got := b.servicePerWindow(windows, tenants, keep)
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

// backlogged counts for each window the tenants that waited throughout.
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

// waitingSpans returns the spans in which the tenant had something waiting.
func (b *book) waitingSpans(tenant int32, keep *filter) [][2]int64 {
	type step struct{ at, by int64 }
	steps := make([]step, 0, 2*len(b.r.Messages)/len(b.r.Tenants))
	for i := range b.r.Messages {
		m := &b.r.Messages[i]
		if m.Tenant != tenant || !keep.admits(m) {
			continue
		}
		b.waits(m, func(arrive, start int64) {
			if start == run.None {
				start = b.r.Length
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

// servicePerWindow returns for each window the microseconds of work that each of
// the tenants received in it.
func (b *book) servicePerWindow(windows int, tenants []int32, keep *filter) [][]float64 {
	got := make([][]float64, windows)
	for w := range got {
		got[w] = make([]float64, len(tenants))
	}
	place := make([]int, len(b.r.Tenants))
	for i, t := range tenants {
		place[t] = i
	}
	for i := range b.r.Messages {
		m := &b.r.Messages[i]
		if m.Tenant < 0 || m.Started == run.None || m.Done == run.None || !keep.admits(m) {
			continue
		}
		from, to := m.Started-b.sent, m.Done-b.sent
		for w := max(from, 0) / window; w < int64(windows) && w*window < to; w++ {
			got[w][place[m.Tenant]] += float64(min(to, (w+1)*window) - max(from, w*window))
		}
	}
	return got
}
