package dispatch

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "lwl",
		Doc:   "to the consumer with the least work left, by cost hints",
		Needs: NeedCost | NeedTime | NeedProbe,
		New:   newLWL,
	})
}

// newLWL is least work left: with exact sizes it gives each message the wait it
// would have in one central queue, without that queue's round trip for each
// message (Harchol-Balter, Crovella, Murta 1998). The work left is that of the worker,
// if the consumer has a probe, else the sum of the cost hints of its unacknowledged
// messages. Messages without a hint weigh nothing. O(log n).
func newLWL(_ Config, t *Consumers) Selector {
	return &leastLoaded{t: t, load: (*Consumers).WorkLeft}
}
