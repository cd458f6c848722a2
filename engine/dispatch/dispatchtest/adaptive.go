package dispatchtest

// adaptiveModel is a ring in which each consumer has a window, measured from its
// deliveries and acknowledgements.
type adaptiveModel struct {
	ringModel
	paces map[*consumer]*paceModel
}

// A paceModel keeps all times, where the strategy keeps as few as it can. Times are in
// microseconds; the fields mean the same as in the strategy.
type paceModel struct {
	window   int64
	given    []int64 // times at which the messages out were delivered
	acked    []int64 // times of all acknowledgements
	least    int64   // least time that a message sent alone took
	samples  int64   // number of samples in interval
	interval int64   // mean time between acknowledgements while busy, in sixteenths
	busy     bool
	slack    int64 // number of acknowledgements in a row while full and not busy
}

func (a *adaptiveModel) window(c *consumer) int { return int(a.paces[c].window) }

func (a *adaptiveModel) join(c *consumer) {
	a.paces[c] = &paceModel{window: 1}
	for range c.unacked {
		a.paces[c].given = append(a.paces[c].given, c.busy)
	}
	a.ringModel.join(c)
}

func (a *adaptiveModel) changed(c *consumer, now int64) {
	p := a.paces[c]
	switch {
	case len(c.unacked) > len(p.given):
		p.given = append(p.given, now)
	case len(c.unacked) < len(p.given):
		full := len(p.given) >= int(p.window) || c.prefetch != 0 && len(p.given) >= c.prefetch
		p.ack(now, int64(max(c.slots, 1)), full)
	}
	if !c.blocked && !c.eligible(a.window(c)) {
		a.remove(c)
		c.block()
	}
}

func (a *adaptiveModel) pick(int64) *consumer { return a.turn(a.window) }

func (p *paceModel) ack(now, slots int64, full bool) {
	took := max(now-p.given[0], 1)
	n := int64(len(p.acked))
	if len(p.given) == 1 && (n == 0 || p.given[0] >= p.acked[n-1]) {
		if p.least == 0 || took < p.least {
			p.least = took
		} else {
			p.least += (took - p.least) / 16
		}
	}
	if span := min(slots, 16); p.busy && n >= span {
		p.samples = min(p.samples+1, 64)
		p.interval = max(p.interval+(16*(now-p.acked[n-span])/span-p.interval)/p.samples, 1)
		p.window = min(max((16*p.least+p.interval*15/16)/p.interval, slots), 65535)
	}
	p.given, p.acked = p.given[1:], append(p.acked, now)
	p.busy = int64(len(p.given)) >= slots && p.least != 0 && now-p.given[slots-1] >= p.least-p.interval/32
	p.slack++
	if p.busy || !full {
		p.slack = 0
	}
	if p.slack >= p.window {
		p.slack = 0
		by := max(p.window/4, 1)
		if p.samples == 0 {
			by = p.window
		}
		p.window = min(max(p.window+by, slots), 65535)
	}
}
