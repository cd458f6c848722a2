package plot

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"harelab/reports/arms"
	"harelab/reports/stat"
)

func init() {
	register(Chart{Name: "shares", Title: "Who got the workers", Order: 45, Draw: shares, OneRun: true})
}

const (
	sharesHeight = 150
	namedTenants = 4 // tenants with a colour of their own; the rest share one
)

// A shareSeries is the share of all slots' time that each tenant had in each interval.
type shareSeries struct {
	intervals
	arm   *arms.Arm
	share [][]float64 // by place in tenantList, then interval
}

// A tenantList is the tenants of a report in the order of their work, most first,
// with colours for the first few. The others share the last place.
type tenantList struct {
	names []string
	place map[string]int
	rest  int // number of tenants in the last place; 0 if each has its own
}

func newTenantList(in *arms.Set) tenantList {
	work := make(map[string]int64)
	var names []string
	for _, a := range in.Arms {
		r := a.First().Result
		for _, name := range r.Tenants {
			if _, seen := work[name]; !seen {
				work[name] = 0
				names = append(names, name)
			}
		}
		for i := range r.Messages {
			if m := &r.Messages[i]; m.Tenant >= 0 {
				work[r.Tenants[m.Tenant]] += m.Service
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(work[b], work[a]) })
	l := tenantList{place: make(map[string]int)}
	for i, name := range names {
		if len(names) > namedTenants+1 && i >= namedTenants {
			l.place[name] = namedTenants
			l.rest++
			continue
		}
		l.place[name] = len(l.names)
		l.names = append(l.names, name)
	}
	if l.rest > 0 {
		l.names = append(l.names, fmt.Sprintf("%d others", l.rest))
	}
	return l
}

func (l tenantList) key() (k key) {
	for i, name := range l.names {
		k = append(k, part{name: name, paint: classPaints[i]})
	}
	return k
}

func shares(in *arms.Set, width float64) *Figure {
	tenants := newTenantList(in)
	if len(tenants.names) < 2 {
		return nil
	}
	end := length(in)
	cols := columns(width, len(in.Arms))
	each := newIntervals(end, int(width/float64(cols))/6)
	var panels []shareSeries
	most := 0.0
	for _, a := range in.Arms {
		s := newShareSeries(each, a, tenants)
		panels = append(panels, s)
		for i := range each.n {
			sum := 0.0
			for k := range s.share {
				sum += s.share[k][i]
			}
			most = max(most, sum)
		}
	}
	if most < leastBusy {
		return nil
	}
	rows := (len(panels) + cols - 1) / cols
	keys := append(tenants.key(), shadeKey(in, end)...)
	head := keys.height(width)
	return &Figure{
		Width: width, Height: head + float64(rows*sharesHeight+(rows-1)*panelGap),
		Note: fmt.Sprintf("The share of the time of all slots that each tenant's work took, in steps of %s. While several tenants have work waiting, a fair broker gives them equal shares.", stat.Brief(each.step)),
		Alt:  sharesFinding(in, panels, tenants),
		paint: func(c draw.Canvas) {
			keys.draw(c)
			for i, cell := range cells(draw.Crop(c, 0, 0, 0, -vg.Length(head)), len(panels), cols) {
				s := panels[i]
				cell = heading(cell, s.arm, s.arm.Label)
				ticks := int(float64(cell.Max.X-cell.Min.X) / 60)
				p := frame(timeMax(end, ticks), 1.02, secondTicks(ticks, end), steps{step: 0.25, format: stat.Percent})
				p.Add(sharePlot{s, tenants}, strips(shadesOf(s.arm.First().Result, end)))
				p.Draw(draw.Crop(cell, 0, -12, 0, -8))
			}
		},
	}
}

func newShareSeries(v intervals, a *arms.Arm, tenants tenantList) shareSeries {
	s := shareSeries{intervals: v, arm: a, share: make([][]float64, len(tenants.names))}
	for k := range s.share {
		s.share[k] = make([]float64, v.n)
	}
	r := a.First().Result
	slots := 0
	for _, w := range r.Workers {
		slots += w.Slots
	}
	for _, span := range r.Spans {
		i := int(span.Seq)
		if i >= len(r.Messages) || r.Messages[i].Seq != span.Seq || r.Messages[i].Tenant < 0 {
			continue
		}
		k := tenants.place[r.Tenants[r.Messages[i].Tenant]]
		from, to := seconds(span.Start), seconds(span.End)
		for at := max(v.of(span.Start), 0); at < v.n; at++ {
			lo, hi := v.span(at)
			if lo >= to {
				break
			}
			s.share[k][at] += (min(to, hi) - max(from, lo)) / (hi - lo) / float64(max(slots, 1))
		}
	}
	return s
}

// sharePlot is the plotter of a series as stacked steps, the tenant with the most work
// on top.
type sharePlot struct {
	shareSeries
	tenants tenantList
}

func (s sharePlot) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	base := make([]float64, s.n)
	for k := len(s.share) - 1; k >= 0; k-- {
		var path vg.Path
		for i, v := range s.share[k] {
			if v <= 0 {
				continue
			}
			from, to := s.span(i)
			path = rectPath(path, x(from), y(min(base[i], 1)), x(to), y(min(base[i]+v, 1)))
			base[i] += v
		}
		c.SetColor(classPaints[k])
		c.Fill(path)
	}
	for i := range s.n {
		tip := s.name(i) + ":"
		for k, name := range s.tenants.names {
			tip += fmt.Sprintf(" %s %s,", name, stat.Percent(s.share[k][i]))
		}
		from, to := s.span(i)
		hover(c, x(from), c.Min.Y, x(to), c.Max.Y, tip[:len(tip)-1])
	}
}

// sharesFinding gives the largest share of the tenant with the most work in each arm.
func sharesFinding(in *arms.Set, panels []shareSeries, tenants tenantList) string {
	i := -1
	return list("Largest share of the slots that "+tenants.names[0]+" has in an interval", in, func(*arms.Arm) (string, bool) {
		i++
		return stat.Percent(slices.Max(panels[i].share[0])), true
	})
}
