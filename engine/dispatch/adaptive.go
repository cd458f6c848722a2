package dispatch

func init() {
	registerSelector(SelectorStrategy{
		Name:  "adaptive",
		Doc:   "in turn, with a prefetch measured from service time and round trip",
		Needs: NeedSlots,
		New:   func(_ Config, t *Consumers) Selector { return &adaptive{eagerRing: eagerRing{t: t}} },
	})
}

// adaptive is a ring that holds each consumer to the prefetch its link needs and
// no more: slots * (1 + RTT/S), rounded up, for a service time S and a round
// trip RTT (Little 1961: that many keep slots busy across the round trip). A
// consumer's own prefetch still applies. O(1).
//
// Both are measured from acknowledgements alone. A consumer that stays full
// returns one every S/slots on average; a message that was alone comes back
// after RTT + S. Their ratio is the window:
//
//	window = (RTT + S) / (S / slots) = slots * (1 + RTT/S)
//
// The first message goes alone, to have such a time. The least one seen counts,
// as in TCP Vegas, moving slowly up to later ones, since services vary more than
// round trips. A window that is too small makes the intervals look longer and
// so would confirm itself; therefore in a quarter of its time it is a quarter
// larger, and what is gained shows as shorter intervals (as in BBR).
type adaptive struct {
	eagerRing
	paces []pace // by ConsumerID
}

// A pace is what is known of one consumer. Times are in microseconds;
// interval16 counts sixteenths.
type pace struct {
	unacked    uint32 // when last looked at
	alone      bool   // its only message was given when it had none
	given      int64  // when that was
	least      int64  // least time that a message alone took; 0 unknown
	interval16 int64  // between acknowledgements while full, smoothed; 0 unknown
	window     uint32
	mark       int64 // when an interval began
	marked     bool
	acks       int64  // since then
	last       int64  // time of the latest acknowledgement
	cycle      uint32 // acknowledgements since the last larger window
}

const maxWindow = 65535 // what basic.qos can carry

func (s *adaptive) Join(c ConsumerID) {
	for int(c) >= len(s.paces) {
		s.paces = append(s.paces, pace{})
	}
	s.paces[c] = pace{}
	s.t.At(c).Window = 1
	s.eagerRing.Join(c)
}

func (s *adaptive) Changed(c ConsumerID, now int64) {
	row, p := s.t.At(c), &s.paces[c]
	switch {
	case row.Unacked > p.unacked:
		p.alone = p.unacked == 0
		p.given = now
	case row.Unacked < p.unacked:
		p.acked(now, row)
		row.Window = p.limit(min(max(row.Slots, 1), maxWindow))
	}
	p.unacked = row.Unacked
	s.eagerRing.Changed(c, now)
}

// acked takes in one acknowledgement.
func (p *pace) acked(now int64, row *Consumer) {
	if p.alone {
		p.sampleAlone(max(now-p.given, 1))
		p.alone, p.marked, p.last = false, false, now
		return
	}
	full := p.unacked >= row.Window || row.Prefetch != 0 && p.unacked >= row.Prefetch
	switch {
	case full:
		if p.marked && now > p.mark {
			p.sampleInterval(16 * (now - p.mark) / p.acks)
		}
		if !p.marked || now > p.mark {
			p.mark, p.acks, p.marked = now, 0, true
		}
	case now > p.last: // it had run short of messages
		p.marked = false
	}
	p.acks++
	p.last = now
	p.cycle++
}

func (p *pace) sampleAlone(took int64) {
	if p.least == 0 || took < p.least {
		p.least = took
	} else {
		p.least += (took - p.least) / 16
	}
}

func (p *pace) sampleInterval(x16 int64) {
	if p.interval16 == 0 {
		p.interval16 = max(x16, 1)
	} else {
		p.interval16 = max(p.interval16+(x16-p.interval16)/8, 1)
	}
}

// limit is the window now.
func (p *pace) limit(slots uint32) uint32 {
	want := min(2*slots, maxWindow) // until the intervals are known
	if p.interval16 != 0 {
		ratio := (16*p.least + p.interval16 - 1) / p.interval16
		want = uint32(min(ratio, int64(2*max(p.window, slots)), maxWindow))
	}
	p.window = min(max(want, slots), maxWindow)
	if length := 8 * p.window; p.cycle >= length {
		p.cycle = 0
	}
	if p.cycle < 2*p.window {
		return min(p.window+max(p.window/4, 1), maxWindow)
	}
	return p.window
}
