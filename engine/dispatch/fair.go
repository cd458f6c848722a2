package dispatch

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "fair",
		Doc:   "only to a consumer with an idle slot, whatever its prefetch",
		Needs: NeedSlots,
		New:   func(_ Config, t *Consumers) Selector { return &fair{eagerRing{t: t}} },
	})
}

// fair is the central queue: a message waits until some worker can start it, so
// none waits behind a long one while another worker idles. A consumer holds at
// most as many messages as it has slots, one where that is unknown, and no more
// than its prefetch; among those with an idle slot the one that has been in
// line longest is next. A consumer that acknowledges early, or not at all, looks
// idle. O(1).
type fair struct{ eagerRing }

func (s *fair) Join(c ConsumerID) {
	row := s.t.At(c)
	row.Window = max(row.Slots, 1)
	s.eagerRing.Join(c)
}
