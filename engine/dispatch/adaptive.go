package dispatch

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "adaptive",
		Doc:   "in turn, with a prefetch measured from service time and round trip",
		Needs: NeedSlots | NeedTime,
		New:   func(_ Config, t *Consumers) Selector { return &adaptive{eagerRing: eagerRing{t: t}} },
	})
}

// adaptive is a ring that limits each consumer to the prefetch that its link needs:
// slots * (1 + RTT/S), rounded up, for a service time S and a round trip RTT. So many
// messages keep the slots busy during a round trip (Little 1961). A consumer's own
// prefetch still applies. O(1).
//
// Both times are measured from acknowledgements alone, so the consumer must send them
// when the work is done. A message that is the consumer's only one comes back after
// RTT + S. The first message is sent alone to measure that time. The least such time
// counts, and it moves slowly towards greater ones that follow, as in TCP Vegas. A
// consumer with all slots busy returns a message every S/slots on average; it counts
// as busy if the message that the freed slot works on next has been out for at least
// RTT + S less half of S/slots. The ratio of the two times is the window:
//
//	window = (RTT + S) / (S/slots) = slots * (1 + RTT/S)
//
// If a whole window of messages came back and the consumer was full but never busy,
// the window is too small to measure with, and grows.
type adaptive struct {
	eagerRing
	paces []pace // by ConsumerID
}

// A pace holds the measurements of one consumer. Times are in microseconds.
type pace struct {
	window     uint32         // number of messages that the consumer may hold
	samples    int64          // number of samples in interval16, up to maxSamples
	interval16 int64          // mean time between acknowledgements while busy, in sixteenths
	least      int64          // least time that a message sent alone took; 0 unknown
	last       int64          // time of the latest acknowledgement
	busy       bool           // the consumer was busy at the latest acknowledgement
	count      uint32         // number of acknowledgements
	acks       [maxSpan]int64 // ring of the times of the latest acknowledgements
	slack      uint32         // number of acknowledgements in a row while full and not busy
	given      []int64        // ring of the times at which the messages out were given; its length is a power of two
	first      uint32         // index in given of the oldest message out
	out        uint32         // number of messages out
}

const (
	maxWindow  = 65535 // the greatest prefetch of basic.qos
	maxSamples = 64
	maxSpan    = 16 // a power of two
)

func (s *adaptive) Join(c ConsumerID) {
	for int(c) >= len(s.paces) {
		s.paces = append(s.paces, pace{})
	}
	row := s.t.At(c)
	s.paces[c] = pace{window: 1, given: s.paces[c].given}
	for range row.Unacked { // the queue had another selector before
		s.paces[c].give(row.Busy)
	}
	row.Window = 1
	s.eagerRing.Join(c)
}

func (s *adaptive) Changed(c ConsumerID, now int64) {
	row, p := s.t.At(c), &s.paces[c]
	switch {
	case row.Unacked > p.out:
		p.give(now)
	case row.Unacked < p.out:
		full := p.out >= row.Window || row.Prefetch != 0 && p.out >= row.Prefetch
		p.acked(now, min(max(row.Slots, 1), maxWindow), full)
		row.Window = p.window
	}
	s.eagerRing.Changed(c, now)
}

func (p *pace) give(now int64) {
	if n := uint32(len(p.given)); p.out == n {
		larger := make([]int64, max(2*n, 4))
		for i := range n {
			larger[i] = p.given[(p.first+i)&(n-1)]
		}
		p.given, p.first = larger, 0
	}
	p.given[(p.first+p.out)&uint32(len(p.given)-1)] = now
	p.out++
}

// acked adds one acknowledgement, and takes it for that of the oldest message out.
func (p *pace) acked(now int64, slots uint32, full bool) {
	mask := uint32(len(p.given) - 1)
	took := max(now-p.given[p.first&mask], 1)
	alone := p.out == 1 && p.given[p.first&mask] >= p.last
	p.first, p.out = p.first+1, p.out-1
	if alone {
		p.sampleAlone(took)
	}
	if span := min(slots, maxSpan); p.busy && p.count >= span {
		p.sampleInterval(16*(now-p.acks[(p.count-span)%maxSpan])/int64(span), slots)
	}
	p.acks[p.count%maxSpan] = now
	p.count++
	next := (p.first + slots - 1) & mask
	p.busy = p.out >= slots && p.least != 0 && now-p.given[next] >= p.least-p.interval16/32
	p.last = now
	switch {
	case p.busy || !full:
		p.slack = 0
	case p.slack+1 >= p.window:
		p.slack = 0
		p.grow(slots)
	default:
		p.slack++
	}
}

func (p *pace) sampleAlone(took int64) {
	if p.least == 0 || took < p.least {
		p.least = took
	} else {
		p.least += (took - p.least) / 16
	}
}

// sampleInterval adds a mean interval, in sixteenths. The mean is over one
// acknowledgement for each slot, because all slots may finish at the same time.
func (p *pace) sampleInterval(x16 int64, slots uint32) {
	p.samples = min(p.samples+1, maxSamples)
	p.interval16 = max(p.interval16+(x16-p.interval16)/p.samples, 1)
	// The ratio is rounded up, unless it exceeds an integer by less than a sixteenth.
	ratio := (16*p.least + p.interval16*15/16) / p.interval16
	p.window = uint32(min(max(ratio, int64(slots)), maxWindow))
}

func (p *pace) grow(slots uint32) {
	by := max(p.window/4, 1)
	if p.samples == 0 {
		by = p.window // without a sample, doubling finds the window sooner
	}
	p.window = min(max(p.window+by, slots), maxWindow)
}
