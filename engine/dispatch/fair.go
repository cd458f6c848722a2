package dispatch

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "fair",
		Doc:   "only to a consumer with an idle slot, whatever its prefetch",
		Needs: NeedSlots,
		New:   func(_ Config, t *Consumers) Selector { return &fair{eagerRing{t: t}} },
	})
}

// fair is the central queue: a message waits in the queue until some worker can start
// it, so that no message waits behind a long one while another worker is idle. A
// consumer holds at most one message for each of its slots (one slot if their number
// is unknown), and no more than its prefetch. Of the consumers with an idle slot, the
// one that has been in the ring longest is next. A consumer that acknowledges before
// its work is done, or not at all, looks idle. O(1).
type fair struct{ eagerRing }

func (s *fair) Join(c ConsumerID) {
	row := s.t.At(c)
	row.Window = max(row.Slots, 1)
	s.eagerRing.Join(c)
}
