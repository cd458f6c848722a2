package dispatch

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "adaptive",
		Doc:   "in turn, with a prefetch measured from service time and round trip",
		Needs: NeedSlots | NeedTime,
		New:   func(_ Config, t *Consumers) Selector { return &adaptive{eagerRing: eagerRing{t: t}} },
	})
}

// adaptive is a ring that holds each consumer to the prefetch its link needs and
// no more: slots * (1 + RTT/S), rounded up, for a service time S and a round
// trip RTT, as that many keep the slots busy across the round trip (Little
// 1961). A consumer's own prefetch still applies. O(1).
//
// Both times are measured from acknowledgements alone, which have to be sent
// when the work is done. A message that was alone comes back after RTT + S; the
// first one goes alone, to have such a time, and the least one counts, moving
// slowly up to later ones, as in TCP Vegas. A consumer with all slots busy
// returns a message every S/slots on average; it is taken to be busy if the
// message next in line has been out for RTT + S, less half of S/slots. Their
// ratio is the window:
//
//	window = (RTT + S) / (S/slots) = slots * (1 + RTT/S)
//
// If a whole window of messages came back and the consumer never was busy while
// it was full, the window is too small to measure by, and grows.
type adaptive struct {
	eagerRing
	paces []pace // by ConsumerID
}

// A pace is what is known of one consumer. Times are in microseconds.
type pace struct {
	window     uint32
	samples    int64          // of interval16, up to maxSamples
	interval16 int64          // mean time between acknowledgements while busy, in sixteenths
	least      int64          // least time that a message alone took; 0 unknown
	last       int64          // time of the latest acknowledgement
	busy       bool           // then
	count      uint32         // acknowledgements
	acks       [maxSpan]int64 // ring of their latest times
	slack      uint32         // acknowledgements in a row while full and not busy
	given      []int64        // ring of the times when messages out were given, a power of two
	first, out uint32         // in given
}

const (
	maxWindow  = 65535 // what basic.qos can carry
	maxSamples = 64
	maxSpan    = 16 // a power of two
)

func (s *adaptive) Join(c ConsumerID) {
	for int(c) >= len(s.paces) {
		s.paces = append(s.paces, pace{})
	}
	s.paces[c] = pace{window: 1, given: s.paces[c].given}
	s.t.At(c).Window = 1
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

// acked takes in one acknowledgement, of the oldest message for all it knows.
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

// sampleInterval takes in a mean interval. It is over as many acknowledgements
// as there are slots, as these may all return at one time.
func (p *pace) sampleInterval(x16 int64, slots uint32) {
	p.samples = min(p.samples+1, maxSamples)
	p.interval16 = max(p.interval16+(x16-p.interval16)/p.samples, 1)
	// A ratio that is over by less than a sixteenth is not rounded up.
	ratio := (16*p.least + p.interval16*15/16) / p.interval16
	p.window = uint32(min(max(ratio, int64(slots)), maxWindow))
}

func (p *pace) grow(slots uint32) {
	by := max(p.window/4, 1)
	if p.samples == 0 {
		by = p.window // at first, to get somewhere
	}
	p.window = min(max(p.window+by, slots), maxWindow)
}
